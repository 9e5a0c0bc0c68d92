//! WAHA's ids of messages: `{true|false}_{chat}_{id}`, in groups often with `_{participant}`.

use mf_domain::{Jid, WaMessageId};
use mf_engine::{MessageRef, ReplyTo};
use serde_json::Value;

use crate::json;

/// Bytes of the longest bare id that is taken; phones make some of 32.
pub(crate) const LONGEST: usize = 256;

/// What an id says. One message may be told under several ids (by number and by hidden id,
/// with and without its writer); the bare id within them is always the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FullId {
    pub(crate) from_me: bool,
    pub(crate) chat: Jid,
    pub(crate) id: WaMessageId,
    pub(crate) participant: Option<Jid>,
}

impl FullId {
    /// Reads an id; `None` where it does not say direction, chat and bare id.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (from_me, chat, bare, last) = split(text)?;
        let chat = Jid::parse(chat).ok()?;
        Some(Self {
            from_me,
            chat,
            id: WaMessageId::new(bare),
            // wwebjs has been seen to append `_out` instead.
            participant: last.and_then(|last| Jid::parse(last).ok()),
        })
    }

    /// The id of a message, as far as we know it.
    pub(crate) fn of(message: &MessageRef) -> Self {
        let in_group = message.chat.is_group();
        Self {
            from_me: message.from_me,
            chat: message.chat.clone(),
            id: message.id.clone(),
            participant: message.participant.clone().filter(|_| in_group),
        }
    }

    /// Whether it says all that an engine may want to hear.
    pub(crate) fn is_whole(&self) -> bool {
        !self.chat.is_group() || self.participant.is_some()
    }

    /// The message that it is the id of.
    pub(crate) fn message(self) -> MessageRef {
        MessageRef {
            chat: self.chat,
            id: self.id,
            from_me: self.from_me,
            participant: self.participant,
        }
    }
}

/// The message that is answered in a chat.
pub(crate) fn answered(chat: &Jid, answered: &ReplyTo) -> MessageRef {
    MessageRef {
        chat: chat.clone(),
        id: answered.id.clone(),
        from_me: answered.from_me,
        participant: answered.participant.clone(),
    }
}

impl std::fmt::Display for FullId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}_{}", self.from_me, self.chat, self.id)?;
        match &self.participant {
            Some(participant) => write!(f, "_{participant}"),
            None => Ok(()),
        }
    }
}

fn split(text: &str) -> Option<(bool, &str, &str, Option<&str>)> {
    let mut parts = text.splitn(4, '_');
    let from_me = parts.next()?.parse().ok()?;
    let chat = parts.next()?;
    let third = parts.next()?;
    let last = parts.next();
    let bare = match last {
        // In channels the server's number of the message stands before its id.
        Some(client) if chat.ends_with("@newsletter") => client,
        _ => third,
    };
    is_sound(bare).then_some((from_me, chat, bare, last))
}

/// Whoever writes a message chooses its id, and messages are looked up by it.
fn is_sound(bare: &str) -> bool {
    (1..=LONGEST).contains(&bare.len())
}

/// The bare id in an id of either form. Also of one whose chat we cannot read: the bare id
/// is what messages are known by.
pub(crate) fn bare(text: &str) -> Option<WaMessageId> {
    let bare = split(text).map_or(text, |(_, _, bare, _)| bare);
    is_sound(bare).then(|| WaMessageId::new(bare))
}

/// Where the id of a sent message stands, in the order of trust: every engine answers with
/// its own library's object.
const SENT: &[&str] = &[
    "/id",
    "/id/_serialized",
    "/id/id",
    "/key/id",
    "/_data/id/_serialized",
    "/_data/id/id",
];

/// The bare id in the answer to a send, where there is one.
pub(crate) fn of_sent(answer: &Value) -> Option<WaMessageId> {
    SENT.iter()
        .find_map(|pointer| bare(json::text(answer, pointer)?))
}

#[cfg(test)]
mod tests {
    use mf_domain::Jid;
    use mf_engine::ReplyTo;
    use proptest::prelude::*;
    use serde_json::json;

    use super::{FullId, WaMessageId, answered, bare, of_sent};

