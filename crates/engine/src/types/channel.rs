use mf_domain::Jid;

/// A channel as the engine knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelInfo {
    /// Which.
    pub jid: Jid,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// The link by which people find it.
    pub invite: Option<String>,
    /// How many follow it, where that is told.
    pub followers: Option<u64>,
    /// What the account is to it.
    pub role: Option<ChannelRole>,
    /// Whether WhatsApp vouches for it.
    pub verified: bool,
}

/// What an account is to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelRole {
    /// It made it.
    Owner,
    /// It may write in it.
    Admin,
    /// It reads it.
    Subscriber,
}

/// A channel to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChannel {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
}
