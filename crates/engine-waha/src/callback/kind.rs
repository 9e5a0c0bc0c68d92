//! What a message is made of. WAHA itself does not say: it is read from what each engine's
//! library shows of the message, and guessed from the attachment where that shows nothing.

use mf_domain::MessageKind;
use serde_json::Value;

use crate::json;

/// What a message is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Of(MessageKind),
    /// A notice of WhatsApp's own, or what another event tells.
    Nothing,
}

pub(super) fn of(payload: &Value) -> Content {
    let data = payload.get("_data").unwrap_or(&Value::Null);
    by_type(data)
        .or_else(|| by_member(message(payload)?))
        .or_else(|| by_stub(data))
        .or_else(|| json::text(data, "/Info/MediaType").and_then(by_word))
        .unwrap_or_else(|| Content::Of(guess(payload)))
}

/// WEBJS and WPP: WhatsApp Web's own word.
fn by_type(data: &Value) -> Option<Content> {
    let content = by_word(json::text(data, "/type")?)?;
    // Some releases show voice notes as sound with a mark.
    let marked = json::flag(data, "/isPtt").or_else(|| json::flag(data, "/ptt")) == Some(true);
    let again = json::flag(data, "/isGif") == Some(true);
    Some(match content {
        Content::Of(MessageKind::Audio) if marked => Content::Of(MessageKind::Voice),
        Content::Of(MessageKind::Video) if again => Content::Of(MessageKind::Gif),
        content => content,
    })
}

fn by_word(word: &str) -> Option<Content> {
    Some(Content::Of(match word {
        "chat" | "text" | "url" => MessageKind::Text,
        "image" => MessageKind::Image,
        "video" | "ptv" => MessageKind::Video,
        "gif" => MessageKind::Gif,
        "audio" => MessageKind::Audio,
        "ptt" => MessageKind::Voice,
        "document" => MessageKind::Document,
        "sticker" => MessageKind::Sticker,
        "location" | "livelocation" => MessageKind::Location,
        "vcard" | "multi_vcard" | "contact" | "contact_array" => MessageKind::Contact,
        "poll_creation" => MessageKind::Poll,
        "e2e_notification"
        | "notification"
        | "notification_template"
        | "gp2"
        | "protocol"
        | "revoked"
        | "reaction"
        | "poll_update"
        | "call_log" => return Some(Content::Nothing),
        _ => return None,
    }))
}

/// NOWEB: what was taken back, and notices, have a mark where the message was.
fn by_stub(data: &Value) -> Option<Content> {
    let stub = data.get("messageStubType").filter(|stub| !stub.is_null())?;
    // A message that could not be decrypted is one all the same.
    let sealed = stub.as_str() == Some("CIPHERTEXT") || stub.as_i64() == Some(2);
    (!sealed && stub.as_i64() != Some(0)).then_some(Content::Nothing)
}

/// NOWEB and GOWS: WhatsApp's own message, taken out of what is put around it.
pub(super) fn message(payload: &Value) -> Option<&Value> {
    let whole = |name| payload.pointer(name).filter(|message| message.is_object());
    let mut message = whole("/_data/message").or_else(|| whole("/_data/Message"))?;
    // Wrappers within wrappers do occur; these are more than ever were seen.
    for _ in 0..4 {
        match WRAPPERS
            .iter()
            .find_map(|wrapper| message.get(*wrapper)?.get("message"))
        {
            Some(inner) => message = inner,
            None => break,
        }
    }
    Some(message)
}

/// The member of such a message that says what is known of its file.
pub(super) fn file(message: &Value) -> Option<&Value> {
    [
        "imageMessage",
        "videoMessage",
        "ptvMessage",
        "audioMessage",
        "documentMessage",
        "stickerMessage",
    ]
    .iter()
    .find_map(|name| message.get(*name).filter(|file| file.is_object()))
}

/// The names under which polls have come.
pub(super) const POLLS: &[&str] = &[
    "pollCreationMessage",
    "pollCreationMessageV2",
    "pollCreationMessageV3",
    "pollCreationMessageV4",
    "pollCreationMessageV5",
];

/// One member of such a message says what it is.
fn by_member(message: &Value) -> Option<Content> {
    let members = message.as_object()?;
    let has = |names: &[&str]| {
        names
            .iter()
            .any(|name| members.get(*name).is_some_and(|m| !m.is_null()))
    };
    let kind = if has(&["imageMessage"]) {
        MessageKind::Image
    } else if has(&["videoMessage", "ptvMessage"]) {
        if json::flag(message, "/videoMessage/gifPlayback") == Some(true) {
            MessageKind::Gif
        } else {
            MessageKind::Video
        }
    } else if has(&["audioMessage"]) {
        let voice = ["/audioMessage/ptt", "/audioMessage/PTT"]
            .iter()
            .any(|pointer| json::flag(message, pointer) == Some(true));
        if voice {
            MessageKind::Voice
        } else {
            MessageKind::Audio
        }
    } else if has(&["documentMessage"]) {
        MessageKind::Document
    } else if has(&["stickerMessage"]) {
        MessageKind::Sticker
    } else if has(&["locationMessage", "liveLocationMessage"]) {
        MessageKind::Location
    } else if has(&["contactMessage", "contactsArrayMessage"]) {
        MessageKind::Contact
    } else if has(POLLS) {
        MessageKind::Poll
    } else if has(&["protocolMessage", "reactionMessage", "pollUpdateMessage"]) {
        return Some(Content::Nothing);
    } else if has(&["conversation", "extendedTextMessage"]) {
        // Last, since an empty conversation may stand beside any other member.
        MessageKind::Text
    } else {
        return None;
    };
    Some(Content::Of(kind))
}

