use mf_domain::{Jid, PhoneNumber, WaMessageId};

/// What happens on WhatsApp without our doing: on the account's own phone, or on others'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// Somebody makes a group with the account in it; its id is told.
    GroupMade {
        /// Its name.
        subject: String,
        /// Who else is in it.
        participants: Vec<Jid>,
        /// Whether the account administers it.
        administered: bool,
    },
    /// Somebody gives a group another name.
    GroupRenamed {
        /// Which.
        group: Jid,
        /// The name.
        subject: String,
    },
    /// Somebody comes into a group; the account itself may be the one.
    CameIn {
        /// Which.
        group: Jid,
        /// Who.
        who: Jid,
    },
    /// Somebody leaves a group or is put out; the account itself may be the one.
    WentOut {
        /// Which.
        group: Jid,
        /// Who.
        who: Jid,
    },
    /// Somebody becomes an administrator of a group, or ceases to be.
    Ranked {
        /// Which.
        group: Jid,
        /// Who.
        who: Jid,
        /// Whether they are one now.
        admin: bool,
    },
    /// The account is one of WhatsApp Business, or is none.
    Business(bool),
    /// A label is made on the phone; its id is told.
    LabelMade {
        /// Its name.
        name: String,
        /// WhatsApp's number of its colour.
        color: u8,
    },
    /// A label is removed on the phone.
    LabelRemoved {
        /// Which.
        label: String,
    },
    /// A chat gets a label on the phone, or loses it.
    ChatLabelled {
        /// Which label.
        label: String,
        /// Which chat.
        chat: Jid,
        /// Whether it carries it now.
        carried: bool,
    },
    /// The account comes to follow a channel that somebody made; its id is told.
    ChannelFollowed {
        /// Its name.
        name: String,
    },
    /// Somebody stands in the address book.
    Known {
        /// Who.
        phone: PhoneNumber,
        /// The name in the address book.
        name: String,
        /// The name that they give themselves.
        push_name: String,
        /// Where their picture is.
        picture: Option<String>,
    },
    /// WhatsApp tells who is behind a hidden id, or does not.
    LidTold {
        /// The hidden id.
        lid: Jid,
        /// Whether it tells.
        told: bool,
    },
    /// Somebody calls; the call's id is told.
    Called {
        /// Who.
        from: Jid,
        /// With a picture.
        video: bool,
    },
    /// A call is taken on the phone.
    CallTaken {
        /// Which.
        call: String,
    },
    /// A call is refused on the phone.
    CallRefused {
        /// Which.
        call: String,
    },
    /// Somebody types in a chat of two, of which the engine was asked to tell.
    Typing {
        /// The chat.
        chat: Jid,
    },
    /// Somebody reacts to a message; nothing takes it back.
    Reacted {
        /// To which.
        message: WaMessageId,
        /// Who.
        by: Jid,
        /// With what.
        emoji: String,
    },
    /// Whoever wrote a message changes it.
    Changed {
        /// Which.
        message: WaMessageId,
        /// What it says now.
        text: String,
    },
    /// Whoever wrote a message takes it back.
    TakenBack {
        /// Which.
        message: WaMessageId,
    },
    /// Somebody votes in a poll.
    Voted {
        /// In which.
        poll: WaMessageId,
        /// Who.
        by: Jid,
        /// For what; `None`: in a way that the engine cannot read.
        options: Option<Vec<String>>,
    },
}
