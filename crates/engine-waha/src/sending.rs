//! Sending, in the shape that each of WAHA's calls wants it.

use mf_domain::WaMessageId;
use mf_engine::{
    ContactCard, Content, EngineError, Feature, FileToSend, MediaKind, Outgoing, Place, Poll,
    SessionKey,
};
use serde_json::{Value, json};

use crate::{
    Waha,
    client::{Answer, Call},
    endpoint::{self, Endpoint},
    ids, vcard,
};

impl Waha {
    pub(crate) async fn submit(
        &self,
        key: &SessionKey,
        message: &Outgoing,
    ) -> Result<Option<WaMessageId>, EngineError> {
        let can = self.info_before_acting().await?.capabilities;
        let (endpoint, mut body) = request(&message.content);
        if endpoint.path == endpoint::SEND_STICKER.path && !can.can(Feature::Stickers) {
            return Err(endpoint.unsupported());
        }
        body["session"] = key.as_str().into();
        body["chatId"] = message.chat.as_str().into();
        if let Some(answered) = &message.reply_to {
            let answered = ids::answered(&message.chat, answered);
            body["reply_to"] = self.named_before_acting(key, &answered).await?.into();
        }
        if let Some(id) = &message.id
            && can.takes_id_of(&message.content)
        {
            body["id"] = id.as_str().into();
        }
        let mut call = Call::new(endpoint, &[]).body(body);
        if matches!(message.content, Content::Media { .. }) {
            call = call.of_media();
        }
        match self.call(call).await? {
            Answer::Said(answer) => Ok(ids::of_sent(&answer)),
            // It was taken. Calling it a failure would have it sent again.
            Answer::Lost => {
                tracing::warn!("WAHA took a message, but its answer cannot be read");
                Ok(None)
            }
        }
    }
}

/// The call that sends a content, and what is said in it of the content.
fn request(content: &Content) -> (&'static Endpoint, Value) {
    match content {
        Content::Text(text) => (&endpoint::SEND_TEXT, json!({"text": text})),
        Content::Media {
            kind,
            file,
            caption,
        } => media(*kind, file, caption.as_deref()),
        Content::Poll(poll) => (&endpoint::SEND_POLL, json!({"poll": poll_value(poll)})),
        Content::Location(place) => (&endpoint::SEND_LOCATION, place_value(place)),
        Content::Contacts(cards) => {
            let cards: Vec<_> = cards.iter().map(card_value).collect();
            (&endpoint::SEND_CONTACTS, json!({"contacts": cards}))
        }
    }
}

fn media(kind: MediaKind, file: &FileToSend, caption: Option<&str>) -> (&'static Endpoint, Value) {
    let mut shown = json!({"mimetype": file.mimetype, "url": file.url});
    if let Some(name) = &file.filename {
        shown["filename"] = name.as_str().into();
    }
    // WAHA has no call for sound files: its call for voice notes makes a voice note of
    // everything, and of what is no Opus in Ogg one that no phone plays.
    let kind = match kind {
        MediaKind::Audio if is_opus(&file.mimetype) => MediaKind::Voice,
        MediaKind::Audio => MediaKind::Document,
        kind => kind,
    };
    let (endpoint, mut body) = match kind {
        MediaKind::Image => (&endpoint::SEND_IMAGE, json!({})),
        MediaKind::Sticker => (&endpoint::SEND_STICKER, json!({})),
        MediaKind::Document | MediaKind::Audio => (&endpoint::SEND_FILE, json!({})),
        // Phones play Opus in Ogg only: anything else WAHA makes into that.
        MediaKind::Voice => {
            let convert = !is_opus(&file.mimetype);
            (&endpoint::SEND_VOICE, json!({"convert": convert}))
        }
        MediaKind::Video | MediaKind::Gif => {
            let gif = kind == MediaKind::Gif;
            if gif {
                // By this type alone WAHA knows that it shall play again and again; what is in
                // the file it finds out when it converts it.
                shown["mimetype"] = "image/gif".into();
            }
            if file.filename.is_none() {
                shown["filename"] = if gif { "animation.gif" } else { "video.mp4" }.into();
            }
            (
                &endpoint::SEND_VIDEO,
                json!({"convert": gif, "asNote": false}),
            )
        }
    };
    // Neither voice notes nor stickers have words below them.
    let captioned = !matches!(kind, MediaKind::Voice | MediaKind::Sticker);
    if let Some(caption) = caption.filter(|_| captioned) {
        body["caption"] = caption.into();
    }
    body["file"] = shown;
    (endpoint, body)
}

