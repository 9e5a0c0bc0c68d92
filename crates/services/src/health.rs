//! Whether sessions are as well as the engine says.

use std::{sync::Arc, time::Duration};

use mf_domain::{EventName, SessionId, SessionStatus};
use mf_engine::{EngineError, SessionKey};
use mf_store::{ReportedStatus, SessionOwner, StoreResult, Tenant};
use tokio::{task::JoinSet, time::sleep};
use tracing::{Instrument, debug, info_span, warn};

use crate::{ServiceError, Services, SessionRefused, work};

/// What is shown of an account that WhatsApp has restricted.
pub(crate) const RESTRICTED: &str =
    "WhatsApp has restricted this account: it may not start new conversations at present.";
/// Sessions that are looked at together.
const AT_A_TIME: usize = 16;
/// Sessions that are told of before the next are looked for.
const BATCH: i64 = 16;
/// A session that did not answer is asked again after this part of the silence that it is
/// allowed,
const SECOND_QUESTION: u32 = 60;
/// and after so long at most.
const SECOND_QUESTION_WITHIN: Duration = Duration::from_secs(5);
/// What is shown of a session that is given up as disconnected, if nothing is known.
const AWAY: &str = "The connection to WhatsApp was lost, and has not come back yet.";

/// What it says about a session that something was asked through it.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    /// WhatsApp answered.
    Alive,
    /// It did not, although the engine is there.
    Dead,
    /// The engine does not call it working either.
    Elsewhere(SessionStatus),
    /// Nothing: the question did not get as far.
    Nothing,
}

impl Finding {
    fn of(probe: &Result<(), EngineError>) -> Self {
        match probe {
            // A refusal by WhatsApp is an answer, too.
            Ok(())
            | Err(
                EngineError::AccountRestricted | EngineError::Throttled | EngineError::BadRecipient,
            ) => Self::Alive,
            Err(EngineError::NotReady {
                status: Some(status),
            }) if *status != SessionStatus::Working => Self::Elsewhere(*status),
            Err(
                EngineError::Timeout
                | EngineError::Failed { .. }
                | EngineError::Interrupted
                | EngineError::NotReady { .. }
                | EngineError::SessionMissing,
            ) => Self::Dead,
            // The engine is away, or does not understand us: no session is to suffer for that.
            Err(
                EngineError::Unreachable
                | EngineError::Refused
                | EngineError::Rejected { .. }
                | EngineError::Unsupported { .. },
            ) => Self::Nothing,
        }
    }
}

impl Services {
    /// Asks something through every working session of which nothing was heard for long, and
    /// restarts those that do not answer: engines go on calling dead sessions working. As soon
    /// as one has answered, the next is asked, however long the others take.
    pub async fn probe_silent_sessions(self: &Arc<Self>) -> StoreResult<()> {
        let mut probes = JoinSet::new();
        let outcome = self.probe_all(&mut probes).await;
        work::drain(&mut probes).await;
        outcome
    }

    async fn probe_all(self: &Arc<Self>, probes: &mut JoinSet<()>) -> StoreResult<()> {
        loop {
            let free = AT_A_TIME.saturating_sub(probes.len());
            let silence = self.settings.watchdog_silence;
            let mut tx = self
                .store
                .system("sessions of every tenant may be silent")
                .await?;
            let limit = i64::try_from(free).unwrap_or(0);
            let silent = tx.silent_sessions(silence, limit).await?;
            tx.commit().await?;
            let all = silent.len() < free;
            for owner in silent {
                let services = Arc::clone(self);
                let span = info_span!("probe", session.id = %owner.id);
                let probe = async move {
                    if let Err(error) = services.examine(&owner).await {
                        warn!(error = %error, "a silent session was not examined");
                    }
                };
                probes.spawn(probe.instrument(span));
            }
            if all || self.shutdown.is_cancelled() {
                return Ok(());
            }
            work::next(probes).await;
        }
    }

    async fn examine(&self, owner: &SessionOwner) -> Result<(), SessionRefused> {
        let asked = match self.session(owner.tenant, owner.id).await {
            Err(SessionRefused::NotFound) => return Ok(()),
            session => session?,
        };
        let mut finding = self.ask(owner.id).await;
        if finding == Finding::Dead {
            // One question may have been lost, or WhatsApp been slow for a moment.
            let pause =
                (self.settings.watchdog_silence / SECOND_QUESTION).min(SECOND_QUESTION_WITHIN);
            if self
                .shutdown
                .run_until_cancelled(sleep(pause))
                .await
                .is_none()
            {
                return Ok(());
            }
            finding = self.ask(owner.id).await;
        }
        let outcome = match finding {
            Finding::Alive => "alive",
            Finding::Dead => "dead",
            Finding::Elsewhere(_) => "elsewhere",
            Finding::Nothing => "nothing",
        };
        metrics::counter!("session_probes_total", "outcome" => outcome).increment(1);
        match finding {
            Finding::Alive => {
                let mut tx = self.store.begin(owner.tenant).await?;
                tx.sessions().proved_alive(owner.id).await?;
                tx.commit().await?;
                Ok(())
            }
            Finding::Dead => self.revive(owner, &asked).await,
            Finding::Elsewhere(status) => {
                let report = ReportedStatus {
                    status: Some(status),
                    // What a callback said meanwhile is newer.
                    only_from: Some(SessionStatus::Working),
                    ..ReportedStatus::default()
                };
                let mut tx = self.store.begin(owner.tenant).await?;
                self.report_status(&mut tx, owner.id, &report).await?;
                tx.commit().await?;
                Ok(())
            }
            Finding::Nothing => Ok(()),
        }
    }

