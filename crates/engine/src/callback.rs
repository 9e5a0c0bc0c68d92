use chrono::{DateTime, Utc};
use mf_domain::{Jid, MessageKind, MessageStatus, PhoneNumber, SessionStatus, WaMessageId};

use crate::{
    ContactCard, EngineLabel, GroupInfo, Me, MessageRef, Participant, Place, Poll, SessionKey,
};

/// What an engine reported, after its signature was found good.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, PartialEq)]
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
    /// Somebody reacted to a message, or took that back.
    Reaction(Reaction),
    /// A message says something else now.
    Edited {
        /// The message, not the act of editing it.
        message: MessageRef,
        /// What it says now.
        text: String,
        /// When it was changed.
        at: DateTime<Utc>,
    },
    /// A message was taken back for everybody.
    Revoked {
        /// The message, not the act of taking it back.
        message: MessageRef,
        /// When.
        at: DateTime<Utc>,
    },
    /// Somebody chose in a poll.
    PollVote(PollVote),
    /// Something about a group changed.
    Group(GroupReport),
    /// Something about a label changed.
    Label(LabelReport),
    /// Somebody calls.
    Call(CallReport),
    /// Somebody is there, or types, or went.
    Presence(PresenceReport),
    /// Something that this server does not act on. Only its name is kept.
    Ignored {
        /// The engine's name of the event.
        name: String,
    },
}

/// That somebody reacted to a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Reaction {
    /// The message, not the reaction to it.
    pub message: MessageRef,
    /// Whether this account reacted.
    pub from_me: bool,
    /// Who reacted; `None` where it was this account.
    pub sender: Option<Jid>,
    /// With what; empty where the reaction was taken back.
    pub emoji: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What somebody chose in a poll: all of it, each time.
#[derive(Clone, PartialEq, Eq)]
pub struct PollVote {
    /// The poll.
    pub poll: MessageRef,
    /// Whether this account voted.
    pub from_me: bool,
    /// Who voted; `None` where it was this account.
    pub voter: Option<Jid>,
    /// The answers chosen; empty where the choice was taken back. `None` where the engine could
    /// not read them.
    pub options: Option<Vec<String>>,
    /// When.
    pub at: DateTime<Utc>,
}

/// That something about a group changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupReport {
    /// Which.
    pub group: Jid,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub change: GroupChange,
}

/// What can change about a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupChange {
    /// This account is in it now.
    Joined(GroupInfo),
    /// This account is in it no more.
    Left,
    /// Its own data; what is `None` stayed.
    Updated {
        /// The name.
        subject: Option<String>,
        /// What it is for.
        description: Option<String>,
    },
    /// Who is in it, or what they may do.
    Participants {
        /// What became of them.
        what: ParticipantChange,
        /// Whom it concerns.
        participants: Vec<Participant>,
    },
}

/// What can become of somebody in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParticipantChange {
    /// Came.
    Joined,
    /// Went, or was put out.
    Left,
    /// Administers it now.
    Promoted,
    /// Administers it no more.
    Demoted,
}

/// That something about a label changed, on the phone or by us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelReport {
    /// When, by the report's own time.
    pub at: DateTime<Utc>,
    /// What.
    pub change: LabelChange,
}

/// What can change about a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelChange {
    /// It is new, or looks otherwise.
    Upserted(EngineLabel),
    /// It is gone.
    Deleted(EngineLabel),
    /// A chat carries it, or does so no more.
    Chat {
        /// WhatsApp's id of the label.
        label: String,
        /// Which chat.
        chat: Jid,
        /// Whether it carries it now.
        carried: bool,
    },
}

/// That somebody calls, or what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallReport {
    /// WhatsApp's id of the call.
    pub id: String,
    /// Who calls.
    pub from: Option<Jid>,
    /// With a picture.
    pub video: bool,
    /// Several at once.
    pub group: bool,
    /// When.
    pub at: DateTime<Utc>,
    /// What became of it.
    pub state: CallState,
}

/// What can become of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// It rings.
    Received,
    /// It was taken, on the phone.
    Accepted,
    /// It was refused, or not taken.
    Rejected,
}

/// Who is there, in a chat that somebody asked to be told about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceReport {
    /// The chat.
    pub chat: Jid,
    /// Everybody of whom something is known.
    pub presences: Vec<Presence>,
}

/// How somebody is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Who.
    pub participant: Jid,
    /// The engine's word: `online`, `offline`, `typing`, `recording`, `paused`.
    pub state: String,
    /// When they were last there, where they let it be known.
    pub last_seen: Option<DateTime<Utc>>,
}

/// Whom and when; not the words.
impl std::fmt::Debug for Reaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reaction")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// Whom and when; not the words.
impl std::fmt::Debug for PollVote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PollVote")
            .field("poll", &self.poll)
            .finish_non_exhaustive()
    }
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
#[derive(Debug, Clone, PartialEq)]
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
    /// The writer's other name: the number beside a hidden id, or the reverse. In a chat of two
    /// it is the other person's, whoever wrote the message.
    pub alternate: Option<Identity>,
    /// The name that the writer shows.
    pub sender_name: Option<String>,
    /// What it is made of.
    pub kind: MessageKind,
    /// Its text, or the caption.
    pub text: Option<String>,
    /// What it carries besides text.
    pub attachment: Option<Attachment>,
    /// Who is named in it.
    pub mentions: Vec<Jid>,
    /// The bare id of the message that it answers.
    pub reply_to: Option<WaMessageId>,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// How far it came, for messages of this account.
    pub status: Option<MessageStatus>,
}

/// What a message carries besides text.
#[derive(Debug, Clone, PartialEq)]
pub enum Attachment {
    /// A file.
    Media(InboundMedia),
    /// A question.
    Poll(Poll),
    /// A place.
    Location(Place),
    /// Contact cards.
    Contacts(Vec<ContactCard>),
}

/// A file that came with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundMedia {
    /// Where the engine has it, for a few minutes. `None` where it did not fetch it.
    pub url: Option<String>,
    /// Its type, where that is told.
    pub mimetype: Option<String>,
    /// Its name, where it has one.
    pub filename: Option<String>,
}

/// That a number and a hidden id are one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The number.
    pub phone: PhoneNumber,
    /// The hidden id.
    pub lid: Jid,
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
