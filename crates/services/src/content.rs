//! What a message says, in its three forms: as the engine sends and reports it, as the row
//! keeps it, and as clients are shown it.

use mf_domain::{Jid, MediaId, MessageKind, PhoneNumber};
use mf_engine::{
    Attachment, ContactCard, Content, FileToSend, InboundMessage, MediaKind, Place, Poll,
};
use mf_store::Message;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a message carries besides words and files: the column `extra`, and the members of the
/// same names that clients see.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Extra {
    /// A question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll: Option<PollExtra>,
    /// A place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationExtra>,
    /// Contact cards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<ContactExtra>>,
    /// Who is named in the words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<String>,
}

/// A question.
#[derive(Debug, Serialize, Deserialize)]
pub struct PollExtra {
    /// The question itself.
    pub title: String,
    /// The answers.
    pub options: Vec<String>,
    /// Whether more than one may be chosen.
    pub allow_multiple: bool,
}

/// A place.
#[derive(Debug, Serialize, Deserialize)]
pub struct LocationExtra {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// What is there.
    #[serde(default)]
    pub title: Option<String>,
    /// Where that is.
    #[serde(default)]
    pub address: Option<String>,
}

/// Whom to call.
#[derive(Debug, Serialize, Deserialize)]
pub struct ContactExtra {
    /// The name.
    pub full_name: String,
    /// Digits.
    #[serde(default)]
    pub phone: Option<String>,
    /// Where they work.
    #[serde(default)]
    pub organization: Option<String>,
}

impl Extra {
    /// As the row keeps it; nothing where there is nothing.
    pub(crate) fn into_value(self) -> Option<Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(members)) if !members.is_empty() => {
                Some(without_nul(Value::Object(members)))
            }
            _ => None,
        }
    }

    /// Out of what the row keeps. What cannot be read is nothing.
    pub fn of(value: Option<&Value>) -> Self {
        value
            .and_then(|value| Self::deserialize(value).ok())
            .unwrap_or_default()
    }

    /// What the content of a message to be sent says besides words and files.
    pub(crate) fn of_content(content: &Content) -> Self {
        match content {
            Content::Text(_) | Content::Media { .. } => Self::default(),
            Content::Poll(poll) => Self {
                poll: Some(poll.into()),
                ..Self::default()
            },
            Content::Location(place) => Self {
                location: Some(place.into()),
                ..Self::default()
            },
            Content::Contacts(cards) => Self {
                contacts: Some(cards.iter().map(ContactExtra::from).collect()),
                ..Self::default()
            },
        }
    }

    /// What a message that came in carries besides words and files.
    pub(crate) fn of_attachment(attachment: Option<&Attachment>, mentions: &[Jid]) -> Self {
        let mut extra = Self {
            mentions: mentions.iter().map(ToString::to_string).collect(),
            ..Self::default()
        };
        match attachment {
            None | Some(Attachment::Media(_)) => {}
            Some(Attachment::Poll(poll)) => extra.poll = Some(poll.into()),
            Some(Attachment::Location(place)) => extra.location = Some(place.into()),
            Some(Attachment::Contacts(cards)) => {
                extra.contacts = Some(cards.iter().map(ContactExtra::from).collect());
            }
        }
        extra
    }
}

impl From<&Poll> for PollExtra {
    fn from(poll: &Poll) -> Self {
        Self {
            title: poll.title.clone(),
            options: poll.options.clone(),
            allow_multiple: poll.multiple,
        }
    }
}

impl From<&Place> for LocationExtra {
    fn from(place: &Place) -> Self {
        Self {
            latitude: place.latitude,
            longitude: place.longitude,
            title: place.title.clone(),
            address: place.address.clone(),
        }
    }
}

impl From<&ContactCard> for ContactExtra {
    fn from(card: &ContactCard) -> Self {
        Self {
            full_name: card.full_name.clone(),
            phone: card.phone.as_ref().map(ToString::to_string),
            organization: card.organization.clone(),
        }
    }
}

/// The words of a content: what the column `content` keeps.
pub(crate) fn words(content: &Content) -> Option<&str> {
    match content {
        Content::Text(text) => Some(text),
        Content::Media { caption, .. } => caption.as_deref(),
        Content::Poll(poll) => Some(&poll.title),
        Content::Location(place) => place.title.as_deref(),
        Content::Contacts(cards) => cards.first().map(|card| card.full_name.as_str()),
    }
}

/// The words of a message that came in: its text, or what stands for one in a list of chats.
/// The same as [`words`] says of what is sent, so that a report is known again.
pub(crate) fn words_of_inbound(message: &InboundMessage) -> Option<String> {
    let text = message.text.as_deref().or(match &message.attachment {
        Some(Attachment::Poll(poll)) => Some(poll.title.as_str()),
        Some(Attachment::Location(place)) => place.title.as_deref(),
        Some(Attachment::Contacts(cards)) => cards.first().map(|card| card.full_name.as_str()),
        Some(Attachment::Media(_)) | None => None,
    });
    text.map(clean)
}

/// A file of a message, as the row keeps it in `media`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MediaRef {
    /// Which file.
    pub id: MediaId,
    /// Its type.
    pub mimetype: String,
    /// Its name.
    #[serde(default)]
    pub filename: Option<String>,
    /// Its length in bytes, once known.
    #[serde(default)]
    pub size: Option<i64>,
    /// `pending`, `stored`, `lost`, `expired`.
    #[serde(default)]
    pub status: String,
}

impl MediaRef {
    /// The file of a message, if it has one.
    pub fn of(message: &Message) -> Option<Self> {
        Self::deserialize(message.media.as_ref()?).ok()
    }
}

/// The content of a message that waits in the outbox. `url` says where the engine can fetch
/// its file. `None` where the row does not say enough to send it.
pub(crate) fn of_row(message: &Message, url: impl FnOnce(&MediaRef) -> String) -> Option<Content> {
    let text = message.content.clone();
    let extra = Extra::of(message.extra.as_ref());
    if let Some(kind) = MediaKind::of_message(message.message_type) {
        let media = MediaRef::of(message)?;
        return Some(Content::Media {
            kind,
            file: FileToSend {
                url: url(&media),
                mimetype: media.mimetype,
                filename: media.filename,
            },
            caption: text,
        });
    }
    Some(match message.message_type {
        MessageKind::Poll => {
            let poll = extra.poll?;
            Content::Poll(Poll {
                title: poll.title,
                options: poll.options,
                multiple: poll.allow_multiple,
            })
        }
        MessageKind::Location => {
            let place = extra.location?;
            Content::Location(Place {
                latitude: place.latitude,
                longitude: place.longitude,
                title: place.title,
                address: place.address,
            })
        }
        MessageKind::Contact => {
            let cards = extra.contacts?.into_iter().map(|card| ContactCard {
                full_name: card.full_name,
                phone: card.phone.and_then(|phone| PhoneNumber::parse(&phone).ok()),
                organization: card.organization,
            });
            Content::Contacts(cards.collect())
        }
        _ => Content::Text(text?),
    })
}

/// Postgres has no place for U+0000 in a text, nor in JSON.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean(&text)),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, without_nul(value)))
            .collect(),
        other => other,
    }
}
