use std::fmt;

use crate::Invalid;

macro_rules! scopes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal $(implies $read:ident)?,)+) => {
        /// One right, over one kind of resource. The words are the contract's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Scope { $(#[doc = concat!("`", $word, "`")] $variant,)+ }

        impl Scope {
            /// Every scope but `*`.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word on the wire, such as `messages:send`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The right to read that comes with the right to change.
            const fn implied(self) -> Option<Self> {
                match self { $(Self::$variant => scopes!(@read $($read)?),)+ }
            }
        }
    };
    (@read $read:ident) => { Some(Self::$read) };
    (@read) => { None };
}

scopes! {
    SessionsRead = "sessions:read",
    SessionsManage = "sessions:manage" implies SessionsRead,
    MessagesRead = "messages:read",
    MessagesSend = "messages:send" implies MessagesRead,
    GroupsRead = "groups:read",
    GroupsManage = "groups:manage" implies GroupsRead,
    LabelsRead = "labels:read",
    LabelsManage = "labels:manage" implies LabelsRead,
    WebhooksRead = "webhooks:read",
    WebhooksManage = "webhooks:manage" implies WebhooksRead,
    CustomGroupsRead = "custom-groups:read",
    CustomGroupsManage = "custom-groups:manage" implies CustomGroupsRead,
    BulkSendRead = "bulk-send:read",
    BulkSendManage = "bulk-send:manage" implies BulkSendRead,
    ScheduledRead = "scheduled:read",
    ScheduledManage = "scheduled:manage" implies ScheduledRead,
    ReportsRead = "reports:read",
    ReportsManage = "reports:manage" implies ReportsRead,
    LeadsRead = "leads:read",
    LeadsManage = "leads:manage" implies LeadsRead,
    ReviewsRead = "reviews:read",
    ReviewsManage = "reviews:manage" implies ReviewsRead,
    ChannelsRead = "channels:read",
    ChannelsManage = "channels:manage" implies ChannelsRead,
    AiRead = "ai:read",
    AiManage = "ai:manage" implies AiRead,
    A2aRead = "a2a:read",
    A2aManage = "a2a:manage" implies A2aRead,
    AnalyticsRead = "analytics:read",
    UsageRead = "usage:read",
    BillingRead = "billing:read",
    BillingManage = "billing:manage" implies BillingRead,
    SettingsRead = "settings:read",
    SettingsManage = "settings:manage" implies SettingsRead,
    AccountRead = "account:read",
    AccountManage = "account:manage" implies AccountRead,
    GdprManage = "gdpr:manage",
}

impl Scope {
    const fn bit(self) -> u64 {
        1 << self as u64
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The rights of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScopeSet {
    bits: u64,
    full: bool,
}

impl ScopeSet {
    /// Everything, `*`: also what is added later.
    pub const fn full() -> Self {
        Self {
            bits: u64::MAX,
            full: true,
        }
    }

    /// Every scope there is now, one by one: all resources, but not what `*` alone may do.
    pub fn every_resource() -> Self {
        Scope::ALL.iter().copied().collect()
    }

    /// Every right to read.
    pub fn read_only() -> Self {
        Scope::ALL
            .iter()
            .copied()
            .filter(|scope| scope.as_str().ends_with(":read"))
            .collect()
    }

    /// Reads the words of a request; every unknown one is listed with its position.
    pub fn parse<S: AsRef<str>>(words: &[S]) -> Result<Self, Vec<(usize, Invalid)>> {
        let mut set = Self::default();
        let mut faults = Vec::new();
        for (index, word) in words.iter().enumerate() {
            let word = word.as_ref();
            match Scope::ALL.iter().find(|scope| scope.as_str() == word) {
                Some(scope) => set = set.with(*scope),
                None if word == "*" => set = Self::full(),
                None => faults.push((
                    index,
                    Invalid::new("value_error.scope", format!("unknown scope: {word}")),
                )),
            }
        }
        if faults.is_empty() {
            Ok(set)
        } else {
            Err(faults)
        }
    }

    /// The set with one more right, and what that implies.
    pub const fn with(mut self, scope: Scope) -> Self {
        self.bits |= scope.bit();
        if let Some(read) = scope.implied() {
            self.bits |= read.bit();
        }
        self
    }

    /// The set without one right.
    pub const fn without(mut self, scope: Scope) -> Self {
        self.bits &= !scope.bit();
        self.full = false;
        self
    }

    /// Whether the set grants a right.
    pub const fn allows(self, scope: Scope) -> bool {
        self.full || self.bits & scope.bit() != 0
    }

    /// Whether the set is `*`.
    pub const fn is_full(self) -> bool {
        self.full
    }

    /// Whether everything that `other` grants is granted here too.
    pub const fn covers(self, other: Self) -> bool {
        self.full || (!other.full && other.bits & !self.bits == 0)
    }

    /// The words of the set: `["*"]`, or each scope without those that another implies.
    pub fn words(self) -> Vec<&'static str> {
        if self.full {
            return vec!["*"];
        }
        let implied = |scope: Scope| {
            Scope::ALL
                .iter()
                .any(|other| self.allows(*other) && other.implied() == Some(scope))
        };
        Scope::ALL
            .iter()
            .filter(|scope| self.allows(**scope) && !implied(**scope))
            .map(|scope| scope.as_str())
            .collect()
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::default(), Self::with)
    }
}

