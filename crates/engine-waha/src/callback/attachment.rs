//! What a message carries besides text.

use mf_domain::MessageKind;
use mf_engine::{Attachment, ContactCard, InboundMedia, MediaKind, Place, Poll};
use serde_json::Value;

use super::kind;
use crate::{json, vcard};

pub(super) fn of(payload: &Value, kind: MessageKind) -> Option<Attachment> {
    match kind {
        MessageKind::Location => place(payload).map(Attachment::Location),
        MessageKind::Contact => {
            let cards = cards(payload);
            (!cards.is_empty()).then_some(Attachment::Contacts(cards))
        }
        MessageKind::Poll => poll(payload).map(Attachment::Poll),
        _ if MediaKind::of_message(kind).is_some() || has_media(payload) => {
            Some(Attachment::Media(media(payload)))
        }
        _ => None,
    }
}

/// Pictures of links are media to some engines, but not to people.
fn has_media(payload: &Value) -> bool {
    json::text(payload, "/media/url").is_some()
}

fn media(payload: &Value) -> InboundMedia {
    let file = kind::message(payload).and_then(kind::file);
    let told = |name: &str| {
        let of_file = || json::text(file?, &format!("/{name}"));
        of_file().map(str::to_owned)
    };
    let owned = |pointer: &str| json::text(payload, pointer).map(str::to_owned);
    InboundMedia {
        url: owned("/media/url").or_else(|| owned("/mediaUrl")),
        mimetype: owned("/media/mimetype")
            .or_else(|| told("mimetype"))
            .or_else(|| owned("/_data/mimetype")),
        filename: owned("/media/filename")
            .or_else(|| told("fileName"))
            .or_else(|| owned("/_data/filename")),
    }
}

fn place(payload: &Value) -> Option<Place> {
    let raw = kind::message(payload);
    let raw = raw.and_then(|message| {
        ["locationMessage", "liveLocationMessage"]
            .iter()
            .find_map(|name| message.get(*name))
    });
    let data = payload.get("_data").unwrap_or(&Value::Null);
    let raw = raw.unwrap_or(data);
    let shown = payload.get("location").unwrap_or(&Value::Null);
    let degrees = |name: &str, raw_name: &str| {
        json::float(shown, &format!("/{name}"))
            .or_else(|| json::float(raw, &format!("/{raw_name}")))
            .or_else(|| json::float(data, &format!("/{}", short(name))))
    };
    let words = |names: &[&str]| {
        let of = |from: &Value| {
            names
                .iter()
                .find_map(|name| json::text(from, &format!("/{name}")).map(str::to_owned))
        };
        of(shown).or_else(|| of(raw))
    };
    Some(Place {
        latitude: degrees("latitude", "degreesLatitude")?,
        longitude: degrees("longitude", "degreesLongitude")?,
        title: words(&["name", "description"]),
        address: words(&["address"]),
    })
}

/// What WhatsApp Web calls them.
fn short(name: &str) -> &str {
    match name {
        "latitude" => "lat",
        _ => "lng",
    }
}

fn cards(payload: &Value) -> Vec<ContactCard> {
    let shown: Vec<_> = json::list(payload, "/vCards")
        .filter_map(Value::as_str)
        .filter_map(vcard::read)
        .collect();
    if !shown.is_empty() {
        return shown;
    }
    if let Some(message) = kind::message(payload) {
        let one = message.get("contactMessage").into_iter();
        let raw: Vec<_> = one
            .chain(json::list(message, "/contactsArrayMessage/contacts"))
            .filter_map(|card| vcard::read(json::text(card, "/vcard")?))
            .collect();
        if !raw.is_empty() {
            return raw;
        }
    }
    let several: Vec<_> = json::list(payload, "/_data/vcardList")
        .filter_map(|card| vcard::read(json::text(card, "/vcard")?))
        .collect();
    if !several.is_empty() {
        return several;
    }
    // WhatsApp Web has a single card where others have the text.
    let body = json::text(payload, "/body").filter(|body| body.starts_with("BEGIN:VCARD"));
    body.and_then(vcard::read).into_iter().collect()
}

fn poll(payload: &Value) -> Option<Poll> {
    let of_library = || {
        let message = kind::message(payload)?;
        kind::POLLS.iter().find_map(|name| {
            let poll = message.get(*name)?;
            read_poll(
                json::text(poll, "/name")?,
                json::list(poll, "/options"),
                json::number(poll, "/selectableOptionsCount"),
            )
        })
    };
    let of_web = || {
        let data = payload.get("_data")?;
        read_poll(
            json::text(data, "/pollName")?,
            json::list(data, "/pollOptions"),
            json::number(data, "/pollSelectableOptionsCount"),
        )
    };
    of_library().or_else(of_web)
}

