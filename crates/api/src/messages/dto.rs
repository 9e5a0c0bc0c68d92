use chrono::{DateTime, Utc};
use mf_services::{Extra, Services};
use mf_store::Message;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::parts_dto::{CardOut, LocationOut, MediaOut, PollOut, ReactionOut, list};

/// A message, in either direction.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessageOut {
    /// Its id here.
    id: Uuid,
    /// The session that it went through.
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
    #[schema(example = "outbound")]
    direction: &'static str,
    /// `text`, `image`, `video`, `gif`, `audio`, `voice`, `document`, `sticker`, `location`,
    /// `contact`, `poll` or `unknown`.
    #[schema(example = "text")]
    message_type: &'static str,
    /// Its words: the text, or the caption. Null where the tenant keeps previews only.
    content: Option<String>,
    /// The first 500 characters.
    content_preview: Option<String>,
    /// `pending`, `sent`, `delivered`, `read`, `played` or `failed`; never backwards.
    #[schema(example = "read")]
    status: &'static str,
    /// Its file.
    #[schema(value_type = Option<MediaOut>)]
    media: Option<Value>,
    /// Its place, where it is one.
    location: Option<LocationOut>,
    /// Its contact cards, where it has some.
    contacts: Option<Vec<CardOut>>,
    /// Its question, where it is a poll.
    poll: Option<PollOut>,
    /// Who is named in its words, by WhatsApp's ids.
    mentions: Vec<String>,
    /// How people reacted, oldest first.
    reactions: Vec<ReactionOut>,
    /// Digits of who wrote it, where they are known.
    #[schema(example = "15551234567")]
    sender_phone: Option<String>,
    /// The hidden id of who wrote it, digits.
    sender_lid: Option<String>,
    /// What they call themselves.
    sender_name: Option<String>,
    /// Whom the chat is with, where that is one person.
    contact_id: Option<Uuid>,
    /// Their number, digits, where it is known.
    contact_phone: Option<String>,
    /// Their hidden id, digits, where it is known.
    contact_lid: Option<String>,
    /// Whether the chat is a group.
    is_group: bool,
    /// WhatsApp's id of the message that it answers.
    reply_to: Option<String>,
    /// Whether it is marked with a star.
    starred: bool,
    /// Why it failed.
    error: Option<String>,
    /// When WhatsApp took it, or its writer sent it.
    sent_at: Option<DateTime<Utc>>,
    /// When it reached the recipient's device.
    delivered_at: Option<DateTime<Utc>>,
    /// When it was read.
    read_at: Option<DateTime<Utc>>,
    /// When its words were last changed.
    edited_at: Option<DateTime<Utc>>,
    /// When it was taken back. Nothing of what it said is left then.
    revoked_at: Option<DateTime<Utc>>,
    /// When it was first known here.
    created_at: DateTime<Utc>,
}

impl MessageOut {
    /// A message as clients see it.
    pub(crate) fn new(message: Message, services: &Services) -> Self {
        let extra = Extra::of(message.extra.as_ref());
        let votes = list(message.poll_votes);
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
            media: services.shown_media(message.media.as_ref()),
            location: extra.location.map(LocationOut::from),
            contacts: extra
                .contacts
                .map(|cards| cards.into_iter().map(CardOut::from).collect()),
            poll: extra.poll.map(|poll| PollOut::new(poll, votes)),
            mentions: extra.mentions,
            reactions: list(message.reactions),
            sender_phone: message.sender_phone,
            sender_lid: message.sender_lid,
            sender_name: message.sender_name,
            contact_id: message.contact_id.map(Uuid::from),
            contact_phone: message.contact_phone,
            contact_lid: message.contact_lid,
            is_group: message.is_group,
            reply_to: message.reply_to,
            starred: message.starred,
            error: message.error,
            sent_at: message.sent_at,
            delivered_at: message.delivered_at,
            read_at: message.read_at,
            edited_at: message.edited_at,
            revoked_at: message.revoked_at,
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
    /// How WhatsApp names it.
    result: SendResult,
}

/// What the guide calls the result.
#[derive(Serialize, ToSchema)]
pub(crate) struct SendResult {
    /// The message's name.
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

impl MessageSentOut {
    /// A message that was taken on, as clients see it.
    pub(crate) fn new(message: Message, services: &Services) -> Self {
        let key = SendKey {
            id: message.wa_message_id.clone(),
            remote_jid: message.wa_chat_id.clone(),
        };
        Self {
            message: MessageOut::new(message, services),
            success: true,
            result: SendResult { key },
        }
    }
}