    #[test]
    fn the_documented_forms_are_read() {
        for (text, from_me, chat, id, participant) in [
            (
                "false_11111111111@c.us_AAAA",
                false,
                "11111111111@c.us",
                "AAAA",
                None,
            ),
            (
                "true_11111111111@s.whatsapp.net_3EB0",
                true,
                "11111111111@c.us",
                "3EB0",
                None,
            ),
            (
                "true_123456789:2@lid_3EB0",
                true,
                "123456789@lid",
                "3EB0",
                None,
            ),
            (
                "false_120363@g.us_AAAA_22222222222:7@c.us",
                false,
                "120363@g.us",
                "AAAA",
                Some("22222222222@c.us"),
            ),
            (
                "true_11111111111@c.us_3EB0_out",
                true,
                "11111111111@c.us",
                "3EB0",
                None,
            ),
            (
                "false_120363@newsletter_117_3EB0",
                false,
                "120363@newsletter",
                "3EB0",
                None,
            ),
            (
                "false_120363@newsletter_117",
                false,
                "120363@newsletter",
                "117",
                None,
            ),
            (
                "false_status@broadcast_AA_22222222222@c.us",
                false,
                "status@broadcast",
                "AA",
                Some("22222222222@c.us"),
            ),
        ] {
            let read = FullId::parse(text).unwrap();
            assert_eq!(
                (read.from_me, read.chat.as_str(), read.id.as_str()),
                (from_me, chat, id)
            );
            assert_eq!(
                read.participant.as_ref().map(Jid::as_str),
                participant,
                "{text}"
            );
        }
    }

    #[test]
    fn what_says_no_chat_is_no_full_id_but_may_be_a_bare_one() {
        for text in [
            "",
            "_",
            "3EB0AA",
            "true_3EB0AA",
            "yes_1@c.us_A",
            "true_1234567@c.us_",
        ] {
            assert_eq!(FullId::parse(text), None, "{text}");
        }
        assert_eq!(bare("3EB0AA"), Some(WaMessageId::new("3EB0AA")));
        assert_eq!(
            bare("true_867051314767696@bot_3EB0"),
            Some(WaMessageId::new("3EB0"))
        );
        assert_eq!(bare(""), None);
        let (longest, longer) = ("A".repeat(256), "A".repeat(257));
        assert_eq!(bare(&longest), Some(WaMessageId::new(longest)));
        assert_eq!(bare(&longer), None);
        assert_eq!(FullId::parse(&format!("true_1234567@c.us_{longer}")), None);
    }

    #[test]
    fn each_engine_hides_the_id_of_a_sent_message_elsewhere() {
        for answer in [
            json!({"id": "true_11111111111@c.us_3EB0_22222222222@c.us", "_data": {}}),
            json!({"id": "3EB0"}),
            json!({"id": {"fromMe": true, "_serialized": "true_11111111111@c.us_3EB0"}}),
            json!({"key": {"remoteJid": "1@s.whatsapp.net", "fromMe": true, "id": "3EB0"}}),
            json!({"id": null, "_data": {"id": {"_serialized": "true_1@c.us_3EB0"}}}),
        ] {
            assert_eq!(of_sent(&answer), Some(WaMessageId::new("3EB0")), "{answer}");
        }
        for answer in [
            json!(null),
            json!({}),
            json!({"sent": true}),
            json!([]),
            json!(""),
        ] {
            assert_eq!(of_sent(&answer), None, "{answer}");
        }
    }

    #[test]
    fn an_answered_message_is_named_with_its_writer_only_in_groups() {
        let question = ReplyTo {
            id: WaMessageId::new("AA"),
            from_me: false,
            participant: Some(Jid::parse("22222222222@c.us").unwrap()),
        };
        let group = Jid::parse("120363@g.us").unwrap();
        let person = Jid::parse("11111111111@c.us").unwrap();
        assert_eq!(
            FullId::of(&answered(&group, &question)).to_string(),
            "false_120363@g.us_AA_22222222222@c.us"
        );
        assert_eq!(
            FullId::of(&answered(&person, &question)).to_string(),
            "false_11111111111@c.us_AA"
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_stumble(text in "\\PC*") {
            let _ = (FullId::parse(&text), bare(&text));
        }

        #[test]
        fn no_text_of_the_right_letters_does_either(text in "(true|false)?[_@:.a-z0-9]{0,40}") {
            let _ = (FullId::parse(&text), bare(&text));
        }

        #[test]
        fn an_id_comes_back_as_it_went(
            from_me: bool,
            chat in "[0-9]{7,15}@(c\\.us|lid|g\\.us)",
            id in "[0-9A-F]{1,32}",
            participant in proptest::option::of("[0-9]{7,15}@(c\\.us|lid)"),
        ) {
            let full = FullId {
                from_me,
                chat: Jid::parse(&chat).unwrap(),
                id: WaMessageId::new(id),
                participant: participant.map(|jid| Jid::parse(&jid).unwrap()),
            };
            prop_assert_eq!(FullId::parse(&full.to_string()).unwrap(), full.clone());
            prop_assert_eq!(bare(&full.to_string()).unwrap(), full.id);
        }
    }
}
