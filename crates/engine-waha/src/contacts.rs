use mf_domain::{Jid, JidKind, PhoneNumber};
use mf_engine::{EngineContact, EngineError, EnginePage, LidMapping, SessionKey};

use crate::{
    Waha,
    client::Call,
    endpoint, json,
    listing::{Entry, absent, first_text, jid, phone},
};

/// How engines say that there is no picture, or none for us.
const NO_PICTURE: &[&str] = &["item-not-found", "not-authorized", "not-found"];

impl Waha {
    pub(crate) async fn list_contacts(
        &self,
        key: &SessionKey,
        page: EnginePage,
    ) -> Result<Vec<EngineContact>, EngineError> {
        // Sorted, so that nobody slips from one page to another.
        let query = [
            ("session", key.as_str()),
            ("sortBy", "id"),
            ("sortOrder", "asc"),
        ];
        self.page((&endpoint::CONTACTS, &[]), &query, page, read_contact)
            .await
    }

    pub(crate) async fn picture_of(
        &self,
        key: &SessionKey,
        jid: &Jid,
    ) -> Result<Option<String>, EngineError> {
        let call = Call::new(&endpoint::PICTURE, &[key.as_str(), jid.as_str()]);
        let answer = absent(self.ask(call).await, NO_PICTURE)?;
        Ok(answer.and_then(|answer| first_text(&answer, &["/url"])))
    }

    pub(crate) async fn phone_of_lid(
        &self,
        key: &SessionKey,
        lid: &Jid,
    ) -> Result<Option<PhoneNumber>, EngineError> {
        let call = Call::new(&endpoint::LID, &[key.as_str(), lid.as_str()]);
        let answer = absent(self.ask(call).await, &[])?;
        Ok(answer.and_then(|answer| phone(&answer, &["/pn"])))
    }

    pub(crate) async fn lid_of_phone(
        &self,
        key: &SessionKey,
        phone: &PhoneNumber,
    ) -> Result<Option<Jid>, EngineError> {
        let call = Call::new(&endpoint::LID_OF_PHONE, &[key.as_str(), phone.as_str()]);
        let answer = absent(self.ask(call).await, &[])?;
        Ok(answer.and_then(|answer| hidden(jid(&answer, &["/lid"]))))
    }

    pub(crate) async fn list_lids(
        &self,
        key: &SessionKey,
        page: EnginePage,
    ) -> Result<Vec<LidMapping>, EngineError> {
        self.page((&endpoint::LIDS, &[key.as_str()]), &[], page, read_mapping)
            .await
    }
}

fn hidden(jid: Option<Jid>) -> Option<Jid> {
    jid.filter(|jid| jid.kind() == JidKind::Hidden)
}

/// Reads a person; engines list groups and channels among their contacts, too.
fn read_contact((_, contact): Entry<'_>) -> Option<EngineContact> {
    let jid = jid(contact, &["/id", "/id/_serialized", "/JID", "/jid"])?;
    let is_person = matches!(jid.kind(), JidKind::Person | JidKind::Hidden);
    if !is_person || json::flag(contact, "/isMe") == Some(true) {
        return None;
    }
    Some(EngineContact {
        name: first_text(contact, &["/name", "/FullName", "/shortName"]),
        push_name: first_text(contact, &["/pushname", "/pushName", "/PushName", "/notify"]),
        jid,
    })
}

/// Reads a pair; one whose other side is not known yet is none.
fn read_mapping((_, pair): Entry<'_>) -> Option<LidMapping> {
    Some(LidMapping {
        lid: hidden(jid(pair, &["/lid"]))?,
        phone: phone(pair, &["/pn"])?,
    })
}

#[cfg(test)]
mod tests {
    use mf_domain::PhoneNumber;
    use serde_json::{Value, json};

    use super::{read_contact, read_mapping};

    fn contact(value: &Value) -> Option<(String, Option<String>, Option<String>)> {
        let read = read_contact((None, value))?;
        Some((read.jid.to_string(), read.name, read.push_name))
    }

    #[test]
    fn a_contact_is_read_from_each_engines_object() {
        let ann = Some((
            "15550000002@c.us".to_owned(),
            Some("Ann".to_owned()),
            Some("annie".to_owned()),
        ));
        for value in [
            json!({"id": "15550000002@c.us", "name": "Ann", "pushname": "annie", "isMe": false}),
            json!({"id": "15550000002@s.whatsapp.net", "name": "Ann", "notify": "annie"}),
            json!({"id": {"_serialized": "15550000002@c.us"}, "name": "Ann", "pushname": "annie"}),
            json!({"JID": "15550000002:3@s.whatsapp.net", "FullName": "Ann", "PushName": "annie"}),
        ] {
            assert_eq!(contact(&value), ann, "{value}");
        }
    }

    #[test]
    fn groups_and_oneself_are_no_contacts() {
        for value in [
            json!({"id": "120363040000000000@g.us", "name": "Team"}),
            json!({"id": "status@broadcast"}),
            json!({"id": "15550000001@c.us", "isMe": true}),
            json!({"name": "nobody"}),
            json!("15550000001"),
            json!(null),
        ] {
            assert_eq!(contact(&value), None, "{value}");
        }
    }

    #[test]
    fn half_a_pair_is_none() {
        let full = json!({"lid": "179242000000001@lid", "pn": "15550000002@c.us"});
        let read = read_mapping((None, &full)).unwrap();
        assert_eq!(read.lid.as_str(), "179242000000001@lid");
        assert_eq!(read.phone, PhoneNumber::parse("15550000002").unwrap());
        for value in [
            json!({"lid": "179242000000001@lid", "pn": null}),
            json!({"lid": null, "pn": "15550000002@c.us"}),
            json!({"lid": "15550000002@c.us", "pn": "15550000002@c.us"}),
        ] {
            assert_eq!(read_mapping((None, &value)), None, "{value}");
        }
    }
}
