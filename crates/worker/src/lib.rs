//! Background work: what nobody waits for, and what must happen all the same.
//!
//! Each job is a loop that a bell wakes early and a poll wakes in any case, so that nothing
//! depends on a bell being heard. A job that fails says so and comes again; none of them
//! takes the process down.

use std::{sync::Arc, time::Duration};

use mf_services::Services;
use tokio::{task::JoinSet, time::sleep};
use tracing::{Instrument, info_span, warn};

/// How often sessions are compared with the engine's.
const RECONCILE_EVERY: Duration = Duration::from_mins(1);
/// How soon again after the engine did not answer.
const RECONCILE_AGAIN: Duration = Duration::from_secs(5);
/// How often the use of keys is written down.
const KEY_USE_EVERY: Duration = Duration::from_secs(30);
/// How often tokens that have ended are removed.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// The jobs of one process.
#[derive(Debug)]
pub struct Worker {
    jobs: JoinSet<()>,
}

impl Worker {
    /// Starts every job. They end when the services' shutdown begins.
    pub fn start(services: &Arc<Services>) -> Self {
        let mut jobs = JoinSet::new();
        jobs.spawn(outbox(Arc::clone(services)).instrument(info_span!("job.Outbox")));
        jobs.spawn(reconcile(Arc::clone(services)).instrument(info_span!("job.Reconcile")));
        jobs.spawn(key_use(Arc::clone(services)).instrument(info_span!("job.KeyUse")));
        jobs.spawn(sweep(Arc::clone(services)).instrument(info_span!("job.Sweep")));
        Self { jobs }
    }

    /// Waits until every job has finished what it holds.
    pub async fn finish(self) {
        self.jobs.join_all().await;
    }
}

/// Waits, unless the shutdown comes first: then the answer is no.
async fn pause(services: &Services, length: Duration) -> bool {
    services
        .shutdown
        .run_until_cancelled(sleep(length))
        .await
        .is_some()
}

async fn outbox(services: Arc<Services>) {
    services.run_outbox().await;
}

async fn reconcile(services: Arc<Services>) {
    loop {
        let again = match services.reconcile_sessions().await {
            Ok(()) => RECONCILE_EVERY,
            Err(error) => {
                warn!(error = %error, "sessions could not be compared with the engine's");
                RECONCILE_AGAIN
            }
        };
        if !pause(&services, again).await {
            return;
        }
    }
}

async fn key_use(services: Arc<Services>) {
    loop {
        let going_on = pause(&services, KEY_USE_EVERY).await;
        if let Err(error) = services.auth.write_down_use().await {
            warn!(error = %error, "the use of API keys could not be written down");
        }
        if !going_on {
            return;
        }
    }
}

async fn sweep(services: Arc<Services>) {
    loop {
        if let Err(error) = services.sweep().await {
            warn!(error = %error, "tokens that have ended could not be removed");
        }
        if !pause(&services, SWEEP_EVERY).await {
            return;
        }
    }
}
