use std::time::Duration;

/// Pauses after the first failure, the second, and so on. After the last there is no other.
const PAUSES: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_mins(1),
    Duration::from_mins(10),
    Duration::from_hours(1),
    Duration::from_hours(6),
    Duration::from_hours(24),
];
/// How far a pause is from the one in the table, at most: what failed together does not come
/// again together. With it, the longest is below the 30 hours from which on the queue takes a
/// pause for a fault of the clock.
const JITTER: f64 = 0.2;
/// The longest that an endpoint can have all its deliveries wait for.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// After a failure with so many before it: how long until the next attempt. `None`: there is
/// none. An endpoint can ask for a later one, and not for an earlier.
///
/// `chance` is from 0 to 1.
pub(super) fn next_attempt(
    failures_before: i32,
    asked: Option<Duration>,
    chance: f64,
) -> Option<Duration> {
    let nth = usize::try_from(failures_before).ok()?;
    let pause = PAUSES.get(nth)?;
    let pause = pause.mul_f64(1.0 + JITTER * (2.0 * chance - 1.0));
    Some(pause.max(asked.unwrap_or_default()))
}

/// How long an endpoint that asks for patience is left alone altogether.
pub(super) fn endpoint_pause(asked: Option<Duration>) -> Option<Duration> {
    asked
        .filter(|asked| !asked.is_zero())
        .map(|asked| asked.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_and_end() {
        let pauses: Vec<_> = (0..8).map(|n| next_attempt(n, None, 0.5)).collect();
        let seconds = [5, 60, 600, 3600, 21_600, 86_400].map(|s| Some(Duration::from_secs(s)));
        assert_eq!(pauses[..6], seconds);
        assert_eq!(pauses[6..], [None, None]);
    }

    /// The queue would not wait for one that does.
    #[test]
    fn no_pause_looks_like_a_clock_that_was_moved() {
        let day = Some(Duration::from_hours(24));
        let longest = (0..6).filter_map(|n| next_attempt(n, day, 1.0)).max();
        assert!(longest.unwrap() < Duration::from_hours(30));
    }

    #[test]
    fn what_failed_together_comes_back_apart() {
        let [early, late] = [0.0, 1.0].map(|chance| next_attempt(1, None, chance).unwrap());
        assert_eq!(early, Duration::from_secs(48));
        assert_eq!(late, Duration::from_secs(72));
    }

    #[test]
    fn an_endpoint_can_ask_for_later_and_not_for_sooner() {
        let asked = |seconds| next_attempt(1, Some(Duration::from_secs(seconds)), 0.5);
        assert_eq!(asked(3000), Some(Duration::from_mins(50)));
        assert_eq!(asked(1), Some(Duration::from_mins(1)));
        assert_eq!(endpoint_pause(Some(Duration::ZERO)), None);
        let days = Duration::from_hours(48);
        assert_eq!(endpoint_pause(Some(days)), Some(LONGEST_PAUSE));
        assert_eq!(next_attempt(6, Some(days), 0.5), None);
    }
}
