use crate::{Invalid, message::words};

words! {
    /// Where a session stands, as clients see it.
    SessionStatus ("session status") {
        /// Not running. Pairing, if there was one, is kept.
        Stopped = "stopped",
        /// On its way up, or back.
        Starting = "starting",
        /// Waiting for a phone to scan the code.
        QrCode = "qr_code",
        /// Able to send and receive.
        Working = "working",
        /// Given up; `last_error` says why.
        Failed = "failed",
    }
}

impl SessionStatus {
    /// Whether a message accepted now will find its way out by itself.
    ///
    /// A session on its way back will; one that waits for a person with a phone, or for a
    /// start, may never.
    pub const fn accepts_messages(self) -> bool {
        matches!(self, Self::Working | Self::Starting)
    }

    /// Whether a session comes by here before it comes to `other`.
    ///
    /// An engine may report two steps of the same millisecond, and the reports may overtake
    /// each other: of the two, the later step stands.
    pub const fn comes_before(self, other: Self) -> bool {
        self.step() < other.step()
    }

    const fn step(self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::Starting => 1,
            Self::QrCode => 2,
            Self::Working => 3,
            Self::Failed => 4,
        }
    }

    /// Whether the engine is meant to be running it.
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Starting | Self::QrCode | Self::Working)
    }
}

/// What people call a session: 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionName(String);

impl SessionName {
    /// Most characters of a name.
    pub const MAX: usize = 100;

    /// Reads a name, without the blanks around it.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::new(
                "value_error.any_str.min_length",
                "ensure this value has at least 1 characters",
            ));
        }
        if text.chars().count() > Self::MAX {
            return Err(Invalid::new(
                "value_error.any_str.max_length",
                "ensure this value has at most 100 characters",
            ));
        }
        if text.chars().any(char::is_control) {
            return Err(Invalid::new(
                "value_error.session_name",
                "value contains control characters",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
