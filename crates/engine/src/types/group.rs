use mf_domain::{Jid, PhoneNumber};

/// A group as the engine knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfo {
    /// Which.
    pub jid: Jid,
    /// Its name.
    pub subject: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Who is in it; empty where they were not asked for or are not told.
    pub participants: Vec<Participant>,
    /// How many are in it, where that is told.
    pub participant_count: Option<u32>,
}

/// Somebody in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Who, as the engine says it: by number or by hidden id.
    pub jid: Jid,
    /// The number, where it is told beside a hidden id.
    pub phone: Option<PhoneNumber>,
    /// What they may do.
    pub role: GroupRole,
}

/// What somebody may do in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupRole {
    /// Has left.
    Left,
    /// Write, mostly.
    Participant,
    /// Administer.
    Admin,
    /// Administer, and not be put out.
    Superadmin,
}

/// What became of one participant in a change of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantOutcome {
    /// Who.
    pub jid: Jid,
    /// WhatsApp's refusal, as its number (403: their privacy forbids it, 408: they left lately,
    /// 409: they are in it already …). `None`: done.
    pub error: Option<u16>,
    /// They cannot be added, and were sent an invitation instead, with this code where told.
    pub invite_code: Option<String>,
}
