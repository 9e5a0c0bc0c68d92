//! Background work: what nobody waits for, and what must happen all the same.
//!
//! Each job is a loop that a bell wakes early and a poll wakes in any case, so that nothing
//! depends on a bell being heard. A job that fails says so and comes again; none of them
//! takes the process down, and not even a panic ends one.

use std::{fmt::Display, panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use mf_services::{Services, Settings};
use tokio::{task::JoinSet, time::sleep};
use tracing::{Instrument, error, info_span, warn};

/// How often sessions are compared with the engine's.
const RECONCILE_EVERY: Duration = Duration::from_mins(1);
/// How soon again after the engine did not answer.
const RECONCILE_AGAIN: Duration = Duration::from_secs(5);
/// How often the use of keys is written down.
const KEY_USE_EVERY: Duration = Duration::from_secs(30);
/// How often messages are removed that were to be kept so long and no longer.
const RETENTION_EVERY: Duration = Duration::from_mins(15);
/// How often the queue of deliveries is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(15);
/// How often tables for the days to come are made, and events and deliveries removed that are
/// kept no longer.
const EVENT_DAYS_EVERY: Duration = Duration::from_hours(1);
/// How often the engine is asked whose hidden ids these are.
const HIDDEN_NUMBERS_EVERY: Duration = Duration::from_secs(10);
/// How often tokens that have ended are removed.
const SWEEP_EVERY: Duration = Duration::from_hours(1);
/// How soon a job that looped by itself begins anew.
const AFTER_A_PANIC: Duration = Duration::from_secs(1);
/// The shortest and the longest pause between two looks for what has come due.
const LOOK_EVERY: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(15)];

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The jobs of one process.
#[derive(Debug)]
pub struct Worker {
    jobs: JoinSet<()>,
}

impl Worker {
    /// Starts every job. They end when the services' shutdown begins.
    pub fn start(services: &Arc<Services>) -> Self {
        let mut jobs = JoinSet::new();
        for (name, job) in table(services) {
            jobs.spawn(job.instrument(info_span!("job", name)));
        }
        Self { jobs }
    }

    /// Waits until every job has finished what it holds.
    pub async fn finish(mut self) {
        while let Some(job) = self.jobs.join_next().await {
            if let Err(error) = job {
                error!(error = %error, "a job did not end well");
            }
        }
    }
}

/// Every job there is. Those with a bell of their own loop by themselves; the others are called
/// again and again, with a pause between.
fn table(services: &Arc<Services>) -> Vec<(&'static str, Job)> {
    let looped = |job: fn(Arc<Services>) -> Job| again_after_a_panic(services, job);
    let every = |pause, job: fn(Arc<Services>) -> Attempt| repeat(services, pause, job);
    let Settings {
        watchdog_silence,
        disconnect_grace,
        recovery_base,
        ..
    } = services.settings;
    vec![
        (
            "Outbox",
            looped(|s| Box::pin(async move { s.run_outbox().await })),
        ),
        (
            "Deliveries",
            looped(|s| Box::pin(async move { s.run_deliveries().await })),
        ),
        (
            "QueueDepth",
            every(MEASURE_EVERY, |s| {
                attempt(async move { s.measure_delivery_queue().await })
            }),
        ),
        (
            "Media",
            looped(|s| Box::pin(async move { s.run_media().await })),
        ),
        (
            "CatchUp",
            looped(|s| Box::pin(async move { s.run_catch_up().await })),
        ),
        ("Reconcile", looped(|s| Box::pin(reconcile(s)))),
        ("KeyUse", looped(|s| Box::pin(key_use(s)))),
        (
            "Sweep",
            every(SWEEP_EVERY, |s| attempt(async move { s.sweep().await })),
        ),
        (
            "MediaSweep",
            every(SWEEP_EVERY, |s| {
                attempt(async move { s.sweep_media().await })
            }),
        ),
        (
            "Retention",
            every(RETENTION_EVERY, |s| {
                attempt(async move { s.expire_messages().await })
            }),
        ),
        (
            "EventDays",
            every(EVENT_DAYS_EVERY, |s| {
                attempt(async move { s.retain_events().await })
            }),
        ),
        (
            "HiddenNumbers",
            every(HIDDEN_NUMBERS_EVERY, |s| {
                attempt(async move { s.resolve_hidden_numbers().await })
            }),
        ),
        (
            "Watchdog",
            every(part_of(watchdog_silence), |s| {
                attempt(async move { s.probe_silent_sessions().await })
            }),
        ),
        (
            "Recovery",
            every(part_of(recovery_base), |s| {
                attempt(async move { s.recover_sessions().await })
            }),
        ),
        (
            "Disconnects",
            every(part_of(disconnect_grace), |s| {
                attempt(async move { s.tell_overdue_disconnects().await })
            }),
        ),
    ]
}

type Attempt = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// One turn of a job, and what to log where it fails.
fn attempt<E: Display>(turn: impl Future<Output = Result<(), E>> + Send + 'static) -> Attempt {
    Box::pin(async { turn.await.map_err(|error| error.to_string()) })
}

/// What came of it, unless it panicked: that is said, and ends nothing else.
async fn unless_it_panics<T>(work: impl Future<Output = T>) -> Option<T> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    if done.is_err() {
        error!("a fault of this server: a turn of this job broke off; it comes again");
    }
    done.ok()
}

/// A job that loops by itself, begun anew if it panics.
fn again_after_a_panic(services: &Arc<Services>, job: fn(Arc<Services>) -> Job) -> Job {
    let services = Arc::clone(services);
    Box::pin(async move {
        while unless_it_panics(job(Arc::clone(&services))).await.is_none() {
            if !pause(&services, AFTER_A_PANIC).await {
                return;
            }
        }
    })
}

/// A turn, a pause, and so on. A turn that fails is followed by the next.
fn repeat(services: &Arc<Services>, length: Duration, turn: fn(Arc<Services>) -> Attempt) -> Job {
    let services = Arc::clone(services);
    Box::pin(async move {
        loop {
            if let Some(Err(error)) = unless_it_panics(turn(Arc::clone(&services))).await {
                warn!(error, "a turn of this job failed; it comes again");
            }
            if !pause(&services, length).await {
                return;
            }
        }
    })
}

/// How often to look for what comes due after `span`, so that it is not much later than that.
fn part_of(span: Duration) -> Duration {
    let [shortest, longest] = LOOK_EVERY;
    (span / 4).clamp(shortest, longest)
}

/// Waits, unless the shutdown comes first: then the answer is no.
async fn pause(services: &Services, length: Duration) -> bool {
    services
        .shutdown
        .run_until_cancelled(sleep(length))
        .await
        .is_some()
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

#[cfg(test)]
mod tests {
    use super::unless_it_panics;

    #[tokio::test]
    async fn a_turn_that_panics_is_over_and_the_next_one_runs() {
        let broken = unless_it_panics(async { panic!("a fault") });
        assert_eq!(broken.await, None::<u8>);
        assert_eq!(unless_it_panics(async { 1 }).await, Some(1));
    }
}
