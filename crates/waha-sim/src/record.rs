//! What the simulator writes down for those who check on it afterwards.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;

/// A message that reached the pretended WhatsApp network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentMessage {
    /// The session that sent it.
    pub session: String,
    /// The chat it went to, e.g. `15550000002@c.us`.
    pub chat: String,
    /// The bare message id, e.g. `3EB0…`.
    pub id: String,
    /// The text, or the caption.
    pub text: String,
    /// What it is: `text`, `image`, `document`, `audio`, `voice`, `video`, `video_note`, `gif`,
    /// `sticker`, `location`, `contact` or `poll`.
    pub kind: String,
    /// What the file is said to be.
    pub mimetype: Option<String>,
    /// The file's name.
    pub filename: Option<String>,
    /// The SHA-256 of the file's bytes, in hex.
    pub media_sha256: Option<String>,
    /// How many bytes the file has.
    pub media_size: Option<u64>,
    /// The place, the cards or the poll; of files that were to be converted `{"converted": true}`,
    /// though they went out as they came.
    pub payload: Value,
    /// The bare id of the message answered.
    pub reply_to: Option<String>,
    /// Who is mentioned, as given.
    pub mentions: Vec<String>,
    /// When it was sent first, in seconds.
    pub timestamp: i64,
    /// How often the recipient sees it: WhatsApp drops a second message with the same id, so
    /// this stays at 1 however often the engine was asked.
    pub deliveries: u32,
    /// How often the engine was asked to send it.
    pub submissions: u32,
}

/// Something a session did on WhatsApp that is no message, and that WhatsApp took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentAction {
    /// The session that did it.
    pub session: String,
    /// The chat it was done in.
    pub chat: String,
    /// What was done: `reaction`, `edit`, `revoke`, `vote`, `star`, `pin`, `unpin`, `seen`,
    /// `archive`, `unarchive`, `unread`, `typing` or `paused`.
    pub kind: String,
    /// The bare id of the message it was done to.
    pub message_id: Option<String>,
    /// The reaction, the new text, the chosen options, whether starred, for how long pinned; null
    /// where there is nothing more to say.
    pub value: Value,
    /// When, in seconds.
    pub timestamp: i64,
}

/// One attempt to deliver one event to one callback url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallbackRecord {
    /// Counts up from 0 over the life of the simulator (or since the last reset).
    pub index: u64,
    /// The session the event is about.
    pub session: String,
    /// The event's name, e.g. `message.any`.
    pub event: String,
    /// The envelope's id, `evt_…`; the same for every attempt and every url.
    pub envelope_id: String,
    /// Where it was sent.
    pub url: String,
    /// Which attempt this was, from 1.
    pub attempt: u32,
    /// The answer's status; `None` when there was no answer.
    pub status: Option<u16>,
    /// Whether somebody asked for this delivery with a replay.
    pub replayed: bool,
    /// The body exactly as sent.
    pub body: String,
    /// The headers set by WAHA, `X-Webhook-…` and the session's own, by name.
    pub headers: Vec<(String, String)>,
}

/// Enough for any test, and small enough for a simulator left running for weeks.
const KEPT: usize = 10_000;

/// Appends, and forgets the oldest beyond a limit.
pub(crate) fn push_bounded<T>(log: &mut VecDeque<T>, entry: T) {
    if log.len() == KEPT {
        log.pop_front();
    }
    log.push_back(entry);
}
