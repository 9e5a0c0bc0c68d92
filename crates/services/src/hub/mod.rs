//! What happens, told to every stream of this process by one reader of the event log.

mod frame;
mod line;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mf_domain::SessionId;
use mf_store::{EventPosition, LoggedEvent, Store, StoreResult};
use tokio::time::timeout;

pub use frame::Frame;
use line::Line;
pub use line::TooSlow;

/// Events read at a time.
const BATCH: i64 = 500;
/// The longest that an event of another process waits to be seen.
const POLL: Duration = Duration::from_secs(1);
/// The first pause where something cannot be told yet.
const IMPATIENCE: Duration = Duration::from_millis(5);
/// The longest such pause: as much later than it could, an event is told.
const IMPATIENCE_AT_MOST: Duration = Duration::from_millis(80);

/// What came of reading all that there is.
#[derive(Debug, Clone, Copy)]
struct Drained {
    /// Whether anything was told.
    told: bool,
    /// Whether there is more, behind a transaction that is still open.
    hidden: bool,
}

impl Drained {
    /// How long nobody looks again, unless woken, after a pause of `before`. Nobody is woken when
    /// the transaction ends behind which something is hidden; mostly it will not be long.
    fn pause(self, before: Duration) -> Duration {
        match self {
            Self { hidden: false, .. } => POLL,
            Self { told: true, .. } => IMPATIENCE,
            Self { .. } if before > IMPATIENCE_AT_MOST => IMPATIENCE,
            Self { .. } => (before * 2).min(IMPATIENCE_AT_MOST),
        }
    }
}

/// Tells what happens to whoever follows a session. It never waits for any of them.
#[derive(Debug, Clone, Default)]
pub struct EventHub(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// Everything up to here was told.
    told: EventPosition,
    /// Those who follow, by session. A session that nobody follows is not here.
    sessions: HashMap<SessionId, Vec<Arc<Line>>>,
}

/// A place from which nothing is missed. Dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    hub: EventHub,
    session: SessionId,
    line: Arc<Line>,
    told: EventPosition,
}

impl Subscription {
    /// What was told before stands in the log up to here.
    pub fn told(&self) -> EventPosition {
        self.told
    }

    /// What happens next. Whoever was too slow has missed something, and hears nothing more.
    pub async fn next(&self) -> Result<Arc<Frame>, TooSlow> {
        self.line.next().await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut inner = self.hub.inner();
        if let Some(lines) = inner.sessions.get_mut(&self.session) {
            lines.retain(|line| !Arc::ptr_eq(line, &self.line));
            if lines.is_empty() {
                inner.sessions.remove(&self.session);
            }
        }
    }
}

impl EventHub {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing that runs under this lock can leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows a session from now on.
    pub fn subscribe(&self, session: SessionId) -> Subscription {
        let line = Arc::<Line>::default();
        let mut inner = self.inner();
        let lines = inner.sessions.entry(session).or_default();
        lines.push(Arc::clone(&line));
        Subscription {
            hub: self.clone(),
            session,
            line,
            told: inner.told,
        }
    }

    fn tell(&self, events: Vec<LoggedEvent>) {
        for event in events {
            // Event by event: whoever wants to subscribe need not wait for all of them.
            let mut inner = self.inner();
            inner.told = event.position;
            let Some(session) = event.session_id else {
                continue;
            };
            let Some(lines) = inner.sessions.get_mut(&session) else {
                continue;
            };
            let frame = Arc::new(Frame::of(&event));
            lines.retain(|line| line.put(&frame));
            if lines.is_empty() {
                inner.sessions.remove(&session);
            }
        }
    }

    /// Takes the log's present end for the beginning. Before this nobody may subscribe: their
    /// place would be none.
    pub async fn open(&self, store: &Store) -> StoreResult<()> {
        let end = store.event_log_end().await?;
        self.inner().told = end;
        Ok(())
    }

