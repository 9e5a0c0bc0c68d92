use crate::{MessageStatus, message::words};

words! {
    /// What webhooks and streams can tell of. The names are the contract's, as far as it goes.
    EventName ("event") {
        /// Somebody wrote to a session.
        MessageReceived = "message.received",
        /// WhatsApp took a message of ours.
        MessageSent = "message.sent",
        /// A message of ours reached the recipient's device.
        MessageDelivered = "message.delivered",
        /// A message of ours was read.
        MessageRead = "message.read",
        /// A message of ours will not arrive.
        MessageFailed = "message.failed",
        /// Somebody reacted to a message, or took that back.
        MessageReaction = "message.reaction",
        /// A message says something else now.
        MessageEdited = "message.edited",
        /// A message was taken back.
        MessageRevoked = "message.revoked",
        /// Somebody voted in a poll, or otherwise than before.
        PollVote = "poll.vote",
        /// Somebody calls.
        CallReceived = "call.received",
        /// A call was answered.
        CallAccepted = "call.accepted",
        /// A call was declined.
        CallRejected = "call.rejected",
        /// Somebody is online, or typing, or no longer.
        PresenceUpdate = "presence.update",
        /// The session became a member of a group.
        GroupJoined = "group.joined",
        /// The session is no member of a group any more.
        GroupLeft = "group.left",
        /// A group has another name, description or setting.
        GroupUpdated = "group.updated",
        /// Others joined or left a group, or have another role in it.
        GroupParticipants = "group.participants",
        /// A label is new, or has another name or colour.
        LabelUpdated = "label.updated",
        /// A label is no more.
        LabelDeleted = "label.deleted",
        /// A chat was given a label.
        LabelChatAdded = "label.chat.added",
        /// A label was taken from a chat.
        LabelChatRemoved = "label.chat.removed",
        /// A captured message of a monitored group.
        GroupMessage = "group.message",
        /// What a model made of a captured message.
        GroupMessageAnalyzed = "group.message.analyzed",
        /// Somebody showed an interest in buying.
        LeadDetected = "lead.detected",
        /// A bulk send came to its end.
        BulkSendCompleted = "bulk_send.completed",
        /// A scheduled message was sent.
        ScheduleExecuted = "schedule.executed",
        /// A review was found.
        ReviewCollected = "review.collected",
        /// A session became able to send and receive.
        SessionConnected = "session.connected",
        /// A session stopped being able to.
        SessionDisconnected = "session.disconnected",
        /// A session's status changed, whatever it is now.
        SessionStatus = "session.status",
        /// A webhook was switched off, since its endpoint is gone or fails all the time.
        WebhookDisabled = "webhook.disabled",
        /// A webhook was tried out. Told to that webhook alone.
        WebhookTest = "webhook.test",
    }
}

impl EventName {
    /// Whether whoever wants it is told. A trial is for the webhook alone that is tried out.
    pub const fn is_for_all(self) -> bool {
        !matches!(self, Self::WebhookTest)
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
