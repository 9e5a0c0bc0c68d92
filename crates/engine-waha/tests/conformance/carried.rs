//! What messages carry, in the words of the suite and in those of the simulator.

use mf_domain::PhoneNumber;
use mf_engine::{ContactCard, MediaKind, Place, Poll, conformance::Carried};
use mf_waha_sim::{Cards, InboundContent, MediaFile};
use serde_json::Value;

/// What somebody sends.
pub(crate) fn inbound(carried: Carried) -> InboundContent {
    match carried {
        Carried::Nothing => InboundContent::Text,
        Carried::File {
            kind,
            mimetype,
            filename,
            bytes,
        } => {
            let file = MediaFile::new(mimetype, bytes);
            let file = match filename {
                Some(name) => file.named(name),
                None => file,
            };
            match kind {
                MediaKind::Image => InboundContent::Image(file),
                MediaKind::Video => InboundContent::Video(file),
                MediaKind::Gif => InboundContent::Gif(file),
                MediaKind::Audio => InboundContent::Audio(file),
                MediaKind::Voice => InboundContent::Voice(file),
                MediaKind::Sticker => InboundContent::Sticker(file),
                MediaKind::Document => InboundContent::Document(file),
            }
        }
        Carried::Poll(poll) => InboundContent::Poll(mf_waha_sim::Poll {
            name: poll.title,
            options: poll.options,
            multiple_answers: poll.multiple,
        }),
        Carried::Location(place) => InboundContent::Location(mf_waha_sim::Place {
            latitude: place.latitude,
            longitude: place.longitude,
            name: place.title,
            address: place.address,
        }),
        Carried::Contacts(cards) => InboundContent::Contact(Cards {
            vcards: cards.iter().map(vcard).collect(),
        }),
    }
}

/// As phones write them.
fn vcard(card: &ContactCard) -> String {
    let phone = card.phone.as_ref().unwrap();
    let organization = card.organization.as_deref().unwrap();
    let name = &card.full_name;
    format!(
        "BEGIN:VCARD\nVERSION:3.0\nN:;{name};;;\nFN:{name}\nORG:{organization};\n\
         TEL;type=CELL;type=VOICE;waid={phone}:+{phone}\nEND:VCARD"
    )
}

/// What a session sent.
pub(crate) fn sent(kind: &str, payload: &Value) -> Carried {
    let text = |name: &str| payload[name].as_str().map(str::to_owned);
    let texts = |name: &str| {
        let list = payload[name].as_array().unwrap().iter();
        list.map(|item| item.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    match kind {
        "poll" => Carried::Poll(Poll {
            title: text("name").unwrap(),
            options: texts("options"),
            multiple: payload["multipleAnswers"].as_bool().unwrap(),
        }),
        "location" => Carried::Location(Place {
            latitude: payload["latitude"].as_f64().unwrap(),
            longitude: payload["longitude"].as_f64().unwrap(),
            title: text("name"),
            address: text("address"),
        }),
        "contact" => Carried::Contacts(texts("vcards").iter().map(|card| read(card)).collect()),
        _ => Carried::Nothing,
    }
}

/// The few lines that are looked for, in no other way than they are written.
fn read(vcard: &str) -> ContactCard {
    let line = |start: &str| {
        let mut lines = vcard.lines();
        lines.find_map(|line| line.strip_prefix(start).map(str::trim))
    };
    let number = vcard.split("waid=").nth(1).unwrap();
    ContactCard {
        full_name: line("FN:").unwrap().to_owned(),
        phone: PhoneNumber::parse(number.split(':').next().unwrap()).ok(),
        organization: line("ORG:").map(|name| name.trim_end_matches(';').to_owned()),
    }
}
