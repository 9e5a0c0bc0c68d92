//! What the engine reports, taken in: one transaction each, repeats harmless, in any order.

mod message;
mod report;
mod told;

use std::time::Duration;

use chrono::TimeDelta;
use mf_domain::{SessionId, SessionStatus};
use mf_engine::{Callback, CallbackError, EngineEvent, SessionKey, StatusReport};
use mf_store::{NewRejected, RejectedCallback, ReportedStatus, SessionOwner, StoreError, TenantTx};
use tracing::{debug, warn};
use uuid::Uuid;

pub(crate) use message::Freshness;

use crate::{ServiceError, Services};

/// How often a callback is taken in that something else is in the way of, before the engine is
/// told to come again.
const ATTEMPTS: usize = 3;
/// How long a report waits for its turn among its tenant's, before the engine is told to come
/// again: as long as for a connection.
const PLACE_WITHIN: Duration = Duration::from_secs(5);
/// For how long a report says something of how a session is.
const PROOF_LASTS: TimeDelta = TimeDelta::minutes(1);
/// Why a callback is kept that could be read.
const UNSTORABLE: &str = "the database cannot hold what it says";

/// Why a callback is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum CallbackRefused {
    /// No such session: it was removed, or never was.
    #[error("Session not found")]
    UnknownSession,
    /// Nobody we know sent it.
    #[error("The signature is missing or wrong")]
    BadSignature,
    /// It was kept before, and still cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// Something beneath failed; the engine shall try again.
    #[error(transparent)]
    Failed(#[from] ServiceError),
}

impl CallbackRefused {
    /// Whether the database cannot hold what the callback says, whenever it is tried.
    fn is_data(&self) -> bool {
        matches!(self, Self::Failed(ServiceError::Store(error)) if error.is_data())
    }
}

impl From<StoreError> for CallbackRefused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Services {
    /// Takes in what the engine reports of a session. When this returns `Ok`, it is on disk;
    /// a repeat changes nothing. What cannot be read is kept.
    ///
    /// `header` looks up a request header by its lower-case name.
    pub async fn take_callback(
        &self,
        session: SessionId,
        header: &(dyn Fn(&str) -> Option<String> + Sync),
        body: &[u8],
    ) -> Result<(), CallbackRefused> {
        let mut tx = self
            .store
            .system("a callback names a session, not its tenant")
            .await?;
        let owner = tx.session_owner(session).await?;
        tx.commit().await?;
        let owner = owner.ok_or(CallbackRefused::UnknownSession)?;
        let secret = self
            .vault
            .open(session.uuid().as_bytes(), &owner.callback_secret)
            .map_err(ServiceError::from)?;
        let read = {
            use secrecy::ExposeSecret as _;
            self.engine
                .read_callback(secret.expose_secret(), &|name| header(name), body)
        };
        match read {
            Ok(callback) if callback.session == SessionKey::of(session) => {
                match self.take_in(&owner, &callback).await {
                    // Trying again would not help.
                    Err(error) if error.is_data() => {
                        self.keep_rejected(&owner, UNSTORABLE, body).await
                    }
                    outcome => outcome,
                }
            }
            Ok(_) => {
                self.keep_rejected(&owner, "it names another session", body)
                    .await
            }
            Err(CallbackError::Unreadable { reason }) => {
                self.keep_rejected(&owner, &reason, body).await
            }
            Err(CallbackError::BadSignature) => {
                metrics::counter!("engine_callbacks_total", "outcome" => "bad_signature")
                    .increment(1);
                Err(CallbackRefused::BadSignature)
            }
        }
    }