fn read_poll<'a>(
    title: &str,
    options: impl Iterator<Item = &'a Value>,
    selectable: Option<i64>,
) -> Option<Poll> {
    let options: Vec<_> = options
        .filter_map(|option| {
            ["/optionName", "/name"]
                .iter()
                .find_map(|pointer| json::text(option, pointer))
                .or_else(|| option.as_str())
                .map(str::to_owned)
        })
        .collect();
    (!options.is_empty()).then(|| Poll {
        title: title.to_owned(),
        options,
        // None is said where any number may be chosen.
        multiple: selectable.unwrap_or(0) != 1,
    })
}

#[cfg(test)]
mod tests {
    use mf_domain::MessageKind;
    use mf_engine::Attachment;
    use serde_json::{Value, json};

    use super::of;

    fn poll(data: &Value) -> (String, Vec<String>, bool) {
        match of(&json!({"_data": data}), MessageKind::Poll) {
            Some(Attachment::Poll(poll)) => (poll.title, poll.options, poll.multiple),
            _ => panic!("a poll: {data}"),
        }
    }

    #[test]
    fn a_poll_is_read_from_each_library() {
        let raw = json!({
            "name": "When?", "options": [{"optionName": "Now"}, {"optionName": "Later"}],
            "selectableOptionsCount": 1,
        });
        for data in [
            json!({"message": {"pollCreationMessageV3": raw}}),
            json!({"Message": {"pollCreationMessage": raw}}),
            json!({
                "type": "poll_creation", "pollName": "When?", "pollSelectableOptionsCount": 1,
                "pollOptions": [{"name": "Now", "localId": 0}, {"name": "Later", "localId": 1}],
            }),
        ] {
            let options = vec!["Now".to_owned(), "Later".to_owned()];
            assert_eq!(poll(&data), ("When?".to_owned(), options, false));
        }
        let mut any = json!({"message": {"pollCreationMessageV3": raw}});
        any["message"]["pollCreationMessageV3"]["selectableOptionsCount"] = json!(0);
        assert!(poll(&any).2);
    }

    #[test]
    fn a_file_that_did_not_come_is_known_by_what_the_library_says() {
        let payload = json!({
            "hasMedia": true, "media": {"url": null, "error": {"code": 13}},
            "_data": {"message": {"documentMessage": {
                "mimetype": "application/pdf", "fileName": "a.pdf",
            }}},
        });
        let Some(Attachment::Media(media)) = of(&payload, MessageKind::Document) else {
            panic!("a file");
        };
        assert_eq!(media.url, None);
        assert_eq!(media.mimetype.as_deref(), Some("application/pdf"));
        assert_eq!(media.filename.as_deref(), Some("a.pdf"));
    }

    #[test]
    fn a_place_is_read_from_where_it_stands() {
        for payload in [
            json!({"location": {"latitude": "53.5", "longitude": 10, "name": "Harbour",
                "address": "Pier 5"}}),
            json!({"_data": {"message": {"locationMessage": {"degreesLatitude": 53.5,
                "degreesLongitude": 10, "name": "Harbour", "address": "Pier 5"}}}}),
            json!({"location": {"description": "Harbour", "address": "Pier 5"},
                "_data": {"lat": 53.5, "lng": 10}}),
        ] {
            let Some(Attachment::Location(place)) = of(&payload, MessageKind::Location) else {
                panic!("a place: {payload}");
            };
            assert!((place.latitude - 53.5).abs() < 1e-9 && (place.longitude - 10.0).abs() < 1e-9);
            assert_eq!(place.title.as_deref(), Some("Harbour"));
            assert_eq!(place.address.as_deref(), Some("Pier 5"));
        }
        let nowhere = json!({"location": {"latitude": "inf", "name": "Harbour"}});
        assert_eq!(of(&nowhere, MessageKind::Location), None);
    }

    #[test]
    fn cards_are_read_from_where_they_stand() {
        let card = "BEGIN:VCARD\nFN:Ada\nTEL;waid=15550000002:+1\nEND:VCARD";
        for payload in [
            json!({"vCards": [card]}),
            json!({"vCards": [], "_data": {"Message": {"contactMessage": {"vcard": card}}}}),
            json!({"_data": {"message": {"contactsArrayMessage": {"contacts": [{"vcard": card}]}}}}),
            json!({"body": card, "_data": {"type": "vcard"}}),
        ] {
            let Some(Attachment::Contacts(cards)) = of(&payload, MessageKind::Contact) else {
                panic!("cards: {payload}");
            };
            assert_eq!((cards.len(), cards[0].full_name.as_str()), (1, "Ada"));
        }
    }
}
