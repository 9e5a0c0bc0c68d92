//! Who is looked at when: some sessions at a time, so that none waits for a slow one.

use std::{collections::HashMap, sync::Arc, time::Duration};

use mf_domain::SessionId;
use mf_store::{SessionOwner, StoreResult};
use tokio::{
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, timeout},
};
use tracing::{Instrument, debug, info, info_span, warn};

use super::progress::Progress;
use crate::{Services, work};

/// Sessions looked at together.
const AT_A_TIME: usize = 8;
/// How long one look may take before another session gets its place. The next goes on from
/// there.
const PATIENCE: Duration = Duration::from_mins(10);
/// The longest that a session which came back waits for a bell that nobody rang.
const POLL: Duration = Duration::from_secs(10);

/// The looks that are under way, and what is known of the last ones.
struct Turns {
    started: Instant,
    work: JoinSet<(SessionId, Option<Progress>)>,
    running: HashMap<SessionId, AbortHandle>,
    /// Claimed while they were being looked at: they may have missed something since.
    again: HashMap<SessionId, SessionOwner>,
    /// Of looks that did not come to their end.
    progress: HashMap<SessionId, Progress>,
}

impl Turns {
    fn note(&mut self, ended: Vec<(SessionId, Option<Progress>)>) {
        for (session, progress) in ended {
            if let Some(progress) = progress {
                self.progress.insert(session, progress);
            }
        }
        // Whichever way they ended.
        self.running.retain(|_, look| !look.is_finished());
    }
}

impl Services {
    /// Fetches, until shutdown, what was missed: whenever a session comes back, and every few
    /// minutes.
    pub async fn run_catch_up(self: &Arc<Self>) {
        let mut turns = Turns {
            started: Instant::now(),
            work: JoinSet::new(),
            running: HashMap::new(),
            again: HashMap::new(),
            progress: HashMap::new(),
        };
        while !self.shutdown.is_cancelled() {
            if let Err(error) = self.begin_looks(&mut turns).await {
                warn!(error = %error, "missed messages could not be looked for");
            }
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = self.catch_up_soon.notified() => {}
                () = sleep(POLL) => {}
                ended = work::ended(&mut turns.work) => turns.note(ended),
            }
        }
        work::drain(&mut turns.work).await;
    }

    /// Begins with as many sessions as there are places for.
    async fn begin_looks(self: &Arc<Self>, turns: &mut Turns) -> StoreResult<()> {
        let free = |turns: &Turns| AT_A_TIME.saturating_sub(turns.work.len());
        let ready: Vec<_> = turns
            .again
            .keys()
            .filter(|id| !turns.running.contains_key(id))
            .copied()
            .take(free(turns))
            .collect();
        for id in ready {
            if let Some(owner) = turns.again.remove(&id) {
                self.begin_look(turns, owner);
            }
        }
        if free(turns) == 0 {
            return Ok(());
        }
        let mut tx = self
            .store
            .system("sessions of all tenants may have missed something")
            .await?;
        // What was looked at before this process began counts for nothing: who knows what was
        // missed since. Measured when the transaction has begun, so that nothing of our own
        // seems to be older than we are.
        let every = self.settings.catch_up_every.min(turns.started.elapsed());
        let limit = i64::try_from(free(turns)).unwrap_or(0);
        let claimed = tx.sessions_to_catch_up(every, limit).await?;
        tx.commit().await?;
        for owner in claimed {
            if turns.running.contains_key(&owner.id) {
                turns.again.insert(owner.id, owner);
            } else {
                self.begin_look(turns, owner);
            }
        }
        Ok(())
    }

    fn begin_look(self: &Arc<Self>, turns: &mut Turns, owner: SessionOwner) {
        let services = Arc::clone(self);
        let progress = turns.progress.remove(&owner.id).unwrap_or_default();
        let (id, span) = (owner.id, info_span!("catch_up", session.id = %owner.id));
        let look = async move { (id, services.look(&owner, progress).await) };
        let running = turns.work.spawn(look.instrument(span));
        turns.running.insert(id, running);
    }

    /// One look at a session. If it does not come to its end, where the next goes on.
    async fn look(&self, owner: &SessionOwner, mut progress: Progress) -> Option<Progress> {
        let look = timeout(PATIENCE, self.catch_up(owner, &mut progress));
        match self.shutdown.run_until_cancelled(look).await {
            Some(Ok(Ok(true))) => return None,
            Some(Ok(Ok(false)) | Err(_)) => info!("there is more to catch up with; it follows"),
            Some(Ok(Err(error))) => debug!(error = %error, "a session did not catch up"),
            None => {}
        }
        Some(progress)
    }
}
