use std::fmt;

/// The key of a plan, such as `self_hosted`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PlanId(String);

impl PlanId {
    /// The plan of whoever runs the server for themselves: no limits.
    pub const SELF_HOSTED: &'static str = "self_hosted";

    /// Takes a plan's key.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a plan allows. `None` is without limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanLimits {
    /// Sessions at a time.
    pub sessions: Option<u32>,
    /// Messages sent in a calendar month, UTC.
    pub messages_per_month: Option<u32>,
}
