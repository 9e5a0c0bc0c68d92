//! How a session that failed is brought back: at once, then ever less often.

use std::{sync::Arc, time::Duration};

use mf_domain::{EventName, SessionStatus};
use mf_engine::{EngineError, EngineSession, SessionSpec};
use mf_store::{ReportedStatus, Session, SessionOwner, StatusChange, StoreResult, TenantTx};
use tokio::task::JoinSet;
use tracing::{Instrument, debug, info, info_span, warn};

use super::SessionRefused;
use crate::{ServiceError, Services};

/// How long each attempt waits, in units of `Settings::recovery_base`: with its 5 seconds after
/// 5 s, 30 s, 2 min, 10 min, 30 min, and then each hour.
const LADDER: [u32; 6] = [1, 6, 24, 120, 360, 720];
/// After so many attempts, most of a day, it is tried once a day only: what has not come back by
/// then waits for a person, or for the end of somebody's long weekend.
const MOST_HOURLY: usize = 24;
/// Once a day, in the same unit.
const DAILY: u32 = 17_280;
/// Attempts at a session that never got as far as being paired. Nobody misses it.
const MOST_UNPAIRED: i32 = 3;
/// Sessions being brought back at a time.
const AT_A_TIME: i64 = 16;

const STUCK: &str = "The session did not come up within five minutes; it is being restarted.";
const NEVER_UP: &str = "The engine could not bring this session up, though it was tried several \
                        times. Start it again, or ask who runs the engine.";
/// Why a session is restarted that the engine called working.
const UNANSWERED: &str = "WhatsApp did not answer through this session, although the engine \
                          called it working; it is being restarted.";
/// Why it has failed, if that did not help.
const UNANSWERED_AGAIN: &str = "WhatsApp does not answer through this session, although the \
                                engine calls it working and it was restarted. It is tried again \
                                later.";

impl Services {
    /// Brings back the sessions that are due. While the engine is away nothing is tried, and
    /// thus nothing counted.
    pub async fn recover_sessions(self: &Arc<Self>) -> StoreResult<()> {
        let mut tx = self
            .store
            .system("sessions of every tenant are brought back")
            .await?;
        let due = tx.failed_sessions_to_recover(AT_A_TIME).await?;
        tx.commit().await?;
        if due.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.engine.ping().await {
            debug!(error = %error, "sessions wait for the engine to come back");
            return Ok(());
        }
        let mut attempts = JoinSet::new();
        for (owner, _) in due {
            let services = Arc::clone(self);
            let span = info_span!("recover", session.id = %owner.id);
            let attempt = async move {
                if let Err(error) = services.recover(&owner).await {
                    warn!(error = %error, "a session was not brought back");
                }
            };
            attempts.spawn(attempt.instrument(span));
        }
        while let Some(attempt) = attempts.join_next().await {
            if let Err(error) = attempt {
                warn!(error = %error, "a session was not brought back");
            }
        }
        Ok(())
    }

    async fn recover(&self, owner: &SessionOwner) -> Result<(), SessionRefused> {
        let _turn = self.lifecycles.ticket(owner.id).turn().await;
        let mut tx = self.store.begin(owner.tenant).await?;
        let Some(attempts) = tx.sessions().begin_recovery(owner.id).await? else {
            return Ok(());
        };
        let Some(session) = tx.sessions().lookup(owner.id).await? else {
            return Ok(());
        };
        if session.paired_at.is_none() && attempts > MOST_UNPAIRED {
            let failed = said(SessionStatus::Failed, NEVER_UP.to_owned());
            self.report_status(&mut tx, owner.id, &failed).await?;
            tx.commit().await?;
            return Ok(());
        }
        let spec = self.session_spec(&mut tx, owner.id).await?;
        let reason = session.last_error.unwrap_or_else(|| STUCK.to_owned());
        let starting = said(SessionStatus::Starting, reason);
        self.report_status(&mut tx, owner.id, &starting).await?;
        tx.commit().await?;
        info!(attempts, "a session is restarted");
        self.restart_at_engine(owner, &spec).await
    }

    /// Restarts a session through which WhatsApp does not answer. `asked` is the session as it
    /// was before that was found: whatever moved since is newer.
    pub(crate) async fn revive(
        &self,
        owner: &SessionOwner,
        asked: &Session,
    ) -> Result<(), SessionRefused> {
        let _turn = self.lifecycles.ticket(owner.id).turn().await;
        let session = match self.session(owner.tenant, owner.id).await {
            Err(SessionRefused::NotFound) => return Ok(()),
            session => session?,
        };
        let moved = session.status != SessionStatus::Working
            || session.status_since != asked.status_since
            || session.last_seen_at != asked.last_seen_at;
        if moved {
            return Ok(());
        }
        warn!(session.id = %owner.id, "a session is called working and does not answer");
        if session.recovery_attempts > 0 {
            // A restart did not help. It is not to be called working, nor restarted without end.
            let mut tx = self.store.begin(owner.tenant).await?;
            let failed = said(SessionStatus::Failed, UNANSWERED_AGAIN.to_owned());
            self.report_status(&mut tx, owner.id, &failed).await?;
            tx.commit().await?;
            return Ok(());
        }
        match self.begin_revival(owner).await? {
            Some(spec) => self.restart_at_engine(owner, &spec).await,
            None => Ok(()),
        }
    }

