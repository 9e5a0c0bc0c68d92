//! Where a session stands: what is written, what is told, and why.

use mf_domain::{EventName, SessionId, SessionStatus};
use mf_engine::EngineSession;
use mf_store::{ReportedStatus, Session, StatusChange, TenantTx};
use tracing::warn;

use crate::{ServiceError, Services, health::RESTRICTED};

const LOGGED_OUT: &str = "WhatsApp logged this device out: scan the code to pair it again.";
const NOT_SCANNED: &str =
    "The QR code was not scanned in time. Start the session again for a new one.";
const LOST: &str = "WhatsApp ended the connection: the phone may have logged the device out. The \
                    session is being restarted.";
const FAILED_AGAIN: &str = "The session was restarted and failed again. It is tried once more.";
const REFUSED: &str = "WhatsApp ended the pairing, or refuses the connection: log the session out \
                       and pair it anew if it stays so.";
const GAVE_UP: &str = "The engine gave up on the session. Restart it.";

impl Services {
    /// Takes in a status, and writes with it whatever there is to tell. The reason may be left
    /// out: engines say that a session failed and not why, but what is known of it tells.
    pub(crate) async fn report_status(
        &self,
        tx: &mut TenantTx,
        id: SessionId,
        report: &ReportedStatus,
    ) -> Result<(), ServiceError> {
        let Some(known) = tx.sessions().lookup(id).await? else {
            return Ok(());
        };
        let report = explained(&known, report);
        let Some(change) = tx.sessions().report(id, &report).await? else {
            return Ok(());
        };
        self.tell_change(tx, &change).await?;
        if change.session.status == SessionStatus::Failed {
            warn!(session.id = %id, from = %change.before, "a session failed");
            self.plan_recovery(tx, &change).await?;
        }
        Ok(())
    }

    async fn tell_change(
        &self,
        tx: &mut TenantTx,
        change: &StatusChange,
    ) -> Result<(), ServiceError> {
        let (session, before) = (&change.session, change.before);
        self.tell_session(tx, EventName::SessionStatus, session, before)
            .await?;
        match (change.was_connected, change.is_connected) {
            (false, true) => {
                self.tell_session(tx, EventName::SessionConnected, session, before)
                    .await
            }
            (true, false) => {
                self.tell_session(tx, EventName::SessionDisconnected, session, before)
                    .await
            }
            _ => Ok(()),
        }
    }
}

/// A report as it is to be taken, given what is known of the session.
fn explained(known: &Session, report: &ReportedStatus) -> ReportedStatus {
    let status = report.status.map(|status| understood(known, status));
    let error = report
        .error
        .clone()
        .or_else(|| reason(known, status.unwrap_or(known.status)));
    ReportedStatus {
        status,
        error,
        ..report.clone()
    }
}

/// A session that shall run and that the engine stopped is on its way back: engines stop to
/// start again, and where they do not, we start it. One that failed waits for its next turn.
fn understood(known: &Session, reported: SessionStatus) -> SessionStatus {
    match (reported, known.status) {
        (SessionStatus::Stopped, SessionStatus::Failed) if known.wanted => SessionStatus::Failed,
        (SessionStatus::Stopped, _) if known.wanted => SessionStatus::Starting,
        _ => reported,
    }
}

/// Why a session is where it is now, if nobody says.
fn reason(known: &Session, now: SessionStatus) -> Option<String> {
    let shown = known.last_error.as_deref();
    let sentence = match now {
        // Reported again, it keeps the reason it has.
        SessionStatus::Failed | SessionStatus::Starting
            if now == known.status && shown.is_some() =>
        {
            shown
        }
        SessionStatus::Failed => Some(failure(known)),
        SessionStatus::QrCode => known.paired_at.and(Some(LOGGED_OUT)),
        // A reconnection does not lift what WhatsApp has imposed.
        SessionStatus::Starting | SessionStatus::Working => {
            shown.filter(|reason| *reason == RESTRICTED)
        }
        SessionStatus::Stopped => None,
    };
    sentence.map(str::to_owned)
}

