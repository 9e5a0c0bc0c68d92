use crate::MessageStatus;

/// What webhooks and streams can tell of. The names are the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventName {
    /// Somebody wrote to a session.
    MessageReceived,
    /// WhatsApp took a message of ours.
    MessageSent,
    /// A message of ours reached the recipient's device.
    MessageDelivered,
    /// A message of ours was read.
    MessageRead,
    /// A message of ours will not arrive.
    MessageFailed,
    /// A session became able to send and receive.
    SessionConnected,
    /// A session stopped being able to.
    SessionDisconnected,
    /// A session's status changed, whatever it is now.
    SessionStatus,
}

impl EventName {
    /// Every name there is.
    pub const ALL: [Self; 8] = [
        Self::MessageReceived,
        Self::MessageSent,
        Self::MessageDelivered,
        Self::MessageRead,
        Self::MessageFailed,
        Self::SessionConnected,
        Self::SessionDisconnected,
        Self::SessionStatus,
    ];

    /// The name on the wire, such as `message.received`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MessageReceived => "message.received",
            Self::MessageSent => "message.sent",
            Self::MessageDelivered => "message.delivered",
            Self::MessageRead => "message.read",
            Self::MessageFailed => "message.failed",
            Self::SessionConnected => "session.connected",
            Self::SessionDisconnected => "session.disconnected",
            Self::SessionStatus => "session.status",
        }
    }

    /// What is told when an outbound message reaches `status`. Voice notes that were played
    /// were read, and the contract has no word of its own for them.
    pub const fn of_message_status(status: MessageStatus) -> Option<Self> {
        match status {
            MessageStatus::Pending => None,
            MessageStatus::Sent => Some(Self::MessageSent),
            MessageStatus::Delivered => Some(Self::MessageDelivered),
            MessageStatus::Read | MessageStatus::Played => Some(Self::MessageRead),
            MessageStatus::Failed => Some(Self::MessageFailed),
        }
    }
}

impl std::fmt::Display for EventName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
