use chrono::{DateTime, Utc};
use mf_domain::{Jid, PhoneNumber, SessionId, SessionStatus, TenantId};
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
    /// The hidden id of the same account.
    pub lid: Option<Jid>,
    /// The name that others see.
    pub push_name: Option<String>,
}
