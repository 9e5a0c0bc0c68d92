use chrono::{DateTime, Utc};
use mf_http_kit::Input;
use mf_store::ChatRow;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::dto::MessageOut;

const fn default_limit() -> i64 {
    50
}

/// Which chats.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChatQuery {
    /// Most chats to answer.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 100, default = 50)]
    pub(super) limit: i64,
    /// Chats to leave out first.
    #[serde(default)]
    #[param(minimum = 0, default = 0)]
    pub(super) offset: i64,
    /// Only chats in whose name or number this stands, in whatever case.
    #[param(max_length = 200)]
    pub(super) search: Option<String>,
}

impl Input for ChatQuery {}

/// Which messages of a chat.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// Most messages to answer.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 100, default = 50)]
    pub(super) limit: i64,
    /// Messages to leave out first.
    #[serde(default)]
    #[param(minimum = 0, default = 0)]
    pub(super) offset: i64,
    /// Only messages older than this one: its id here or at WhatsApp. Steadier than an offset
    /// while new ones arrive.
    #[param(max_length = 128)]
    pub(super) before: Option<String>,
    /// Only messages newer than this one, those next to it first in line; they come newest
    /// first all the same.
    #[param(max_length = 128)]
    pub(super) after: Option<String>,
    /// Only messages in whose words this stands, in whatever case.
    #[param(max_length = 200)]
    pub(super) search: Option<String>,
}

impl Input for HistoryQuery {}

/// Blank is nothing: forms send empty fields.
pub(super) fn said(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str)
        .filter(|text| !text.trim().is_empty())
}

/// A chat, as lists show it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChatOut {
    /// Its id here.
    id: Uuid,
    /// The session that has it.
    session_id: Uuid,
    /// Its id at WhatsApp.
    #[schema(example = "15551234567@c.us")]
    wa_chat_id: String,
    /// What it is called: as in the address book, as they call themselves, or the number.
    #[schema(example = "Grace Hopper")]
    name: Option<String>,
    /// Whether it is a group.
    is_group: bool,
    /// Digits of whom it is with, where that is one person whose number is known.
    #[schema(example = "15551234567")]
    phone: Option<String>,
    /// The hidden id of whom it is with, digits, where it is known.
    lid: Option<String>,
    /// Messages that nobody has read.
    unread_count: i32,
    /// Messages in it.
    message_count: i64,
    /// How the newest message begins.
    last_message_preview: Option<String>,
    /// When the newest message was written.
    last_message_at: Option<DateTime<Utc>>,
    /// WhatsApp's own labels on it.
    #[schema(value_type = Vec<ChatLabelOut>)]
    labels: Value,
}

/// A label on a chat.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only documents")]
struct ChatLabelOut {
    /// Its id at WhatsApp.
    id: String,
    /// What it is called.
    name: String,
    /// `#RRGGBB`
    #[schema(example = "#64C4FF")]
    color: String,
}

impl From<ChatRow> for ChatOut {
    fn from(chat: ChatRow) -> Self {
        Self {
            id: chat.id.uuid(),
            session_id: chat.session_id.uuid(),
            wa_chat_id: chat.jid,
            name: chat.name,
            is_group: chat.is_group,
            phone: chat.phone,
            lid: chat.lid,
            unread_count: chat.unread_count,
            message_count: chat.message_count,
            last_message_preview: chat.last_message_preview,
            last_message_at: chat.last_message_at,
            labels: chat.labels,
        }
    }
}

/// A part of a chat's history.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryOut {
    /// Newest first.
    pub(super) messages: Vec<MessageOut>,
    /// Messages in the chat; with `search`, those that match.
    pub(super) total: i64,
    /// As asked for.
    pub(super) limit: i64,
    /// As asked for.
    pub(super) offset: i64,
    /// Whether there are more behind these: older ones, or with `after` newer ones.
    pub(super) has_more: bool,
}

/// What stands behind a segment that may name a session or a chat.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ChatsOrHistory {
    /// Of a session: its chats.
    Chats(Vec<ChatOut>),
    /// Of a chat: its messages.
    History(HistoryOut),
}
