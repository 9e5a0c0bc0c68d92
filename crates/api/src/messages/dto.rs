use chrono::{DateTime, Utc};
use mf_domain::{ChatId, Invalid, Jid, JidKind, MessageText, PhoneNumber};
use mf_http_kit::{Faults, Input};
use mf_services::Recipient;
use mf_store::Message;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A text to send.
#[derive(Deserialize, ToSchema)]
pub(crate) struct MessageSend {
    /// Through which session.
    pub(crate) session_id: Uuid,
    /// To whom: WhatsApp's id of the chat, such as `15551234567@c.us` or `…@g.us`, or the
    /// chat's UUID. One of `chat_id` and `phone` is required.
    #[schema(max_length = 128, example = "15551234567@c.us")]
    pub(crate) chat_id: Option<String>,
    /// To whom: the number with its country code.
    #[schema(max_length = 64, example = "15551234567")]
    pub(crate) phone: Option<String>,
    /// What: 1 to 4,096 characters.
    #[schema(min_length = 1, max_length = 4096, example = "Hello from MoltFlow")]
    pub(crate) message: String,
    /// The message that it answers: its id here or at WhatsApp.
    #[schema(max_length = 128)]
    pub(crate) reply_to: Option<String>,
    #[serde(default)]
    #[schema(ignore)]
    media_url: Option<Value>,
    #[serde(default)]
    #[schema(ignore)]
    media_base64: Option<Value>,
    /// Whether it may wait where the engine is away. `false` asks for an error instead.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(crate) queue: bool,
}

const fn yes() -> bool {
    true
}

impl MessageSend {
    /// Whether more than text is to be sent. Nothing may be left out silently.
    pub(crate) const fn has_media(&self) -> bool {
        self.media_url.is_some() || self.media_base64.is_some()
    }

    /// To whom it goes; with the field that says it wrongly.
    pub(crate) fn recipient(&self) -> Result<Recipient, (&'static str, Invalid)> {
        match (&self.chat_id, &self.phone) {
            (Some(chat), _) => recipient(chat).map_err(|invalid| ("chat_id", invalid)),
            (None, Some(phone)) => PhoneNumber::parse(phone)
                .map(|phone| Recipient::Jid(Jid::person(&phone)))
                .map_err(|invalid| ("phone", invalid)),
            (None, None) => Err((
                "phone",
                Invalid::new("value_error.missing", "field required"),
            )),
        }
    }
}

impl Input for MessageSend {
    const ONE_OF: &'static [&'static [&'static str]] = &[&["phone", "chat_id"]];

    fn check(&self, faults: &mut Faults) {
        if let Err((field, invalid)) = self.recipient() {
            faults.add(field, invalid);
        }
        faults.keep("message", MessageText::parse(self.message.as_str()));
    }
}

/// A chat by WhatsApp's id, by ours, or, as some clients do, by the bare number.
fn recipient(chat: &str) -> Result<Recipient, Invalid> {
    if let Ok(id) = Uuid::try_parse(chat) {
        return Ok(Recipient::Chat(ChatId::from(id)));
    }
    if !chat.contains('@')
        && let Ok(phone) = PhoneNumber::parse(chat)
    {
        return Ok(Recipient::Jid(Jid::person(&phone)));
    }
    let jid = Jid::parse(chat)?;
    if jid.kind() == JidKind::Broadcast {
        return Err(Invalid::new(
            "value_error.chat_id",
            "broadcast lists and status updates cannot be written to",
        ));
    }
    Ok(Recipient::Jid(jid))
}

/// A message, in either direction.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessageOut {
    id: Uuid,
    session_id: Uuid,
    /// The chat's id here.
    chat_id: Uuid,
    /// The chat's id at WhatsApp.
    #[schema(example = "15551234567@c.us")]
    wa_chat_id: String,
    /// The message's bare id at WhatsApp, once known.
    #[schema(example = "3EB0C431C26A1916E07A12")]
    wa_message_id: Option<String>,
    /// `inbound` or `outbound`.
    direction: &'static str,
    #[schema(example = "text")]
    message_type: &'static str,
    content: Option<String>,
    /// The first 500 characters.
    content_preview: Option<String>,
    /// `pending`, `sent`, `delivered`, `read`, `played` or `failed`; never backwards.
    status: &'static str,
    #[schema(value_type = Option<Object>)]
    media: Option<Value>,
    sender_phone: Option<String>,
    sender_name: Option<String>,
    is_group: bool,
    /// Why it failed.
    error: Option<String>,
    sent_at: Option<DateTime<Utc>>,
    delivered_at: Option<DateTime<Utc>>,
    read_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<Message> for MessageOut {
    fn from(message: Message) -> Self {
        Self {
            id: message.id.uuid(),
            session_id: message.session_id.uuid(),
            chat_id: message.chat_id.uuid(),
            wa_chat_id: message.wa_chat_id,
            wa_message_id: message.wa_message_id,
            direction: message.direction.as_str(),
            message_type: message.message_type.as_str(),
            content: message.content,
            content_preview: message.content_preview,
            status: message.status.as_str(),
            media: message.media,
            sender_phone: message.sender_phone,
            sender_name: message.sender_name,
            is_group: message.is_group,
            error: message.error,
            sent_at: message.sent_at,
            delivered_at: message.delivered_at,
            read_at: message.read_at,
            created_at: message.created_at,
        }
    }
}

/// A message that was taken on, in both documented forms at once.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessageSentOut {
    #[serde(flatten)]
    message: MessageOut,
    /// Always true: it was taken on.
    success: bool,
    result: SendResult,
}

/// What the guide calls the result.
#[derive(Serialize, ToSchema)]
pub(crate) struct SendResult {
    key: SendKey,
}

/// How WhatsApp names the message.
#[derive(Serialize, ToSchema)]
pub(crate) struct SendKey {
    /// Its bare id, once known.
    id: Option<String>,
    /// The chat's id at WhatsApp.
    #[serde(rename = "remoteJid")]
    remote_jid: String,
}

impl From<Message> for MessageSentOut {
    fn from(message: Message) -> Self {
        let key = SendKey {
            id: message.wa_message_id.clone(),
            remote_jid: message.wa_chat_id.clone(),
        };
        Self {
            message: message.into(),
            success: true,
            result: SendResult { key },
        }
    }
}
