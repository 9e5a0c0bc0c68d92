use std::fmt;

use crate::{Invalid, PhoneNumber};

/// WhatsApp's name for a conversation, in the one form that the contract uses.
///
/// `@s.whatsapp.net` is read as `@c.us`, and the device suffix (`123:2@lid`) is dropped:
/// both name the same conversation, and engines refuse the latter.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Jid {
    text: String,
    kind: JidKind,
}

/// What kind of conversation a JID names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JidKind {
    /// `<digits>@c.us`: a person, by phone number.
    Person,
    /// `<id>@lid`: a person whose number is hidden.
    Hidden,
    /// `<id>@g.us`: a group.
    Group,
    /// `<id>@newsletter`: a channel.
    Channel,
    /// `status@broadcast` and broadcast lists.
    Broadcast,
}

impl Jid {
    /// Reads a JID.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::read(text).ok_or_else(|| {
            Invalid::new(
                "value_error.chat_id",
                "value is not a valid chat id: use <digits>@c.us, <id>@g.us, <id>@newsletter or \
                 <id>@lid",
            )
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (user, server) = text.split_once('@')?;
        let user = user.split_once(':').map_or(user, |(user, _device)| user);
        let (kind, server) = match server {
            "c.us" | "s.whatsapp.net" => (JidKind::Person, "c.us"),
            "lid" => (JidKind::Hidden, "lid"),
            "g.us" => (JidKind::Group, "g.us"),
            "newsletter" => (JidKind::Channel, "newsletter"),
            "broadcast" => (JidKind::Broadcast, "broadcast"),
            _ => return None,
        };
        let digits = || !user.is_empty() && user.bytes().all(|b| b.is_ascii_digit());
        let sound = user.len() <= 64
            && match kind {
                JidKind::Person => PhoneNumber::parse(user).is_ok(),
                JidKind::Hidden | JidKind::Channel => digits(),
                // Old groups are named by their founder and the time: `49151…-1598…@g.us`.
                JidKind::Group => {
                    !user.is_empty() && user.bytes().all(|b| b.is_ascii_digit() || b == b'-')
                }
                JidKind::Broadcast => user == "status" || digits(),
            };
        sound.then(|| Self {
            text: format!("{user}@{server}"),
            kind,
        })
    }

    /// The conversation with a person.
    pub fn person(phone: &PhoneNumber) -> Self {
        Self {
            text: format!("{phone}@c.us"),
            kind: JidKind::Person,
        }
    }

    /// The JID as text, such as `15551234567@c.us`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What kind of conversation it names.
    pub const fn kind(&self) -> JidKind {
        self.kind
    }

    /// Whether it names a group.
    pub const fn is_group(&self) -> bool {
        matches!(self.kind, JidKind::Group)
    }

    /// The phone number, where the JID says it.
    pub fn phone(&self) -> Option<PhoneNumber> {
        match self.kind {
            JidKind::Person => PhoneNumber::parse(&self.text).ok(),
            _ => None,
        }
    }

    /// The part before the `@`.
    pub fn user(&self) -> &str {
        self.text
            .split_once('@')
            .map_or(&*self.text, |(user, _)| user)
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A person's JID holds their number, so only its end is shown.
impl fmt::Debug for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user();
        let tail = user.get(user.len().saturating_sub(4)..).unwrap_or_default();
        write!(f, "Jid({:?} …{tail})", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::{Jid, JidKind};

    #[test]
    fn the_documented_forms_are_read() {
        for (text, kind) in [
            ("15551234567@c.us", JidKind::Person),
            ("120363040000000000@g.us", JidKind::Group),
            ("4915112345678-1598000000@g.us", JidKind::Group),
            ("120363040000000001@newsletter", JidKind::Channel),
            ("179242000000001@lid", JidKind::Hidden),
            ("status@broadcast", JidKind::Broadcast),
        ] {
            let jid = Jid::parse(text).unwrap();
            assert_eq!((jid.as_str(), jid.kind()), (text, kind));
        }
    }

    #[test]
    fn two_names_of_one_conversation_become_one() {
        assert_eq!(
            Jid::parse("15551234567@s.whatsapp.net").unwrap().as_str(),
            "15551234567@c.us"
        );
        assert_eq!(
            Jid::parse("15551234567:12@c.us").unwrap().as_str(),
            "15551234567@c.us"
        );
        assert_eq!(
            Jid::parse("179242000000001:2@lid").unwrap().as_str(),
            "179242000000001@lid"
        );
    }

    #[test]
    fn unknown_forms_are_refused() {
        for text in [
            "",
            "@c.us",
            "15551234567",
            "15551234567@",
            "1555@example.com",
            "abc@c.us",
            "x@g.us",
            "15551234567@c.us@c.us",
            "12 34@g.us",
            "+15551234567@c.us@",
        ] {
            assert!(Jid::parse(text).is_err(), "{text:?} was taken");
        }
    }
}