    async fn keep_rejected(
        &self,
        owner: &SessionOwner,
        reason: &str,
        body: &[u8],
    ) -> Result<(), CallbackRefused> {
        warn!(session.id = %owner.id, reason, "a callback cannot be read; it was kept");
        metrics::counter!("engine_callbacks_total", "outcome" => "rejected").increment(1);
        let mut tx = self.store.begin(owner.tenant).await?;
        let id: Uuid = self.ids.mint();
        let rejected = NewRejected {
            id,
            session_id: owner.id,
            reason,
            body,
        };
        tx.rejected_callbacks().add(&rejected).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes in what was kept because it could not be read: a later version may read it. Its
    /// signature was found good when it came.
    pub async fn take_again(&self, rejected: &RejectedCallback) -> Result<(), CallbackRefused> {
        let mut tx = self.store.system("the operator tries it again").await?;
        let owner = tx.session_owner(rejected.session_id).await?;
        tx.commit().await?;
        let owner = owner.ok_or(CallbackRefused::UnknownSession)?;
        let read = self.engine.read_kept_callback(&rejected.body);
        let callback = read.map_err(|error| CallbackRefused::Unreadable(error.to_string()))?;
        if callback.session != SessionKey::of(owner.id) {
            let reason = "it names another session".to_owned();
            return Err(CallbackRefused::Unreadable(reason));
        }
        match self.take_in(&owner, &callback).await {
            Err(error) if error.is_data() => {
                Err(CallbackRefused::Unreadable(UNSTORABLE.to_owned()))
            }
            outcome => outcome,
        }
    }

    /// Takes in a callback; again, where another transaction was in the way.
    async fn take_in(
        &self,
        owner: &SessionOwner,
        callback: &Callback,
    ) -> Result<(), CallbackRefused> {
        for _ in 1..ATTEMPTS {
            match self.take_in_once(owner, callback).await {
                Err(CallbackRefused::Failed(ServiceError::Store(error))) if error.is_conflict() => {
                    metrics::counter!("engine_callbacks_total", "outcome" => "repeated")
                        .increment(1);
                }
                outcome => return outcome,
            }
        }
        self.take_in_once(owner, callback).await
    }

    async fn take_in_once(
        &self,
        owner: &SessionOwner,
        callback: &Callback,
    ) -> Result<(), CallbackRefused> {
        let place = self.reports.place(owner.tenant.id(), PLACE_WITHIN).await;
        let _place = place.ok_or_else(StoreError::busy)?;
        let mut tx = self.store.begin(owner.tenant).await?;
        let outcome = match self.take_event(&mut tx, owner, callback).await {
            Ok(outcome) => outcome,
            // Its twin was a moment quicker: then everything is there already.
            Err(ServiceError::Store(error)) if error.is_constraint("message_wa_message_id_key") => {
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        tx.commit().await?;
        metrics::counter!("engine_callbacks_total", "outcome" => outcome).increment(1);
        if matches!(&callback.event, EngineEvent::Status(report)
            if report.status == Some(SessionStatus::Working))
        {
            self.store.wake().ring_outbox();
            self.catch_up_soon.notify_one();
        }
        Ok(())
    }

    async fn take_event(
        &self,
        tx: &mut TenantTx,
        owner: &SessionOwner,
        callback: &Callback,
    ) -> Result<&'static str, ServiceError> {
        if let EngineEvent::Status(report) = &callback.event {
            // The engine may say so of a session that is dead.
            tx.sessions().seen_to_report(owner.id).await?;
            self.take_status(tx, owner, callback, report).await?;
            return Ok("status");
        }
        let session = owner.id;
        if self.proves_life(callback) {
            tx.sessions().proved_alive(session).await?;
        } else {
            tx.sessions().hold(session).await?;
        }
        let at = callback.at.unwrap_or_else(|| self.clock.now());
        Ok(match &callback.event {
            EngineEvent::Message(message) => {
                self.take_message(tx, session, message, Freshness::Live)
                    .await?;
                "message"
            }
            EngineEvent::Ack {
                id,
                from_me,
                status,
                ..
            } => {
                if *from_me {
                    self.take_ack(tx, session, id, *status, at).await?;
                } else {
                    self.take_own_reading(tx, session, id, *status, at).await?;
                }
                "ack"
            }
            EngineEvent::Reaction(reaction) => {
                self.take_reaction(tx, session, reaction).await?;
                "reaction"
            }
            EngineEvent::Edited { message, text, at } => {
                self.take_edit(tx, session, message, text, *at).await?;
                "edit"
            }
            EngineEvent::Revoked { message, at } => {
                self.take_revocation(tx, session, message, *at).await?;
                "revocation"
            }
            EngineEvent::PollVote(vote) => {
                self.take_vote(tx, session, vote).await?;
                "vote"
            }
            EngineEvent::Group(report) => {
                self.take_group(tx, session, report).await?;
                "group"
            }
            EngineEvent::Label(report) => {
                self.take_label(tx, session, report).await?;
                "label"
            }
            EngineEvent::Call(report) => {
                self.take_call(tx, session, report).await?;
                "call"
            }
            EngineEvent::Presence(report) => {
                self.take_presence(tx, session, report).await?;
                "presence"
            }
            EngineEvent::Status(_) => "status",
            EngineEvent::Ignored { name } => {
                debug!(
                    event = name,
                    "the engine reported something this server does not act on"
                );
                "ignored"
            }
        })
    }

    /// Whether only WhatsApp can have caused this, and just now. The engine reports what this
    /// account does before WhatsApp has it, and repeats for a day what it could not deliver.
    fn proves_life(&self, callback: &Callback) -> bool {
        let late = callback
            .at
            .is_some_and(|at| self.clock.now() - at > PROOF_LASTS);
        let by_whatsapp = match &callback.event {
            EngineEvent::Status(_) | EngineEvent::Ignored { .. } => false,
            EngineEvent::Message(message) => !message.from_me && !message.via_api,
            EngineEvent::Reaction(reaction) => !reaction.from_me,
            EngineEvent::PollVote(vote) => !vote.from_me,
            EngineEvent::Edited { message, .. } | EngineEvent::Revoked { message, .. } => {
                !message.from_me
            }
            EngineEvent::Ack { .. }
            | EngineEvent::Group(_)
            | EngineEvent::Label(_)
            | EngineEvent::Call(_)
            | EngineEvent::Presence(_) => true,
        };
        by_whatsapp && !late
    }

    async fn take_status(
        &self,
        tx: &mut TenantTx,
        owner: &SessionOwner,
        callback: &Callback,
        report: &StatusReport,
    ) -> Result<(), ServiceError> {
        let me = callback.me.as_ref();
        // What may have caused a failure, the session's own history says better.
        let error = report
            .status
            .is_none()
            .then(|| format!("The engine reports the state {}.", report.raw));
        let reported = ReportedStatus {
            status: report.status,
            phone: me.and_then(|me| me.phone.clone()),
            push_name: me.and_then(|me| me.push_name.clone()),
            lid: me.and_then(|me| Some(me.lid.as_ref()?.user().to_owned())),
            since: report.since.or(callback.at),
            error,
            only_from: None,
        };
        self.report_status(tx, owner.id, &reported).await
    }
}
