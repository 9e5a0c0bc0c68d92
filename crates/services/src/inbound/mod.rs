use mf_domain::{
    Direction, EventName, JidKind, MessageStatus, SessionId, SessionStatus, WaMessageId,
};
use mf_engine::{Callback, CallbackError, EngineEvent, InboundMessage, SessionKey, StatusReport};
use mf_store::{
    ChatPeer, NewInbound, NewRejected, ReportedStatus, SessionOwner, StoreError, Stored, TenantTx,
};
use tracing::{debug, warn};
use uuid::Uuid;

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
    /// It is about a message whose id is not known yet; the engine shall try again.
    #[error("The message is not known yet")]
    TooEarly,
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

    async fn take_in(
        &self,
        owner: &SessionOwner,
        callback: &Callback,
    ) -> Result<(), CallbackRefused> {
        let mut tx = self.store.begin(owner.tenant).await?;
        tx.sessions().seen(owner.id).await?;
        let outcome = match &callback.event {
            EngineEvent::Status(report) => {
                self.take_status(&mut tx, owner, callback, report).await?;
                "status"
            }
            EngineEvent::Message(message) => match self.take_message(&mut tx, owner, message).await
            {
                Ok(()) => "message",
                // Its twin was a moment quicker: then everything is there already.
                Err(ServiceError::Store(error))
                    if error.is_constraint("message_wa_message_id_key") =>
                {
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            },
            EngineEvent::Ack {
                id,
                from_me,
                status,
                ..
            } => {
                if *from_me
                    && !self.take_ack(&mut tx, owner, id, *status).await?
                    && tx.messages().may_get_id(owner.id, id).await?
                {
                    return Err(CallbackRefused::TooEarly);
                }
                "ack"
            }
            EngineEvent::Ignored { name } => {
                debug!(
                    event = name,
                    "the engine reported something this server does not act on"
                );
                "ignored"
            }
        };
        tx.commit().await?;
        metrics::counter!("engine_callbacks_total", "outcome" => outcome).increment(1);
        if matches!(&callback.event, EngineEvent::Status(report)
            if report.status == Some(SessionStatus::Working))
        {
            self.store.wake().ring_outbox();
        }
        Ok(())
    }

    async fn take_status(
        &self,
        tx: &mut TenantTx,
        owner: &SessionOwner,
        callback: &Callback,
        report: &StatusReport,
    ) -> Result<(), ServiceError> {
        let me = callback.me.as_ref();
        let error = match report.status {
            Some(SessionStatus::Failed) => Some(reason_of_failure(owner.status).to_owned()),
            None => Some(format!("The engine reports the state {}.", report.raw)),
            Some(_) => None,
        };
        let reported = ReportedStatus {
            status: report.status,
            phone: me.and_then(|me| me.phone.clone()),
            push_name: me.and_then(|me| me.push_name.clone()),
            since: report.since.or(callback.at),
            error,
            only_from: None,
        };
        self.report_status(tx, owner.id, &reported).await
    }

    async fn take_message(
        &self,
        tx: &mut TenantTx,
        owner: &SessionOwner,
        message: &InboundMessage,
    ) -> Result<(), ServiceError> {
        let direction = if message.from_me {
            Direction::Outbound
        } else {
            Direction::Inbound
        };
        // In a group the participant wrote it; elsewhere whoever the chat is with.
        let writer = match message.chat.kind() {
            JidKind::Group | JidKind::Broadcast => message.participant.as_ref(),
            _ => Some(&message.chat),
        };
        let sender_phone = writer
            .filter(|_| !message.from_me)
            .and_then(mf_domain::Jid::phone)
            .map(|phone| phone.to_string());
        let status = match (direction, message.status) {
            (Direction::Outbound, Some(status)) if status != MessageStatus::Pending => status,
            (Direction::Outbound, _) => MessageStatus::Sent,
            (Direction::Inbound, _) => MessageStatus::Delivered,
        };
        let is_direct = !message.from_me && message.chat.kind() != JidKind::Group;
        // Postgres has no place for U+0000 in a text.
        let text = message
            .text
            .as_deref()
            .map(|text| text.replace('\0', "\u{fffd}"));
        let stored = tx
            .messages()
            .take_in(&NewInbound {
                id: self.ids.mint(),
                session_id: owner.id,
                peer: ChatPeer {
                    jid: &message.chat,
                    push_name: message.sender_name.as_deref().filter(|_| is_direct),
                },
                new_chat_id: self.ids.mint(),
                new_contact_id: self.ids.mint(),
                wa_message_id: &message.id,
                direction,
                kind: message.kind,
                content: text.as_deref(),
                status,
                sender_phone: sender_phone.as_deref(),
                sender_name: message.sender_name.as_deref().filter(|_| !message.from_me),
                reply_to: message.reply_to.as_ref().map(WaMessageId::as_str),
                sent_at: message.at,
            })
            .await?;
        match stored {
            Stored::New(new) if direction == Direction::Inbound => {
                self.tell_message(tx, EventName::MessageReceived, &new)
                    .await
            }
            Stored::New(new) => self.tell_message(tx, EventName::MessageSent, &new).await,
            // The report of one of ours is WhatsApp's word that it has it.
            Stored::Known if message.from_me => {
                self.take_ack(tx, owner, &message.id, status).await?;
                Ok(())
            }
            Stored::Known => Ok(()),
        }
    }

    /// Whether it moved a message on.
    async fn take_ack(
        &self,
        tx: &mut TenantTx,
        owner: &SessionOwner,
        id: &WaMessageId,
        status: MessageStatus,
    ) -> Result<bool, ServiceError> {
        let error =
            (status == MessageStatus::Failed).then_some("WhatsApp could not deliver the message.");
        let advanced = tx
            .messages()
            .advance(owner.id, id, status, self.clock.now(), error)
            .await?;
        let Some(advance) = advanced else {
            return Ok(false);
        };
        if advance.overtook_sent {
            // The engine's answer to the send has not been written down yet, and will have
            // nothing left to tell.
            self.tell_message(tx, EventName::MessageSent, &advance.message)
                .await?;
        }
        if let Some(name) = EventName::of_message_status(advance.message.status) {
            self.tell_message(tx, name, &advance.message).await?;
        }
        Ok(true)
    }
}

/// Engines say that a session failed, not why: where it stood before tells.
fn reason_of_failure(before: SessionStatus) -> &'static str {
    match before {
        SessionStatus::QrCode => {
            "The QR code was not scanned in time. Start the session again for a new one."
        }
        SessionStatus::Working => {
            "WhatsApp ended the connection: the phone may have logged the device out. Restart the \
             session; if it fails again, log it out and pair it anew."
        }
        _ => "The engine gave up on the session. Restart it.",
    }
}
