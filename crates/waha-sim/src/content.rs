//! What messages are made of, besides text.

use std::fmt;

use axum::body::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What a message carries. Its text is the caption where there is one.
///
/// Over HTTP: `{"kind": "image", "mimetype": "image/png", "data": "<base64>"}`,
/// `{"kind": "location", "latitude": 1.5, "longitude": 2}`,
/// `{"kind": "contact", "vcards": ["BEGIN:VCARD…"]}`,
/// `{"kind": "poll", "name": "Lunch?", "options": ["yes", "no"]}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// Nothing but its text.
    #[default]
    Text,
    /// A picture.
    Image(MediaFile),
    /// A file that keeps its name.
    Document(MediaFile),
    /// Sound, such as music.
    Audio(MediaFile),
    /// Sound that was spoken into the phone.
    Voice(MediaFile),
    /// A film.
    Video(MediaFile),
    /// A round film of whoever sends it.
    VideoNote(MediaFile),
    /// A short film that plays by itself, over and over.
    Gif(MediaFile),
    /// A WebP picture without a frame.
    Sticker(MediaFile),
    /// A place.
    Location(Place),
    /// One contact card or several.
    Contact(Cards),
    /// A question with answers to choose from.
    Poll(Poll),
}

/// A file within a message.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct MediaFile {
    /// What it is said to be.
    pub mimetype: String,
    /// Its name. Only documents have one that others see.
    #[serde(default)]
    pub filename: Option<String>,
    #[serde(deserialize_with = "from_base64")]
    pub(crate) data: Bytes,
}

impl MediaFile {
    /// A file without a name.
    pub fn new(mimetype: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self {
            mimetype: mimetype.into(),
            filename: None,
            data: Bytes::from(data.into()),
        }
    }

    /// With this name.
    pub fn named(mut self, filename: impl Into<String>) -> Self {
        self.filename = Some(filename.into());
        self
    }

    /// What is in it.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    pub(crate) fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.data).into()
    }
}

// Without the bytes, which nobody can read anyway.
impl fmt::Debug for MediaFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaFile")
            .field("mimetype", &self.mimetype)
            .field("filename", &self.filename)
            .field("bytes", &self.data.len())
            .finish()
    }
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(decode_base64(&text))
}

/// Base64 as Node.js reads it: what does not belong there is skipped, and no input is wrong.
pub(crate) fn decode_base64(text: &str) -> Bytes {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(((bits >> held) & 0xff) as u8);
        }
    }
    Bytes::from(bytes)
}

/// A place on a map.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// What is there.
    #[serde(default)]
    pub name: Option<String>,
    /// Where that is.
    #[serde(default)]
    pub address: Option<String>,
}

/// Contact cards.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Cards {
    /// The cards, each a vCard.
    pub vcards: Vec<String>,
}

/// The name on a card.
pub(crate) fn card_name(vcard: &str) -> &str {
    vcard
        .lines()
        .find_map(|line| line.strip_prefix("FN:"))
        .unwrap_or_default()
        .trim()
}

/// A question with answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Poll {
    /// The question.
    pub name: String,
    /// The answers.
    pub options: Vec<String>,
    /// Whether more than one answer may be chosen.
    #[serde(default)]
    pub multiple_answers: bool,
}

impl Poll {
    /// WhatsApp's number for how many may be chosen; 0 is any number.
    pub(crate) fn selectable(&self) -> u32 {
        u32::from(!self.multiple_answers)
    }
}

impl Content {
    /// The kind's name, as in [`SentMessage::kind`](crate::SentMessage::kind).
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image(_) => "image",
            Self::Document(_) => "document",
            Self::Audio(_) => "audio",
            Self::Voice(_) => "voice",
            Self::Video(_) => "video",
            Self::VideoNote(_) => "video_note",
            Self::Gif(_) => "gif",
            Self::Sticker(_) => "sticker",
            Self::Location(_) => "location",
            Self::Contact(_) => "contact",
            Self::Poll(_) => "poll",
        }
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&MediaFile> {
        match self {
            Self::Image(file)
            | Self::Document(file)
            | Self::Audio(file)
            | Self::Voice(file)
            | Self::Video(file)
            | Self::VideoNote(file)
            | Self::Gif(file)
            | Self::Sticker(file) => Some(file),
            Self::Text | Self::Location(_) | Self::Contact(_) | Self::Poll(_) => None,
        }
    }

    /// The name under which others see the file: only documents carry theirs.
    pub(crate) fn shown_filename(&self) -> Option<&str> {
        match self {
            Self::Document(file) => file.filename.as_deref(),
            _ => None,
        }
    }

    /// What those who check see of places, cards and polls.
    pub(crate) fn payload(&self) -> Value {
        match self {
            Self::Location(place) => json!({
                "latitude": place.latitude,
                "longitude": place.longitude,
                "name": place.name,
                "address": place.address,
            }),
            Self::Contact(cards) => json!({"vcards": cards.vcards}),
            Self::Poll(poll) => json!({
                "name": poll.name,
                "options": poll.options,
                "multipleAnswers": poll.multiple_answers,
            }),
            _ => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_the_way_node_does() {
        for text in ["aGVsbG8=", "aGVsbG8", "aGVs\nbG8=", "aGVsbG8=ignored"] {
            assert_eq!(&decode_base64(text)[..], b"hello", "{text}");
        }
        assert_eq!(&decode_base64("-_-_")[..], &decode_base64("+/+/")[..]);
        assert!(decode_base64("").is_empty());
    }
}