/// What is put around a message that vanishes, is seen once, or has a caption of its own.
const WRAPPERS: &[&str] = &[
    "ephemeralMessage",
    "viewOnceMessage",
    "viewOnceMessageV2",
    "viewOnceMessageV2Extension",
    "documentWithCaptionMessage",
    "deviceSentMessage",
    "editedMessage",
];

/// From what WAHA says of every message.
fn guess(payload: &Value) -> MessageKind {
    let present = |name: &str| payload.get(name).is_some_and(|member| !member.is_null());
    if present("location") {
        return MessageKind::Location;
    }
    if payload
        .get("vCards")
        .and_then(Value::as_array)
        .is_some_and(|cards| !cards.is_empty())
    {
        return MessageKind::Contact;
    }
    if let Some(mimetype) = json::text(payload, "/media/mimetype") {
        return by_mimetype(mimetype);
    }
    // An attachment of which nothing arrived, not even its type.
    if json::flag(payload, "/hasMedia") == Some(true) || json::text(payload, "/body").is_none() {
        return MessageKind::Unknown;
    }
    MessageKind::Text
}

fn by_mimetype(mimetype: &str) -> MessageKind {
    let mimetype = mimetype.to_ascii_lowercase();
    match mimetype.split_once('/') {
        // People send pictures as JPEG and PNG; WhatsApp's stickers are WebP.
        Some(("image", rest)) if rest.starts_with("webp") => MessageKind::Sticker,
        Some(("image", _)) => MessageKind::Image,
        Some(("video", _)) => MessageKind::Video,
        // Voice notes, and hardly anything else, are Opus in Ogg.
        Some(("audio", rest)) if rest.starts_with("ogg") => MessageKind::Voice,
        Some(("audio", _)) => MessageKind::Audio,
        _ => MessageKind::Document,
    }
}

#[cfg(test)]
mod tests {
    use mf_domain::MessageKind;
    use serde_json::{Value, json};

    use super::{Content, of};

    #[test]
    fn each_library_says_it_in_its_own_way() {
        for (payload, kind) in [
            (json!({"_data": {"type": "chat"}}), MessageKind::Text),
            (json!({"_data": {"type": "ptt"}}), MessageKind::Voice),
            (
                json!({"_data": {"type": "vcard"}, "body": "BEGIN:VCARD"}),
                MessageKind::Contact,
            ),
            (
                json!({"_data": {"message": {"conversation": "a"}}}),
                MessageKind::Text,
            ),
            (
                json!({"_data": {"message": {"audioMessage": {"ptt": true}}}}),
                MessageKind::Voice,
            ),
            (
                json!({"_data": {"message": {"audioMessage": {"ptt": false}}}}),
                MessageKind::Audio,
            ),
            (
                json!({"_data": {"message": {"ephemeralMessage": {"message": {
                    "documentWithCaptionMessage": {"message": {"documentMessage": {}}},
                }}}}}),
                MessageKind::Document,
            ),
            (
                json!({"_data": {"Message": {"audioMessage": {"PTT": true}}}}),
                MessageKind::Voice,
            ),
            (
                json!({"_data": {"Message": {"pollCreationMessageV3": {}}}}),
                MessageKind::Poll,
            ),
            (
                json!({"_data": {"message": {"videoMessage": {"gifPlayback": true}}}}),
                MessageKind::Gif,
            ),
            (
                json!({"_data": {"type": "video", "isGif": true}}),
                MessageKind::Gif,
            ),
            (
                json!({"_data": {"Info": {"MediaType": "sticker"}}}),
                MessageKind::Sticker,
            ),
        ] {
            assert_eq!(of(&payload), Content::Of(kind), "{payload}");
        }
    }

    #[test]
    fn notices_are_no_messages() {
        for payload in [
            json!({"_data": {"type": "e2e_notification"}}),
            json!({"_data": {"message": {"protocolMessage": {"type": "REVOKE"}}}}),
            json!({"_data": {"Message": {"reactionMessage": {}}}}),
            json!({"_data": {"message": null, "messageStubType": "REVOKE"}}),
        ] {
            assert_eq!(of(&payload), Content::Nothing, "{payload}");
        }
    }

    #[test]
    fn where_the_library_says_nothing_the_attachment_does() {
        let media = |mimetype: &str| json!({"hasMedia": true, "media": {"mimetype": mimetype}});
        for (payload, kind) in [
            (media("image/jpeg"), MessageKind::Image),
            (media("image/webp"), MessageKind::Sticker),
            (media("video/mp4"), MessageKind::Video),
            (media("audio/ogg; codecs=opus"), MessageKind::Voice),
            (media("audio/mpeg"), MessageKind::Audio),
            (media("application/pdf"), MessageKind::Document),
            (json!({"location": {"latitude": 1}}), MessageKind::Location),
            (json!({"vCards": ["BEGIN:VCARD"]}), MessageKind::Contact),
            (
                json!({"body": "hello", "vCards": [], "location": null}),
                MessageKind::Text,
            ),
            (
                json!({"body": "caption", "hasMedia": true, "media": null}),
                MessageKind::Unknown,
            ),
            (json!({"body": null}), MessageKind::Unknown),
            (Value::Null, MessageKind::Unknown),
        ] {
            assert_eq!(of(&payload), Content::Of(kind), "{payload}");
        }
    }
}
