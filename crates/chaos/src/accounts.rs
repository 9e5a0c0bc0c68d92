//! What was accepted held against what arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::{Arrival, Ledger};

/// The account of one endpoint.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Messages of the ledger that no event arrived for, by their mark.
    pub lost: BTreeSet<String>,
    /// Events that arrived more than once, and how often beyond the first.
    pub repeated: BTreeMap<String, usize>,
    /// Messages told by two events of different ids.
    pub told_twice: BTreeSet<String>,
    /// From the first attempt to report a message to its event's first arrival, ascending.
    pub delays: Vec<Duration>,
}

impl Tally {
    /// Every message of the ledger is to have arrived at one endpoint as `message.received`.
    pub fn of(ledger: &Ledger, arrivals: &[Arrival]) -> Self {
        let mut tally = Self::default();
        // By mark: the ids of its events, and when the first arrived.
        let mut told: BTreeMap<&str, (BTreeSet<&str>, &Arrival)> = BTreeMap::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for arrival in arrivals {
            *counts.entry(&arrival.webhook_id).or_default() += 1;
            if let Some(mark) = &arrival.mark
                && arrival.event == "message.received"
            {
                let (ids, first) = told.entry(mark).or_insert((BTreeSet::new(), arrival));
                ids.insert(&arrival.webhook_id);
                if arrival.at < first.at {
                    *first = arrival;
                }
            }
        }
        for (mark, posted) in &ledger.accepted {
            match told.get(mark.as_str()) {
                None => {
                    tally.lost.insert(mark.clone());
                }
                Some((_, first)) => {
                    tally
                        .delays
                        .push(first.at.saturating_duration_since(posted.begun));
                }
            }
        }
        tally.delays.sort_unstable();
        let twice = told.iter().filter(|(_, (ids, _))| ids.len() > 1);
        tally.told_twice = twice.map(|(mark, _)| (*mark).to_owned()).collect();
        let repeated = counts.iter().filter(|(_, count)| **count > 1);
        tally.repeated = repeated
            .map(|(id, count)| ((*id).to_owned(), count - 1))
            .collect();
        tally
    }

    /// Arrivals beyond the first, of all events together.
    pub fn duplicates(&self) -> usize {
        self.repeated.values().sum()
    }

    /// The delay that so many in a hundred do not exceed, in milliseconds.
    pub fn delay_ms(&self, percent: usize) -> f64 {
        let delay = percentile(&self.delays, percent);
        (delay.as_secs_f64() * 10_000.0).round() / 10.0
    }
}

/// Of ascending times, the one that so many in a hundred do not exceed.
pub fn percentile(ascending: &[Duration], percent: usize) -> Duration {
    let place = (ascending.len() * percent).div_ceil(100).saturating_sub(1);
    ascending.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::Posted;

    fn arrival(id: &str, mark: &str) -> Arrival {
        Arrival {
            path: "/".into(),
            webhook_id: id.to_owned(),
            event: "message.received".to_owned(),
            mark: Some(mark.to_owned()),
            at: Instant::now(),
        }
    }

    #[test]
    fn what_was_accepted_and_did_not_arrive_is_lost_and_what_came_twice_is_counted() {
        let mut ledger = Ledger::default();
        for mark in ["A", "B", "C"] {
            let now = Instant::now();
            let posted = Posted {
                begun: now,
                accepted: now,
                session: 0,
            };
            ledger.accepted.insert(mark.to_owned(), posted);
        }
        let arrivals = [
            arrival("1", "A"),
            arrival("1", "A"),
            arrival("1", "A"),
            arrival("2", "B"),
            arrival("3", "B"),
        ];
        let tally = Tally::of(&ledger, &arrivals);
        assert_eq!(tally.lost.iter().collect::<Vec<_>>(), ["C"]);
        assert_eq!(tally.duplicates(), 2);
        assert_eq!(tally.told_twice.iter().collect::<Vec<_>>(), ["B"]);
        assert_eq!(tally.delays.len(), 2);
    }

    #[test]
    fn percentiles_are_of_what_there_is() {
        let times: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 99), Duration::from_millis(198));
        assert_eq!(percentile(&times, 100), Duration::from_millis(200));
        assert_eq!(percentile(&times[..1], 50), Duration::from_millis(1));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
