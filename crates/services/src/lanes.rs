use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use mf_domain::SessionId;
use tokio::sync::{Mutex as Turns, OwnedMutexGuard};

/// One lane for each session: what runs in it runs one at a time, in the order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: Mutex<HashMap<SessionId, Weak<Lane>>>,
}

#[derive(Debug, Default)]
pub(crate) struct Lane {
    turns: Arc<Turns<()>>,
    /// Counts how often a message had to go back to the outbox. Whoever joined the lane before
    /// such a setback must go back too, or it would overtake.
    setbacks: AtomicU64,
}

/// A place in a lane, taken before the turn comes.
#[derive(Debug)]
pub(crate) struct Ticket {
    lane: Arc<Lane>,
    setbacks: u64,
}

/// A turn. The next one comes when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    lane: Arc<Lane>,
    /// Nobody ahead was set back since the ticket was taken.
    pub(crate) clear: bool,
    _guard: OwnedMutexGuard<()>,
}

impl Lanes {
    /// Takes a place in a session's lane.
    pub(crate) fn ticket(&self, session: SessionId) -> Ticket {
        let lane = self.lane(session);
        let setbacks = lane.setbacks.load(Ordering::SeqCst);
        Ticket { lane, setbacks }
    }

    fn lane(&self, session: SessionId) -> Arc<Lane> {
        // A panic elsewhere while the map was held leaves it whole: nothing in here can.
        let mut lanes = self
            .lanes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(lane) = lanes.get(&session).and_then(Weak::upgrade) {
            return lane;
        }
        // Lanes that nobody is in are dropped; their entries go when the map has doubled.
        if lanes.len() >= 64 && lanes.len().is_power_of_two() {
            lanes.retain(|_, lane| lane.strong_count() > 0);
        }
        let lane = Arc::new(Lane::default());
        lanes.insert(session, Arc::downgrade(&lane));
        lane
    }
}

impl Ticket {
    /// Whether the turn would come at once. Somebody may still be quicker.
    pub(crate) fn is_next(&self) -> bool {
        self.lane.turns.try_lock().is_ok()
    }

    /// Waits for the turn.
    pub(crate) async fn turn(self) -> Turn {
        let guard = Arc::clone(&self.lane.turns).lock_owned().await;
        let clear = self.lane.setbacks.load(Ordering::SeqCst) == self.setbacks;
        Turn {
            lane: self.lane,
            clear,
            _guard: guard,
        }
    }
}

impl Turn {
    /// Says that this turn's message went back to the outbox. Called once that is committed:
    /// before, somebody could join who sees neither.
    pub(crate) fn set_back(&self) {
        self.lane.setbacks.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use mf_domain::SessionId;
    use uuid::Uuid;

    use super::Lanes;

    #[tokio::test]
    async fn whoever_joined_before_a_setback_is_not_clear_and_later_ones_are() {
        let lanes = Lanes::default();
        let session = SessionId::from(Uuid::nil());
        let (first, second) = (lanes.ticket(session), lanes.ticket(session));
        let turn = first.turn().await;
        assert!(turn.clear);
        turn.set_back();
        drop(turn);
        let third = lanes.ticket(session);
        assert!(!second.turn().await.clear);
        assert!(third.turn().await.clear);
    }
}
