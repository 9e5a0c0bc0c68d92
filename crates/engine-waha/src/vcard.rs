//! Contact cards (vCard 3.0), as WhatsApp writes them and as far as the product reads them.

use mf_domain::PhoneNumber;
use mf_engine::ContactCard;

/// Reads a card. What it does not say is empty: people write cards in many ways.
pub(crate) fn read(text: &str) -> Option<ContactCard> {
    let lines = unfold(text);
    let mut card = ContactCard {
        full_name: String::new(),
        phone: None,
        organization: None,
    };
    let mut structured = String::new();
    for line in &lines {
        let Some((head, value)) = line.split_once(':') else {
            continue;
        };
        let name = head.split(';').next().unwrap_or_default();
        // `item1.TEL` groups a line with others.
        let name = name.rsplit('.').next().unwrap_or_default();
        match name.to_ascii_uppercase().as_str() {
            "FN" if card.full_name.is_empty() => card.full_name = plain(value, " "),
            "N" if structured.is_empty() => structured = plain(value, " "),
            "ORG" if card.organization.is_none() => {
                card.organization = Some(plain(value, ", ")).filter(|text| !text.is_empty());
            }
            "TEL" if card.phone.is_none() => card.phone = phone(head, value),
            _ => {}
        }
    }
    if card.full_name.is_empty() {
        card.full_name = structured;
    }
    let says_nothing =
        card.full_name.is_empty() && card.phone.is_none() && card.organization.is_none();
    (!says_nothing).then_some(card)
}

/// Lines that begin with a space go on where the one before ended.
fn unfold(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.trim_end().to_owned()),
        }
    }
    lines
}

/// WhatsApp says in a parameter which account the number has; else it is what is written.
fn phone(head: &str, value: &str) -> Option<PhoneNumber> {
    let account = head.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case("waid")
            .then(|| PhoneNumber::parse(value).ok())?
    });
    let written = || {
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        // Without its country code a number names somebody else.
        value
            .trim_start()
            .trim_start_matches("tel:")
            .starts_with('+')
            .then(|| PhoneNumber::parse(&digits).ok())?
    };
    account.or_else(written)
}

/// A value without its escapes; its parts, which semicolons separate, joined.
fn plain(value: &str, between: &str) -> String {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in value.chars() {
        if !escaped && c == ';' {
            parts.push(String::new());
            continue;
        }
        if !escaped && c == '\\' {
            escaped = true;
            continue;
        }
        if let Some(part) = parts.last_mut() {
            part.push(if escaped && matches!(c, 'n' | 'N') {
                '\n'
            } else {
                c
            });
        }
        escaped = false;
    }
    let parts: Vec<_> = parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(between)
}

/// Writes a card.
pub(crate) fn write(card: &ContactCard) -> String {
    let mut lines = vec![
        "BEGIN:VCARD".to_owned(),
        "VERSION:3.0".to_owned(),
        format!("FN:{}", escaped(&card.full_name)),
    ];
    if let Some(organization) = &card.organization {
        lines.push(format!("ORG:{};", escaped(organization)));
    }
    if let Some(phone) = &card.phone {
        lines.push(format!("TEL;type=CELL;type=VOICE;waid={phone}:+{phone}"));
    }
    lines.push("END:VCARD".to_owned());
    lines.join("\r\n")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use mf_domain::PhoneNumber;
    use mf_engine::ContactCard;
    use proptest::prelude::*;

    use super::{read, write};

    fn number(digits: &str) -> Option<PhoneNumber> {
        PhoneNumber::parse(digits).ok()
    }

    #[test]
    fn whatsapps_own_cards_are_read() {
        let card = read(
            "BEGIN:VCARD\nVERSION:3.0\nN:Lovelace;Ada;;;\nFN:Ada Lovelace\n\
             ORG:Analytical\\, Engines;\nitem1.TEL;waid=15550000002:+1 555-000-0002\n\
             item1.X-ABLabel:Mobile\nEND:VCARD",
        )
        .unwrap();
        assert_eq!(card.full_name, "Ada Lovelace");
        assert_eq!(card.organization.as_deref(), Some("Analytical, Engines"));
        assert_eq!(card.phone, number("15550000002"));
    }

    #[test]
    fn a_card_of_another_kind_is_read_as_far_as_it_goes() {
        let card = read("BEGIN:VCARD\r\nN:Lovelace;Ada\r\nTEL;TYPE=cell:+44 20 7946\r\n 0018\r\n");
        let card = card.unwrap();
        assert_eq!(card.full_name, "Lovelace Ada");
        assert_eq!(card.phone, number("442079460018"));
        let local = read("FN:Ada\nTEL:555 0002").unwrap();
        assert_eq!(local.phone, None, "of which country?");
        assert_eq!(read("BEGIN:VCARD\nEND:VCARD"), None);
        assert_eq!(read(""), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_stumble(text in "\\PC*") {
            let _ = read(&text);
        }

        #[test]
        fn a_card_comes_back_as_it_went(
            full_name in "[a-zA-Z;,\\\\]{1,20}",
            organization in proptest::option::of("[a-zA-Z;,\\\\]{1,20}"),
            phone in proptest::option::of("[0-9]{7,15}"),
        ) {
            let phone = phone.map(|phone| PhoneNumber::parse(&phone).unwrap());
            let card = ContactCard { full_name, phone, organization };
            prop_assert_eq!(read(&write(&card)), Some(card));
        }
    }
}
