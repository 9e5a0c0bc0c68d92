use mf_domain::SessionStatus;

/// Why an engine did not do what it was asked.
///
/// The `Display` texts are sentences for clients: they name the engine by its name and never
/// show its address, its bodies or its stack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// No connection: certainly nothing was done.
    #[error("the WhatsApp engine cannot be reached")]
    Unreachable,
    /// The connection broke, or the answer made no sense, after the request was out: it may
    /// have been done.
    #[error("the WhatsApp engine broke off before it answered")]
    Interrupted,
    /// No answer in time: it may have been done.
    #[error("the WhatsApp engine did not answer in time")]
    Timeout,
    /// The session is in another state than the call needs: certainly nothing was done.
    #[error("the session is not ready at the WhatsApp engine")]
    NotReady {
        /// What the engine says that it is, where it says so.
        status: Option<SessionStatus>,
    },
    /// The engine has no such session: certainly nothing was done.
    #[error("the WhatsApp engine does not know the session")]
    SessionMissing,
    /// The engine, or WhatsApp behind it, cannot do this at all.
    #[error("the WhatsApp engine does not support this: {what}")]
    Unsupported {
        /// What it cannot do, in our words.
        what: String,
    },
    /// WhatsApp does not let this account write to people it has not talked with (463).
    #[error("WhatsApp has restricted this account: it may not start new conversations at present")]
    AccountRestricted,
    /// Too much in too short a time; nothing was done.
    #[error("WhatsApp asks to slow down")]
    Throttled,
    /// There is no such recipient.
    #[error("the recipient is not on WhatsApp")]
    BadRecipient,
    /// The engine refuses our key: a fault of the configuration.
    #[error("the WhatsApp engine refuses the server's key: check MOLTFLOW_ENGINE_API_KEY")]
    Refused,
    /// The engine says that the request was wrong; nothing was done.
    #[error("the WhatsApp engine refused the request")]
    Rejected {
        /// What it said, cut short: for logs, not for clients.
        detail: String,
    },
    /// The engine failed inside; it may have been done.
    #[error("the WhatsApp engine failed")]
    Failed {
        /// What it said, cut short: for logs, not for clients.
        detail: String,
    },
}

impl EngineError {
    /// Whether it is certain that the call had no effect, so that it may be made again.
    pub const fn had_no_effect(&self) -> bool {
        match self {
            Self::Unreachable
            | Self::NotReady { .. }
            | Self::SessionMissing
            | Self::Unsupported { .. }
            | Self::AccountRestricted
            | Self::Throttled
            | Self::BadRecipient
            | Self::Refused
            | Self::Rejected { .. } => true,
            Self::Interrupted | Self::Timeout | Self::Failed { .. } => false,
        }
    }

    /// Whether the same call may succeed later, by itself.
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable
                | Self::Interrupted
                | Self::Timeout
                | Self::NotReady { .. }
                | Self::SessionMissing
                | Self::Throttled
                | Self::Refused
        )
    }
}
