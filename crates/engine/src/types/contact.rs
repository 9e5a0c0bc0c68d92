use mf_domain::{Jid, PhoneNumber};

/// Somebody the account knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineContact {
    /// Who, by number or by hidden id.
    pub jid: Jid,
    /// The name in the phone's address book.
    pub name: Option<String>,
    /// The name that they give themselves.
    pub push_name: Option<String>,
}

/// That a hidden id and a number are one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LidMapping {
    /// The hidden id.
    pub lid: Jid,
    /// The number.
    pub phone: PhoneNumber,
}
