//! What the engine reports, taken in: one transaction each, repeats harmless, in any order.

mod message;
mod report;
mod told;

use mf_domain::{SessionId, SessionStatus};
use mf_engine::{Callback, CallbackError, EngineEvent, SessionKey, StatusReport};
use mf_store::{NewRejected, RejectedCallback, ReportedStatus, SessionOwner, StoreError, TenantTx};
use tracing::{debug, warn};
use uuid::Uuid;

pub(crate) use message::Freshness;

use crate::{ServiceError, Services};

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
                self.take_in(&owner, &callback).await?;
                Ok(())
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
        self.take_in(&owner, &callback).await
    }

    async fn take_in(
        &self,
        owner: &SessionOwner,
        callback: &Callback,
    ) -> Result<(), CallbackRefused> {
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
            tx.sessions().seen(owner.id).await?;
            self.take_status(tx, owner, callback, report).await?;
            return Ok("status");
        }
        // Only WhatsApp can have caused the rest.
        tx.sessions().proved_alive(owner.id).await?;
        let at = callback.at.unwrap_or_else(|| self.clock.now());
        let session = owner.id;
        Ok(match &callback.event {
            EngineEvent::Message(message) => {
                self.take_message(tx, owner.id, message, Freshness::Live)
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
                self.take_edit(tx, session, &message.id, text, *at).await?;
                "edit"
            }
            EngineEvent::Revoked { message, at } => {
                self.take_revocation(tx, session, &message.id, *at).await?;
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