    /// From `working` to `starting`, counted as an attempt to bring it back: if it does not
    /// answer then either, the next ones wait. `None` where somebody moved it meanwhile.
    async fn begin_revival(
        &self,
        owner: &SessionOwner,
    ) -> Result<Option<SessionSpec>, SessionRefused> {
        let mut tx = self.store.begin(owner.tenant).await?;
        if !tx.sessions().still_wanted(owner.id).await? {
            return Ok(None);
        }
        let spec = self.session_spec(&mut tx, owner.id).await?;
        // Only what failed can be taken on. Nobody sees that it did: it is one transaction.
        let failed = ReportedStatus {
            only_from: Some(SessionStatus::Working),
            ..said(SessionStatus::Failed, UNANSWERED.to_owned())
        };
        let Some(change) = tx.sessions().report(owner.id, &failed).await? else {
            return Ok(None);
        };
        tx.sessions()
            .schedule_recovery(owner.id, Duration::ZERO)
            .await?;
        tx.sessions().begin_recovery(owner.id).await?;
        let starting = said(SessionStatus::Starting, UNANSWERED.to_owned());
        let Some(started) = tx.sessions().report(owner.id, &starting).await? else {
            return Ok(None);
        };
        self.tell_session(
            &mut tx,
            EventName::SessionStatus,
            &started.session,
            change.before,
        )
        .await?;
        tx.commit().await?;
        Ok(Some(spec))
    }

    async fn restart_at_engine(
        &self,
        owner: &SessionOwner,
        spec: &SessionSpec,
    ) -> Result<(), SessionRefused> {
        let restarted: Result<EngineSession, EngineError> = self.engine.restart(spec).await;
        let outcome = if restarted.is_ok() {
            "taken"
        } else {
            "refused"
        };
        metrics::counter!("session_recoveries_total", "outcome" => outcome).increment(1);
        let session = self.end_start(owner.tenant, owner.id, restarted).await?;
        if session.status == SessionStatus::Working {
            self.store.wake().ring_outbox();
            self.catch_up_soon.notify_one();
        }
        Ok(())
    }

    /// Says when a session that has just failed is to be brought back, if it is: one that worked
    /// and shall run. Where nobody scanned the code, a person is awaited.
    pub(crate) async fn plan_recovery(
        &self,
        tx: &mut TenantTx,
        change: &StatusChange,
    ) -> Result<(), ServiceError> {
        let session = &change.session;
        let comes_back =
            session.wanted && session.paired_at.is_some() && change.before != SessionStatus::QrCode;
        if comes_back {
            let delay = self.recovery_delay(session.recovery_attempts);
            tx.sessions().schedule_recovery(session.id, delay).await?;
        }
        Ok(())
    }

    /// How long to wait after so many attempts. Up to a fifth longer than the ladder says: what
    /// failed together shall not come back together.
    fn recovery_delay(&self, attempts: i32) -> Duration {
        let [random] = self.ids.bytes::<1>();
        let stretch = 1.0 + 0.2 * f64::from(random) / 255.0;
        (self.settings.recovery_base * units(attempts)).mul_f64(stretch)
    }
}

/// A status that we bring about, and why.
fn said(status: SessionStatus, reason: String) -> ReportedStatus {
    ReportedStatus {
        status: Some(status),
        error: Some(reason),
        ..ReportedStatus::default()
    }
}

fn units(attempts: i32) -> u32 {
    let attempts = usize::try_from(attempts).unwrap_or(0);
    let [.., hourly] = LADDER;
    if attempts >= MOST_HOURLY {
        DAILY
    } else {
        LADDER.get(attempts).copied().unwrap_or(hourly)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::units;

    #[test]
    fn attempts_come_ever_less_often_and_never_end() {
        let delay = |attempts| Duration::from_secs(5) * units(attempts);
        let first: Vec<u64> = (0..7).map(|attempts| delay(attempts).as_secs()).collect();
        assert_eq!(first, [5, 30, 120, 600, 1800, 3600, 3600]);
        assert_eq!(delay(23), Duration::from_hours(1));
        assert_eq!(delay(24), Duration::from_hours(24));
        assert_eq!(delay(i32::MAX), Duration::from_hours(24));
        assert_eq!(delay(-1), Duration::from_secs(5));
    }
}