/// A named choice of scopes, as the console and the clients offer them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Sessions and messages.
    Messaging,
    /// Messaging, contact lists, bulk sends, schedules, and reading leads.
    Outreach,
    /// Reads everything, changes nothing.
    ReadOnly,
    /// `*`.
    FullAccess,
}

impl Preset {
    /// Reads a preset's name, however it is written: `Read Only`, `read_only`, `read-only`.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        let plain: String = name
            .chars()
            .filter(char::is_ascii_alphabetic)
            .collect::<String>()
            .to_lowercase();
        match plain.as_str() {
            "messaging" => Ok(Self::Messaging),
            "outreach" => Ok(Self::Outreach),
            "readonly" => Ok(Self::ReadOnly),
            "fullaccess" => Ok(Self::FullAccess),
            _ => Err(Invalid::new(
                "value_error.preset",
                "unknown preset: use Messaging, Outreach, Read Only or Full Access",
            )),
        }
    }

    /// What it grants.
    pub fn scopes(self) -> ScopeSet {
        let messaging = || {
            ScopeSet::default()
                .with(Scope::SessionsRead)
                .with(Scope::MessagesRead)
                .with(Scope::MessagesSend)
        };
        match self {
            Self::Messaging => messaging(),
            Self::Outreach => messaging()
                .with(Scope::CustomGroupsManage)
                .with(Scope::BulkSendManage)
                .with(Scope::ScheduledManage)
                .with(Scope::LeadsRead),
            Self::ReadOnly => ScopeSet::read_only(),
            Self::FullAccess => ScopeSet::full(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Preset, Scope, ScopeSet};

    #[test]
    fn the_right_to_change_includes_the_right_to_read() {
        let set = ScopeSet::parse(&["messages:send", "sessions:manage"]).unwrap();
        assert!(set.allows(Scope::MessagesRead) && set.allows(Scope::SessionsRead));
        assert!(!set.allows(Scope::GroupsRead));
        assert_eq!(set.words(), ["sessions:manage", "messages:send"]);
    }

    #[test]
    fn every_unknown_scope_is_named_with_its_place() {
        let faults = ScopeSet::parse(&["messages:send", "nope", "sessions:fly"]).unwrap_err();
        assert_eq!(faults.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn no_list_of_scopes_covers_full_access() {
        assert!(ScopeSet::full().covers(ScopeSet::every_resource()));
        assert!(!ScopeSet::every_resource().covers(ScopeSet::full()));
        assert!(!Preset::Messaging.scopes().covers(Preset::Outreach.scopes()));
    }

    #[test]
    fn read_only_changes_nothing() {
        let set = Preset::parse("Read Only").unwrap().scopes();
        assert!(set.words().iter().all(|word| word.ends_with(":read")));
    }
}