fn is_opus(mimetype: &str) -> bool {
    let mimetype = mimetype.to_ascii_lowercase();
    let (kind, parameters) = mimetype.split_once(';').unwrap_or((&mimetype, ""));
    let other_codec = parameters.contains("codecs") && !parameters.contains("opus");
    kind.trim() == "audio/ogg" && !other_codec
}

fn poll_value(poll: &Poll) -> Value {
    json!({
        "name": poll.title,
        "options": poll.options,
        "multipleAnswers": poll.multiple,
    })
}

/// WAHA has one line for what is there and where that is.
fn place_value(place: &Place) -> Value {
    let parts = [place.title.as_deref(), place.address.as_deref()];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    json!({
        "latitude": place.latitude,
        "longitude": place.longitude,
        "title": parts.join(", "),
    })
}

fn card_value(card: &ContactCard) -> Value {
    let Some(phone) = &card.phone else {
        // WAHA makes no card without a number, but sends one that is made.
        return json!({"vcard": vcard::write(card)});
    };
    let mut value = json!({
        "fullName": card.full_name,
        "phoneNumber": format!("+{phone}"),
        "whatsappId": phone.as_str(),
        "vcard": null,
    });
    if let Some(organization) = &card.organization {
        value["organization"] = organization.as_str().into();
    }
    value
}

#[cfg(test)]
mod tests {
    use mf_domain::PhoneNumber;
    use mf_engine::{ContactCard, Content, FileToSend, MediaKind, Place};
    use serde_json::{Value, json};

    use super::request;

    fn sent(kind: MediaKind, mimetype: &str) -> (&'static str, Value) {
        let file = FileToSend {
            mimetype: mimetype.to_owned(),
            filename: None,
            url: "http://moltflow/f".to_owned(),
        };
        let caption = Some("look".to_owned());
        let (endpoint, body) = request(&Content::Media {
            kind,
            file,
            caption,
        });
        (endpoint.path, body)
    }

    #[test]
    fn what_plays_again_and_again_is_known_by_its_type_alone() {
        let (path, body) = sent(MediaKind::Gif, "video/mp4");
        assert_eq!(path, "/api/sendVideo");
        assert_eq!(body["file"]["mimetype"], "image/gif");
        assert_eq!(body["convert"], true);
        let (_, film) = sent(MediaKind::Video, "video/mp4");
        assert_eq!(film["file"]["mimetype"], "video/mp4");
        assert_eq!(film["convert"], false);
        assert_eq!(film["file"]["filename"], "video.mp4");
    }

    #[test]
    fn a_sound_file_is_a_voice_note_only_where_phones_play_it() {
        for (mimetype, call) in [
            ("audio/mpeg", "/api/sendFile"),
            ("audio/ogg; codecs=vorbis", "/api/sendFile"),
            ("audio/ogg; codecs=opus", "/api/sendVoice"),
            ("audio/ogg", "/api/sendVoice"),
        ] {
            assert_eq!(sent(MediaKind::Audio, mimetype).0, call, "{mimetype}");
        }
        let (path, body) = sent(MediaKind::Voice, "audio/ogg; codecs=opus");
        assert_eq!((path, body.get("caption")), ("/api/sendVoice", None));
        assert_eq!(body["convert"], false);
        assert_eq!(sent(MediaKind::Voice, "audio/mpeg").1["convert"], true);
    }

    #[test]
    fn a_place_is_named_in_one_line() {
        let title = |title: Option<&str>, address: Option<&str>| {
            let place = Place {
                latitude: 53.5,
                longitude: -9.9,
                title: title.map(str::to_owned),
                address: address.map(str::to_owned),
            };
            request(&Content::Location(place)).1["title"].clone()
        };
        assert_eq!(title(Some("Harbour"), Some("Pier 5")), "Harbour, Pier 5");
        assert_eq!(title(None, Some("Pier 5")), "Pier 5");
        assert_eq!(title(None, None), "", "WAHA wants it");
    }

    #[test]
    fn a_card_can_be_written_to_where_it_has_a_number() {
        let card = |phone: Option<&str>| {
            let card = ContactCard {
                full_name: "Ada".to_owned(),
                phone: phone.map(|phone| PhoneNumber::parse(phone).unwrap()),
                organization: Some("Engines".to_owned()),
            };
            request(&Content::Contacts(vec![card])).1["contacts"][0].clone()
        };
        assert_eq!(
            card(Some("15550000002")),
            json!({
                "fullName": "Ada", "phoneNumber": "+15550000002", "whatsappId": "15550000002",
                "organization": "Engines", "vcard": null,
            })
        );
        let made = card(None);
        assert!(made["vcard"].as_str().unwrap().contains("FN:Ada\r\n"));
        assert_eq!(made.as_object().unwrap().len(), 1);
    }
}
