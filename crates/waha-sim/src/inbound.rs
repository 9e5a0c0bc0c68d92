//! Messages from somebody's phone.

use serde::Deserialize;

use crate::content::Content;
use crate::control::SimError;
use crate::ids::{as_chat, bare_id, is_group, now_ms, phone_message_id};
use crate::message::{Message, Quoted, Source};
use crate::session::Session;

/// A message from somebody's phone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Inbound {
    /// The chat, e.g. `15550000002@c.us`, a `@lid` or a `@g.us`.
    #[serde(alias = "from")]
    pub chat_id: String,
    /// What it says; of files the caption.
    pub text: String,
    /// What it carries.
    pub content: Content,
    /// The bare message id; a new one by default.
    pub id: Option<String>,
    /// Who wrote it, in groups.
    pub participant: Option<String>,
    /// The writer's other id, the number of a hidden id or the hidden id of a number. It shows
    /// where the engines show it: GOWS in `_data.Info.SenderAlt`, NOWEB in
    /// `_data.key.remoteJidAlt` or `participantAlt`, WEBJS nowhere.
    pub sender_alt: Option<String>,
    /// Written on the own phone instead of by somebody else.
    pub from_me: bool,
    /// The sender's name.
    pub push_name: Option<String>,
    /// When it was written, in seconds; now by default.
    pub timestamp: Option<i64>,
    /// The message it answers, by its full or bare id.
    pub reply_to: Option<String>,
}

impl Inbound {
    /// A text from somebody.
    pub fn text(from: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            chat_id: from.into(),
            text: text.into(),
            ..Self::default()
        }
    }

    /// Something else than a text.
    pub fn of(from: impl Into<String>, content: Content) -> Self {
        Self {
            chat_id: from.into(),
            content,
            ..Self::default()
        }
    }

    pub(crate) fn into_message(self, session: &Session) -> Result<Message, SimError> {
        if self.chat_id.is_empty() {
            return Err(SimError::Incomplete("`from` (or `chatId`) is missing"));
        }
        let chat = as_chat(&self.chat_id);
        let participant = match self.participant {
            Some(participant) => Some(as_chat(&participant)),
            None if is_group(&chat) && self.from_me => Some(session.state().own_id()),
            None if is_group(&chat) => Some("15550000002@c.us".to_owned()),
            None => None,
        };
        Ok(Message {
            id: self.id.unwrap_or_else(phone_message_id),
            chat,
            from_me: self.from_me,
            participant,
            sender_alt: self.sender_alt.as_deref().map(as_chat),
            body: self.text,
            content: self.content,
            timestamp: self.timestamp.unwrap_or_else(|| now_ms() / 1000),
            ack: 1,
            source: Source::App,
            reply_to: self.reply_to.map(|id| quoted(session, &id)),
            push_name: self.push_name,
            revoked: false,
        })
    }
}

/// What a quote says of the message with that full or bare id.
pub(crate) fn quoted(session: &Session, id: &str) -> Quoted {
    let bare = bare_id(id).unwrap_or(id);
    let state = session.state();
    let known = state.messages.iter().find(|message| message.id == bare);
    match known {
        Some(message) => message.quoted(&state.own_id()),
        None => Quoted {
            id: bare.to_owned(),
            ..Quoted::default()
        },
    }
}
