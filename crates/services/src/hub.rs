use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mf_domain::SessionId;
use mf_store::{EventPosition, LoggedEvent, Store, StoreResult};
use tokio::{sync::broadcast, time::timeout};

/// Events that a stream may lag behind before it is dropped (and resumes).
const LAG: usize = 1024;
/// Events read at a time.
const BATCH: i64 = 500;
/// The longest that an event of another process waits to be seen.
const POLL: Duration = Duration::from_secs(1);
/// The first pause after being woken for something that cannot be seen yet.
const IMPATIENCE: Duration = Duration::from_millis(5);

/// What happens, told to every stream of this process by one reader of the event log.
#[derive(Debug, Clone, Default)]
pub struct EventHub(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// Everything up to here was told.
    told: EventPosition,
    sessions: HashMap<SessionId, broadcast::Sender<Arc<LoggedEvent>>>,
}

/// A place from which nothing is missed.
#[derive(Debug)]
pub struct Subscription {
    /// What is told from now on comes out here.
    pub live: broadcast::Receiver<Arc<LoggedEvent>>,
    /// What was told before stands in the log up to here.
    pub told: EventPosition,
}

impl EventHub {
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Nothing that runs under this lock can leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows a session from now on.
    pub fn subscribe(&self, session: SessionId) -> Subscription {
        let mut inner = self.inner();
        let live = inner
            .sessions
            .entry(session)
            .or_insert_with(|| broadcast::channel(LAG).0)
            .subscribe();
        Subscription {
            live,
            told: inner.told,
        }
    }

    fn tell(&self, events: Vec<LoggedEvent>) {
        let mut inner = self.inner();
        for event in events {
            inner.told = event.position;
            let Some(session) = event.session_id else {
                continue;
            };
            if let Some(streams) = inner.sessions.get(&session)
                && streams.send(Arc::new(event)).is_err()
            {
                // Nobody listens any more.
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
            let woken = timeout(pause, store.wake().events()).await.is_ok();
            let told = self.drain(store).await?;
            // Woken for nothing: what was committed stands behind a transaction that is still
            // open. It will not be long.
            pause = match (told, woken) {
                (true, _) => POLL,
                (false, true) => IMPATIENCE,
                (false, false) => (pause * 2).min(POLL),
            };
        }
    }

    async fn drain(&self, store: &Store) -> StoreResult<bool> {
        let mut any = false;
        loop {
            let after = self.inner().told;
            let events = store.events_after(after, BATCH).await?;
            let full = i64::try_from(events.len()).is_ok_and(|count| count == BATCH);
            any |= !events.is_empty();
            self.tell(events);
            if !full {
                return Ok(any);
            }
        }
    }
}