    /// What one question says about a session.
    async fn ask(&self, id: SessionId) -> Finding {
        let probe = self.engine.probe(&SessionKey::of(id)).await;
        let finding = Finding::of(&probe);
        if let Err(error) = &probe {
            debug!(error = %error, ?finding, "a session was probed");
        }
        if finding == Finding::Dead && self.engine.ping().await.is_err() {
            // Nothing answers there, so it is not about this session.
            return Finding::Nothing;
        }
        finding
    }

    /// Whether WhatsApp answers through a session, for those who must not believe the engine.
    pub(crate) async fn answers(&self, id: SessionId) -> bool {
        let probe = self.engine.probe(&SessionKey::of(id)).await;
        Finding::of(&probe) == Finding::Alive
    }

    /// Tells of those sessions that they are disconnected that were away for longer than the
    /// operator's patience. Engines reconnect on purpose, and nobody wants to hear of that.
    pub async fn tell_overdue_disconnects(&self) -> Result<(), ServiceError> {
        let grace = self.settings.disconnect_grace;
        loop {
            let mut tx = self
                .store
                .system("sessions of every tenant may be away")
                .await?;
            let overdue = tx.overdue_disconnects(grace, BATCH).await?;
            tx.commit().await?;
            if overdue.is_empty() {
                return Ok(());
            }
            for (tenant, id) in overdue {
                self.tell_disconnect(tenant, id, grace).await?;
            }
        }
    }

    async fn tell_disconnect(
        &self,
        tenant: Tenant,
        id: SessionId,
        grace: Duration,
    ) -> Result<(), ServiceError> {
        let mut tx = self.store.begin(tenant).await?;
        let Some(mut change) = tx.sessions().disconnect(id, grace).await? else {
            return Ok(());
        };
        if change.session.last_error.is_none() {
            tx.sessions().note_error(id, Some(AWAY)).await?;
            change.session.last_error = Some(AWAY.to_owned());
        }
        let name = EventName::SessionDisconnected;
        self.tell_session(&mut tx, name, &change.session, change.before)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Notes that WhatsApp does not let an account write to people it has not talked with. Told
    /// once, however many messages are refused for it.
    pub async fn note_restriction(
        &self,
        tenant: Tenant,
        session: SessionId,
    ) -> Result<(), ServiceError> {
        self.say_restricted(tenant, session, true).await
    }

    /// Notes that an account wrote to somebody new: WhatsApp lets it again.
    pub async fn clear_restriction(
        &self,
        tenant: Tenant,
        session: SessionId,
    ) -> Result<(), ServiceError> {
        self.say_restricted(tenant, session, false).await
    }

    async fn say_restricted(
        &self,
        tenant: Tenant,
        id: SessionId,
        restricted: bool,
    ) -> Result<(), ServiceError> {
        let mut tx = self.store.begin(tenant).await?;
        let Some(mut session) = tx.sessions().lookup(id).await? else {
            return Ok(());
        };
        let shown = session.last_error.as_deref() == Some(RESTRICTED);
        // Where it does not work, there is a graver reason to show.
        if shown == restricted || restricted && session.status != SessionStatus::Working {
            return Ok(());
        }
        let reason = restricted.then_some(RESTRICTED);
        if tx.sessions().note_error(id, reason).await? {
            session.last_error = reason.map(str::to_owned);
            let status = session.status;
            self.tell_session(&mut tx, EventName::SessionStatus, &session, status)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use mf_domain::SessionStatus;
    use mf_engine::EngineError;

    use super::Finding;

    #[test]
    fn only_silence_behind_a_present_engine_condemns_a_session() {
        let finding = |error| Finding::of(&Err(error));
        let detail = String::new;
        assert_eq!(Finding::of(&Ok(())), Finding::Alive);
        assert_eq!(finding(EngineError::Throttled), Finding::Alive);
        assert_eq!(finding(EngineError::Timeout), Finding::Dead);
        let failed = EngineError::Failed { detail: detail() };
        assert_eq!(finding(failed), Finding::Dead);
        assert_eq!(finding(EngineError::SessionMissing), Finding::Dead);
        for error in [
            EngineError::Unreachable,
            EngineError::Refused,
            EngineError::Rejected { detail: detail() },
        ] {
            assert_eq!(finding(error), Finding::Nothing);
        }
        let failed = EngineError::NotReady {
            status: Some(SessionStatus::Failed),
        };
        assert_eq!(finding(failed), Finding::Elsewhere(SessionStatus::Failed));
    }
}
