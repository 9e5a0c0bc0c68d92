use std::{fmt, str::FromStr};

/// WhatsApp's bare id of a message, such as `3EB0C431C26A1916E07A12`: without the chat and
/// the direction that engines put in front of it, since those differ for one message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WaMessageId(String);

impl WaMessageId {
    /// Takes an id that is already bare.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WaMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A word from the database or the wire that is none of those we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{word}`")]
pub struct UnknownWord {
    what: &'static str,
    word: String,
}

impl UnknownWord {
    pub(crate) fn new(what: &'static str, word: &str) -> Self {
        Self {
            what,
            word: word.to_owned(),
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident ($what:literal) {
        $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every value, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word that the database and the wire use.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::message::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::message::UnknownWord::new($what, word)),
                }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Who wrote a message.
    Direction ("direction") {
        /// Somebody else.
        Inbound = "inbound",
        /// The session, be it by this server or on the phone.
        Outbound = "outbound",
    }
}

words! {
    /// What a message is made of.
    MessageKind ("message type") {
        /// Plain text.
        Text = "text",
        /// A picture.
        Image = "image",
        /// A film.
        Video = "video",
        /// A short film without sound that plays over and over.
        Gif = "gif",
        /// A sound file.
        Audio = "audio",
        /// A voice note.
        Voice = "voice",
        /// A file.
        Document = "document",
        /// A sticker.
        Sticker = "sticker",
        /// A place.
        Location = "location",
        /// Contact cards.
        Contact = "contact",
        /// A poll.
        Poll = "poll",
        /// Something this server has no word for.
        Unknown = "unknown",
    }
}

words! {
    /// How far a message has come. It never goes backwards.
    MessageStatus ("message status") {
        /// Accepted by us, not yet by WhatsApp.
        Pending = "pending",
        /// Accepted by WhatsApp.
        Sent = "sent",
        /// On the recipient's device.
        Delivered = "delivered",
        /// Read by the recipient.
        Read = "read",
        /// Listened to (voice notes).
        Played = "played",
        /// It will not arrive; `error` says why.
        Failed = "failed",
    }
}

impl MessageStatus {
    const fn rank(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Sent => 1,
            Self::Delivered => 2,
            Self::Read => 3,
            Self::Played => 4,
            Self::Failed => 5,
        }
    }

    /// Whether a report of `next` changes a message that is at `self`.
    ///
    /// Acks come late, twice and out of order: only a higher level counts. A failure counts
    /// while nobody has received the message, and is not taken back by a late word that it was
    /// sent; but a failed message of which WhatsApp says that it arrived, has arrived.
    pub const fn advances_to(self, next: Self) -> bool {
        match (self, next) {
            (Self::Pending | Self::Sent, Self::Failed) => true,
            (_, Self::Failed) | (Self::Failed, Self::Pending | Self::Sent) => false,
            (Self::Failed, _) => true,
            _ => next.rank() > self.rank(),
        }
    }

    /// Every status from which a report of `self` is an advance: the database compares with
    /// this list, so that the rule stands in one place.
    pub fn predecessors(self) -> Vec<&'static str> {
        Self::ALL
            .iter()
            .filter(|from| from.advances_to(self))
            .map(|from| from.as_str())
            .collect()
    }
}

/// Reads a word where an unknown one is no error but [`MessageKind::Unknown`].
impl MessageKind {
    /// The kind that the word names, or `Unknown`.
    pub fn lenient(word: &str) -> Self {
        Self::from_str(word).unwrap_or(Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::MessageStatus::{self, Delivered, Failed, Pending, Played, Read, Sent};

    #[test]
    fn acks_in_any_order_and_number_end_at_the_highest() {
        let mut status = Pending;
        for report in [Delivered, Sent, Read, Delivered, Sent, Read] {
            if status.advances_to(report) {
                status = report;
            }
        }
        assert_eq!(status, Read);
    }

    #[test]
    fn an_error_counts_only_while_nobody_has_the_message() {
        assert!(Pending.advances_to(Failed));
        assert!(Sent.advances_to(Failed));
        for reached in [Delivered, Read, Played, Failed] {
            assert!(
                !reached.advances_to(Failed),
                "{reached} went back to failed"
            );
        }
    }

    #[test]
    fn proof_of_arrival_outweighs_a_failure_and_a_late_answer_does_not() {
        assert!(Failed.advances_to(Delivered));
        assert!(!Failed.advances_to(Sent));
        assert!(!Failed.advances_to(Pending));
    }

    #[test]
    fn words_come_back_as_they_went() {
        for status in MessageStatus::ALL {
            assert_eq!(status.as_str().parse::<MessageStatus>().unwrap(), *status);
        }
    }
}
