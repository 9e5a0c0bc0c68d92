//! Who is who: the number and the hidden id of one person, where an engine tells both.

use mf_domain::{Jid, JidKind};
use mf_engine::Identity;
use serde_json::Value;

use crate::json;

/// The pair of which a message's id tells one: of its writer in a group, of the other person in
/// a chat of two.
pub(super) fn of(
    payload: &Value,
    chat: &Jid,
    writer: Option<&Jid>,
    from_me: bool,
) -> Option<Identity> {
    let in_chat_of_two = matches!(chat.kind(), JidKind::Person | JidKind::Hidden);
    let known = if in_chat_of_two { Some(chat) } else { writer }?;
    let pointers: &[&[&str]] = match (in_chat_of_two, from_me) {
        (true, false) => &[OTHER, SENDER],
        // The sender is this account.
        (true, true) => &[OTHER],
        (false, _) => &[WRITER, SENDER],
    };
    pointers
        .iter()
        .flat_map(|pointers| pointers.iter())
        .filter_map(|pointer| json::jid(payload, &[pointer]))
        .find_map(|told| pair(known, &told))
}

/// The other of two.
const OTHER: &[&str] = &["/_data/key/remoteJidAlt", "/_data/Info/RecipientAlt"];

/// Who wrote in a group.
const WRITER: &[&str] = &[
    "/_data/key/participantAlt",
    "/_data/key/participantPn",
    "/_data/key/participantLid",
];

/// Who wrote, wherever.
const SENDER: &[&str] = &[
    "/_data/Info/SenderAlt",
    "/_data/key/senderPn",
    "/_data/key/senderLid",
];

/// Makes a pair of a number and a hidden id, whichever is which.
fn pair(one: &Jid, other: &Jid) -> Option<Identity> {
    let (phone, lid) = match (one.kind(), other.kind()) {
        (JidKind::Person, JidKind::Hidden) => (one, other),
        (JidKind::Hidden, JidKind::Person) => (other, one),
        _ => return None,
    };
    Some(Identity {
        phone: phone.phone()?,
        lid: lid.clone(),
    })
}

#[cfg(test)]
mod tests {
    use mf_domain::Jid;
    use serde_json::{Value, json};

    use super::of;

    fn told(data: &Value, chat: &str, writer: Option<&str>, from_me: bool) -> bool {
        let chat = Jid::parse(chat).unwrap();
        let writer = writer.map(|writer| Jid::parse(writer).unwrap());
        let payload = json!({"_data": data});
        of(&payload, &chat, writer.as_ref(), from_me).is_some_and(|identity| {
            (identity.phone.as_str(), identity.lid.as_str()) == ("15550000002", "22@lid")
        })
    }

    #[test]
    fn each_library_tells_the_other_name_in_its_own_way() {
        let (person, group) = ("15550000002@c.us", "120363@g.us");
        let number = "15550000002@s.whatsapp.net";
        let gows = |name: &str, jid: &str| json!({"Info": {name: jid}});
        let noweb = |name: &str, jid: &str| json!({"key": {name: jid}});
        for (data, chat, writer, from_me) in [
            (gows("SenderAlt", number), "22@lid", None, false),
            (gows("SenderAlt", "22:4@lid"), person, None, false),
            (gows("RecipientAlt", number), "22@lid", None, true),
            (gows("SenderAlt", number), group, Some("22@lid"), false),
            (noweb("remoteJidAlt", number), "22@lid", None, true),
            (noweb("remoteJidAlt", "22@lid"), person, None, false),
            (
                noweb("participantAlt", "22@lid"),
                group,
                Some(person),
                false,
            ),
            (noweb("senderPn", number), "22@lid", None, false),
            (noweb("participantPn", number), group, Some("22@lid"), false),
            (noweb("senderLid", "22@lid"), person, None, false),
        ] {
            assert!(told(&data, chat, writer, from_me), "{chat} {data}");
        }
    }

    #[test]
    fn our_own_other_name_is_not_taken_for_the_others() {
        let ours = json!({"Info": {"SenderAlt": "15550000002@c.us"}});
        assert!(!told(&ours, "22@lid", None, true));
        let same = json!({"key": {"remoteJidAlt": "15550000002@c.us"}});
        assert!(!told(&same, "15550000002@c.us", None, false), "no pair");
    }
}
