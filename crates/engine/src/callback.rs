use chrono::{DateTime, Utc};
use mf_domain::{Jid, MessageKind, MessageStatus, SessionStatus, WaMessageId};

use crate::{Me, SessionKey};

/// What an engine reported, after its signature was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The engine's id of the report; the same when it is repeated.
    pub id: Option<String>,
    /// The engine's name of the session. The caller compares it with the one it expects.
    pub session: SessionKey,
    /// When the engine says that it happened.
    pub at: Option<DateTime<Utc>>,
    /// Who is paired, where the engine says so.
    pub me: Option<Me>,
    /// What happened.
    pub event: EngineEvent,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineEvent {
    /// The session is somewhere else now.
    Status(StatusReport),
    /// A message was written, by others or by this account.
    Message(Box<InboundMessage>),
    /// A message came further on its way.
    Ack {
        /// The bare id.
        id: WaMessageId,
        /// The chat it is in.
        chat: Jid,
        /// Whether it is one of ours. Acks of others' messages say that we read them.
        from_me: bool,
        /// How far it came.
        status: MessageStatus,
    },
    /// Something that this server does not act on. Only its name is kept.
    Ignored {
        /// The engine's name of the event.
        name: String,
    },
}

/// A session's status as the engine reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport {
    /// In our words; `None` for a state we have no word for.
    pub status: Option<SessionStatus>,
    /// The engine's own word.
    pub raw: String,
    /// When the session came to be so, by the engine's clock: reports may overtake each other.
    pub since: Option<DateTime<Utc>>,
}

/// A message as it was written, whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundMessage {
    /// The bare id.
    pub id: WaMessageId,
    /// The conversation, derived from the id.
    pub chat: Jid,
    /// Whether this account wrote it, here or on the phone.
    pub from_me: bool,
    /// Whether it was sent through the engine's interface (and not on the phone).
    pub via_api: bool,
    /// Who wrote it, in a group.
    pub participant: Option<Jid>,
    /// The name that the writer shows.
    pub sender_name: Option<String>,
    /// What it is made of.
    pub kind: MessageKind,
    /// Its text, or the caption.
    pub text: Option<String>,
    /// The bare id of the message that it answers.
    pub reply_to: Option<WaMessageId>,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// How far it came, for messages of this account.
    pub status: Option<MessageStatus>,
}

/// Why a callback is not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// No signature, one of another algorithm, or a wrong one: nobody we know sent it.
    #[error("the signature is missing or wrong")]
    BadSignature,
    /// The signature is good but the body cannot be read: it is kept and shown.
    #[error("the payload cannot be read: {reason}")]
    Unreadable {
        /// What stood in the way. No content of the payload.
        reason: String,
    },
}