    /// Reads the log and tells what is in it, for ever. Ends with an error when the database
    /// fails; called again, it goes on where it was, so that nothing is left out.
    pub async fn run(&self, store: &Store) -> StoreResult<()> {
        let mut pause = POLL;
        loop {
            // Woken or not: the look is the same.
            let _ = timeout(pause, store.wake().events()).await;
            pause = self.drain(store).await?.pause(pause);
        }
    }

    async fn drain(&self, store: &Store) -> StoreResult<Drained> {
        let mut told = false;
        loop {
            let after = self.inner().told;
            let page = store.events_after(after, BATCH).await?;
            let full = i64::try_from(page.events.len()).is_ok_and(|count| count == BATCH);
            told |= !page.events.is_empty();
            self.tell(page.events);
            if !full {
                let hidden = page.hidden;
                return Ok(Drained { told, hidden });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use chrono::DateTime;
    use mf_domain::{SessionId, TenantId};
    use mf_store::{EventPosition, LoggedEvent};
    use uuid::Uuid;

    use super::{Drained, EventHub, IMPATIENCE, IMPATIENCE_AT_MOST, POLL, line::MOST_EVENTS};

    fn session(number: u128) -> SessionId {
        Uuid::from_u128(number).into()
    }

    fn event(of: SessionId) -> LoggedEvent {
        LoggedEvent {
            id: Uuid::from_u128(7).into(),
            tenant_id: TenantId::from(Uuid::from_u128(1)),
            session_id: Some(of),
            name: "message.received".to_owned(),
            body: "{}".to_owned(),
            created_at: DateTime::UNIX_EPOCH,
            position: EventPosition::default(),
        }
    }

    #[test]
    fn what_is_hidden_is_looked_for_again_soon_whatever_else_was_told() {
        let hidden = |told| Drained { told, hidden: true };
        assert_eq!(hidden(true).pause(POLL), IMPATIENCE);
        assert_eq!(hidden(true).pause(IMPATIENCE_AT_MOST), IMPATIENCE);
        let mut pause = POLL;
        let mut waited = Duration::ZERO;
        for _ in 0..20 {
            pause = hidden(false).pause(pause);
            assert!(pause <= (waited + IMPATIENCE).min(IMPATIENCE_AT_MOST));
            waited += pause;
        }
        for told in [true, false] {
            let all = Drained {
                told,
                hidden: false,
            };
            assert_eq!(all.pause(pause), POLL);
        }
    }

    #[tokio::test]
    async fn streams_of_one_session_share_what_they_are_told() {
        let hub = EventHub::default();
        let (one, other) = (hub.subscribe(session(1)), hub.subscribe(session(1)));
        hub.tell(vec![event(session(2)), event(session(1))]);
        let (one, other) = (one.next().await.unwrap(), other.next().await.unwrap());
        assert!(Arc::ptr_eq(&one, &other));
    }

    #[tokio::test]
    async fn a_session_whose_streams_have_ended_is_forgotten_and_the_others_go_on() {
        let hub = EventHub::default();
        let (one, other) = (hub.subscribe(session(1)), hub.subscribe(session(1)));
        let third = hub.subscribe(session(3));
        drop(one);
        hub.tell(vec![event(session(1))]);
        other.next().await.unwrap();
        assert_eq!(hub.inner().sessions.len(), 2);
        drop(other);
        drop(third);
        assert!(hub.inner().sessions.is_empty());
    }

    #[tokio::test]
    async fn whoever_does_not_listen_is_dropped_and_holds_up_nobody() {
        let hub = EventHub::default();
        let (slow, quick) = (hub.subscribe(session(1)), hub.subscribe(session(1)));
        let alone = hub.subscribe(session(2));
        for _ in 0..=MOST_EVENTS {
            hub.tell(vec![event(session(1)), event(session(2))]);
            quick.next().await.unwrap();
        }
        assert!(slow.next().await.is_err());
        assert!(alone.next().await.is_err());
        let inner = hub.inner();
        assert_eq!(inner.sessions.len(), 1, "who is dropped is in the map");
        assert_eq!(inner.sessions[&session(1)].len(), 1);
    }
}
