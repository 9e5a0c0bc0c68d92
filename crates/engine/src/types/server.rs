/// What runs behind the trait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// Its version, such as `2026.7.1`.
    pub version: String,
    /// Which of its own engines it uses, such as `NOWEB`.
    pub dialect: String,
    /// What it can do.
    pub capabilities: Capabilities,
}

/// What an engine can do, by its kind and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// It sends texts, polls, places and cards under the id that we give: a send can be
    /// repeated without a second message.
    pub caller_message_ids: bool,
    /// Media, too, is sent under the id that we give.
    pub caller_media_ids: bool,
    /// It finds a message by the bare id.
    pub find_by_bare_id: bool,
    /// What else it can do.
    pub features: FeatureSet,
}

impl Capabilities {
    /// Whether it can do this.
    pub const fn can(&self, feature: Feature) -> bool {
        self.features.has(feature)
    }

    /// What it would have to do to send this content and cannot, in words that follow "does
    /// not support".
    pub const fn lacks(&self, content: &crate::Content) -> Option<&'static str> {
        match content {
            crate::Content::Media {
                kind: crate::MediaKind::Sticker,
                ..
            } if !self.can(Feature::Stickers) => {
                Some("sending stickers (WAHA does so from version 2026.8.2)")
            }
            _ => None,
        }
    }

    /// Whether a send of this content can be repeated under its id.
    pub const fn takes_id_of(&self, content: &crate::Content) -> bool {
        match content {
            crate::Content::Media { .. } => self.caller_media_ids,
            _ => self.caller_message_ids,
        }
    }
}

/// Something that not every engine can do in every version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Feature {
    /// Sending stickers.
    Stickers,
    /// Marking messages with a star.
    Stars,
    /// Reading the messages of all chats at once.
    AllChats,
    /// Reporting changes of labels.
    LabelEvents,
    /// Creating channels.
    CreateChannels,
    /// Deleting channels.
    DeleteChannels,
    /// Following and leaving channels.
    FollowChannels,
    /// Reporting what was voted in polls.
    PollVotes,
    /// Reporting calls that were taken elsewhere.
    CallsTaken,
}

/// A set of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeatureSet(u32);

impl FeatureSet {
    /// Those of a list.
    pub const fn of(features: &[Feature]) -> Self {
        let mut bits = 0;
        let mut rest = features;
        while let [feature, others @ ..] = rest {
            bits |= 1 << *feature as u8;
            rest = others;
        }
        Self(bits)
    }

    /// Whether one is among them.
    pub const fn has(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u8) != 0
    }
}