/// Where it stood before, and how often it was tried again, tell why a session failed.
fn failure(known: &Session) -> &'static str {
    match known.status {
        SessionStatus::QrCode => NOT_SCANNED,
        _ if !known.wanted || known.paired_at.is_none() => GAVE_UP,
        _ => match known.recovery_attempts {
            0 => LOST,
            1 => FAILED_AGAIN,
            _ => REFUSED,
        },
    }
}

/// What an engine's view of a session says about its status. A state without a word of ours
/// changes nothing but the reason shown.
pub(crate) fn of_engine(session: &EngineSession) -> ReportedStatus {
    let me = session.me.as_ref();
    ReportedStatus {
        status: session.status,
        phone: me.and_then(|me| me.phone.clone()),
        lid: me.and_then(|me| Some(me.lid.as_ref()?.user().to_owned())),
        push_name: me.and_then(|me| me.push_name.clone()),
        error: session
            .status
            .is_none()
            .then(|| format!("The engine reports the state {}.", session.raw_status)),
        ..ReportedStatus::default()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::DateTime;
    use mf_domain::SessionStatus::{self, Failed, QrCode, Starting, Stopped, Working};
    use mf_store::{ReportedStatus, Session};
    use serde_json::json;
    use uuid::Uuid;

    use super::{FAILED_AGAIN, LOGGED_OUT, LOST, NOT_SCANNED, REFUSED, explained};
    use crate::health::RESTRICTED;

    /// A session that was paired, stands here, and shall run or not.
    pub(crate) fn session(status: SessionStatus, wanted: bool) -> Session {
        Session {
            id: Uuid::nil().into(),
            name: "Session".to_owned(),
            status,
            phone_number: None,
            push_name: None,
            is_business: false,
            config: json!({}),
            last_error: None,
            lid: None,
            paired_at: Some(DateTime::UNIX_EPOCH),
            caught_up_at: None,
            status_since: DateTime::UNIX_EPOCH,
            recovery_attempts: 0,
            wanted,
            last_seen_at: None,
            engine_status_at: None,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    fn taken(known: &Session, status: SessionStatus) -> (SessionStatus, Option<String>) {
        let report = ReportedStatus {
            status: Some(status),
            ..ReportedStatus::default()
        };
        let report = explained(known, &report);
        (report.status.unwrap(), report.error)
    }

    #[test]
    fn a_session_that_shall_run_is_on_its_way_back_when_the_engine_stops_it() {
        assert_eq!(taken(&session(Working, true), Stopped).0, Starting);
        assert_eq!(taken(&session(Failed, true), Stopped).0, Failed);
        assert_eq!(taken(&session(Working, false), Stopped).0, Stopped);
    }

    #[test]
    fn a_failure_is_explained_by_what_came_before_it() {
        let why = |known: &Session| taken(known, Failed).1.unwrap();
        assert_eq!(why(&session(QrCode, true)), NOT_SCANNED);
        assert_eq!(why(&session(Working, true)), LOST);
        let tried = |recovery_attempts| Session {
            recovery_attempts,
            ..session(Starting, true)
        };
        assert_eq!(why(&tried(1)), FAILED_AGAIN);
        assert_eq!(why(&tried(2)), REFUSED);
        let unpaired = Session {
            paired_at: None,
            ..session(Starting, true)
        };
        assert!(why(&unpaired).contains("gave up"));
    }

    #[test]
    fn a_code_for_a_phone_that_was_paired_says_that_it_was_logged_out() {
        assert_eq!(
            taken(&session(Starting, true), QrCode).1.unwrap(),
            LOGGED_OUT
        );
        let new = Session {
            paired_at: None,
            ..session(Starting, true)
        };
        assert_eq!(taken(&new, QrCode).1, None);
    }

    #[test]
    fn a_reason_outlives_the_repetition_and_a_restriction_the_reconnection() {
        let known = |status, reason: &str| Session {
            last_error: Some(reason.to_owned()),
            ..session(status, true)
        };
        let starting = known(Starting, "It is being restarted.");
        assert_eq!(taken(&starting, Starting).1, starting.last_error);
        assert_eq!(taken(&starting, Working).1, None);
        for status in [Working, Starting] {
            let restricted = known(Working, RESTRICTED);
            assert_eq!(taken(&restricted, status).1, restricted.last_error);
        }
    }
}
