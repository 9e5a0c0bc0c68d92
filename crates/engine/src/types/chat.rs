use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use mf_domain::{Jid, MessageStatus, WaMessageId};

use crate::EngineError;

/// A part of a list. Engines may answer fewer than `limit` before the end: only an empty page
/// is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnginePage {
    /// Most entries, 1 to 100.
    pub limit: u32,
    /// Entries to leave out first.
    pub offset: u32,
}

/// A message that something is done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRef {
    /// The conversation.
    pub chat: Jid,
    /// Its bare id.
    pub id: WaMessageId,
    /// Whether the session itself wrote it.
    pub from_me: bool,
    /// Who wrote it, in a group.
    pub participant: Option<Jid>,
}

/// A message that the engine found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMessage {
    /// How far it came. `None` where the engine does not say.
    pub status: Option<MessageStatus>,
}

/// A conversation as the engine lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatOverview {
    /// Which.
    pub chat: Jid,
    /// What the account's owner sees it called.
    pub name: Option<String>,
    /// When its last message was written, where the engine says so.
    pub last_at: Option<DateTime<Utc>>,
}

/// Which messages of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessagesQuery {
    /// Written at this moment or later; `None`: all that the engine has.
    pub since: Option<DateTime<Utc>>,
    /// Which part of them, newest first.
    pub page: EnginePage,
}

/// A file as it comes from the engine.
pub struct MediaStream {
    /// Its type as the engine says it.
    pub mimetype: Option<String>,
    /// Its length in bytes, where that is said beforehand.
    pub length: Option<u64>,
    /// What is in it.
    pub body: BoxStream<'static, Result<Bytes, EngineError>>,
}

impl std::fmt::Debug for MediaStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaStream")
            .field("mimetype", &self.mimetype)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
