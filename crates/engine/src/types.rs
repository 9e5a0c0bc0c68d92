use chrono::{DateTime, Utc};
use mf_domain::{Jid, MessageStatus, PhoneNumber, SessionId, SessionStatus, TenantId, WaMessageId};
use secrecy::SecretBox;

/// The name of a session at the engine: opaque, so that nobody there learns whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionKey(String);

impl SessionKey {
    /// The name of a session: letters, digits and `_`, 35 characters, within what every
    /// engine allows.
    pub fn of(session: SessionId) -> Self {
        Self(format!("mf_{}", session.uuid().simple()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whose session a name at the engine is, where it is one of ours.
    pub fn session_id(name: &str) -> Option<SessionId> {
        let id = name.strip_prefix("mf_").filter(|id| id.len() == 32)?;
        uuid::Uuid::try_parse(id).ok().map(SessionId::from)
    }
}

/// All that the engine has to know of a session.
#[derive(Debug)]
pub struct SessionSpec {
    /// Its name there.
    pub key: SessionKey,
    /// Whose it is; comes back with every callback.
    pub tenant_id: TenantId,
    /// Which it is; comes back with every callback.
    pub session_id: SessionId,
    /// Where the engine shall report what happens.
    pub callback_url: String,
    /// The key that those reports are signed with.
    pub callback_secret: SecretBox<[u8]>,
}

/// A session as the engine has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineSession {
    /// Its name there.
    pub name: String,
    /// Where it stands, in our words; `None` for a state we have no word for.
    pub status: Option<SessionStatus>,
    /// The engine's own word for it.
    pub raw_status: String,
    /// Who is paired.
    pub me: Option<Me>,
    /// When the engine last heard from WhatsApp, where it says so.
    pub last_activity: Option<DateTime<Utc>>,
    /// Where it reports to, where it says so.
    pub callback_url: Option<String>,
}

/// Whose phone a session is paired with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The number.
    pub phone: Option<PhoneNumber>,
    /// The name that others see.
    pub push_name: Option<String>,
}

/// What runs behind the trait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// Its version, such as `2026.7.1`.
    pub version: String,
    /// Which of its own engines it uses, such as `NOWEB`.
    pub dialect: String,
    /// What it can do.
    pub capabilities: Capabilities,
}

/// What an engine can do, by its kind and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// It sends under the id that we give: a send can be repeated without a second message.
    pub caller_message_ids: bool,
    /// It finds a message by the bare id.
    pub find_by_bare_id: bool,
}

/// A text on its way out.
#[derive(Debug, Clone)]
pub struct TextToSend {
    /// To whom.
    pub chat: Jid,
    /// What. Not in any log.
    pub text: String,
    /// The message that it answers.
    pub reply_to: Option<ReplyTo>,
    /// The id to send under, where the engine takes one.
    pub id: Option<WaMessageId>,
}

/// A message that another one answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyTo {
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
