use chrono::{DateTime, SubsecRound as _, Utc};
use mf_domain::{ContactId, EventId, EventName, MessageId, SessionId, SessionStatus};
use mf_store::{Message, NewEvent, Session, TenantTx};
use serde::Serialize;
use serde_json::Value;

use crate::{ServiceError, Services, content::Extra};

/// What webhooks and streams carry: the same bytes for both, written once, with the change.
#[derive(Debug, Serialize)]
pub struct Envelope<'a, D> {
    /// The event's id. `None` for what is in no log: a snapshot.
    pub id: Option<EventId>,
    /// What happened, such as `message.received`.
    pub event: &'a str,
    /// When, RFC 3339.
    pub timestamp: DateTime<Utc>,
    /// What there is to say about it.
    pub data: D,
}

/// The `data` of what happens to a session.
#[derive(Debug, Serialize)]
pub struct SessionStatusData<'a> {
    session_id: SessionId,
    name: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_status: Option<&'static str>,
    phone_number: Option<&'a str>,
    push_name: Option<&'a str>,
    reason: Option<&'a str>,
}

impl<'a> SessionStatusData<'a> {
    /// What there is to say about where a session stands, and where it stood.
    pub fn new(session: &'a Session, previous: Option<SessionStatus>) -> Self {
        Self {
            session_id: session.id,
            name: &session.name,
            status: session.status.as_str(),
            previous_status: previous.map(SessionStatus::as_str),
            phone_number: session.phone_number.as_deref(),
            push_name: session.push_name.as_deref(),
            reason: session.last_error.as_deref(),
        }
    }
}

/// The `data` of what happens to a message: the documented fields first, where `chat_id` is
/// WhatsApp's; then the rest of the message, and whom it is with by both their names.
#[derive(Serialize)]
struct MessageData<'a> {
    session_id: SessionId,
    chat_id: &'a str,
    message: Option<&'a str>,
    direction: &'static str,
    message_id: MessageId,
    wa_chat_id: &'a str,
    wa_message_id: Option<&'a str>,
    message_type: &'static str,
    content: Option<&'a str>,
    content_preview: Option<&'a str>,
    status: &'static str,
    media: Option<Value>,
    #[serde(flatten)]
    extra: Extra,
    sender_phone: Option<&'a str>,
    sender_lid: Option<&'a str>,
    sender_name: Option<&'a str>,
    contact_id: Option<ContactId>,
    contact_phone: Option<&'a str>,
    contact_lid: Option<&'a str>,
    is_group: bool,
    reply_to: Option<&'a str>,
    error: Option<&'a str>,
    sent_at: Option<DateTime<Utc>>,
    delivered_at: Option<DateTime<Utc>>,
    read_at: Option<DateTime<Utc>>,
    edited_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl<'a> MessageData<'a> {
    fn new(message: &'a Message, media: Option<Value>) -> Self {
        Self {
            session_id: message.session_id,
            chat_id: &message.wa_chat_id,
            message: message.content.as_deref(),
            direction: message.direction.as_str(),
            message_id: message.id,
            wa_chat_id: &message.wa_chat_id,
            wa_message_id: message.wa_message_id.as_deref(),
            message_type: message.message_type.as_str(),
            content: message.content.as_deref(),
            content_preview: message.content_preview.as_deref(),
            status: message.status.as_str(),
            media,
            extra: Extra::of(message.extra.as_ref()),
            sender_phone: message.sender_phone.as_deref(),
            sender_lid: message.sender_lid.as_deref(),
            sender_name: message.sender_name.as_deref(),
            contact_id: message.contact_id,
            contact_phone: message.contact_phone.as_deref(),
            contact_lid: message.contact_lid.as_deref(),
            is_group: message.is_group,
            reply_to: message.reply_to.as_deref(),
            error: message.error.as_deref(),
            sent_at: message.sent_at,
            delivered_at: message.delivered_at,
            read_at: message.read_at,
            edited_at: message.edited_at,
            revoked_at: message.revoked_at,
            created_at: message.created_at,
        }
    }
}

impl Services {
    /// Writes, with the change itself, that something happened to a message.
    pub(crate) async fn tell_message(
        &self,
        tx: &mut TenantTx,
        name: EventName,
        message: &Message,
    ) -> Result<(), ServiceError> {
        let media = self.shown_media(message.media.as_ref());
        let data = MessageData::new(message, media);
        self.tell(tx, name, message.session_id, &data).await
    }

    /// Writes, with the change itself, that a session stands elsewhere now.
    pub(crate) async fn tell_session(
        &self,
        tx: &mut TenantTx,
        name: EventName,
        session: &Session,
        previous: SessionStatus,
    ) -> Result<(), ServiceError> {
        self.tell(
            tx,
            name,
            session.id,
            &SessionStatusData::new(session, Some(previous)),
        )
        .await
    }

    /// Writes, with the change itself, that something happened in a session.
    pub(crate) async fn tell(
        &self,
        tx: &mut TenantTx,
        name: EventName,
        session: SessionId,
        data: &impl Serialize,
    ) -> Result<(), ServiceError> {
        let event = self.event(name, Some(session), data)?;
        tx.events().append(&event).await?;
        Ok(())
    }

    /// An event as it will be told, everywhere and for ever.
    pub(crate) fn event(
        &self,
        name: EventName,
        session_id: Option<SessionId>,
        data: &impl Serialize,
    ) -> Result<NewEvent, ServiceError> {
        let id = self.ids.mint();
        let envelope = Envelope {
            id: Some(id),
            event: name.as_str(),
            // As precise as the database's own times.
            timestamp: self.clock.now().trunc_subsecs(6),
            data,
        };
        let body = serde_json::to_string(&envelope)
            .map_err(|_| ServiceError::Internal("an event could not be serialised"))?;
        Ok(NewEvent {
            id,
            session_id,
            name,
            body,
        })
    }
}
