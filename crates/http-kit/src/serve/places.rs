use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tracing::warn;

/// How often it is said that there is no place left.
const COMPLAIN_EVERY: Duration = Duration::from_mins(1);

/// Room for so many connections at a time. Without a limit, whoever opens enough of them takes
/// the last file that the process may open, and with it the way to the database.
pub(super) struct Places {
    free: Arc<Semaphore>,
    complained: Option<Instant>,
}

impl Places {
    pub(super) fn of(count: usize) -> Self {
        let count = count.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(count)),
            complained: None,
        }
    }

    /// A place, as soon as there is one. `None` is never: places are given as long as this is.
    pub(super) async fn take(&mut self) -> Option<OwnedSemaphorePermit> {
        if self.free.available_permits() == 0 {
            self.complain();
        }
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    fn complain(&mut self) {
        let now = Instant::now();
        if self.complained.is_none_or(|at| now >= at + COMPLAIN_EVERY) {
            self.complained = Some(now);
            warn!("there are as many connections as there may be; new ones wait");
        }
    }
}
