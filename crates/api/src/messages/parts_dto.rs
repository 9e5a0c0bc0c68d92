//! What messages carry besides words, as clients see it.

use chrono::{DateTime, Utc};
use mf_services::{ContactExtra, LocationExtra, PollExtra};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A list out of the database; nothing where there is none.
pub(super) fn list<T: DeserializeOwned>(value: Option<Value>) -> Vec<T> {
    value
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_default()
}

/// A file of a message.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only documents")]
pub(crate) struct MediaOut {
    /// Its id.
    id: Uuid,
    /// What it is.
    #[schema(example = "image/jpeg")]
    mimetype: String,
    /// What its sender calls it.
    filename: Option<String>,
    /// Its length in bytes, once known.
    size: Option<i64>,
    /// `pending`: it is being copied from the engine. `stored`: it can be read. `lost`: the
    /// engine no longer had it. `expired`: it was removed with age.
    #[schema(example = "stored")]
    status: String,
    /// Where it is read, with the credential of any other call.
    url: String,
}

/// A place on the map.
#[derive(Serialize, ToSchema)]
pub(crate) struct LocationOut {
    /// Degrees, north is positive.
    latitude: f64,
    /// Degrees, east is positive.
    longitude: f64,
    /// What is there.
    title: Option<String>,
    /// Where that is.
    address: Option<String>,
}

impl From<LocationExtra> for LocationOut {
    fn from(place: LocationExtra) -> Self {
        Self {
            latitude: place.latitude,
            longitude: place.longitude,
            title: place.title,
            address: place.address,
        }
    }
}

/// A contact card.
#[derive(Serialize, ToSchema)]
pub(crate) struct CardOut {
    /// The name shown.
    full_name: String,
    /// Their number, digits.
    phone: Option<String>,
    /// Where they work.
    organization: Option<String>,
}

impl From<ContactExtra> for CardOut {
    fn from(card: ContactExtra) -> Self {
        Self {
            full_name: card.full_name,
            phone: card.phone,
            organization: card.organization,
        }
    }
}

/// A poll, and how it stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct PollOut {
    /// The question.
    title: String,
    /// The answers.
    options: Vec<String>,
    /// Whether more than one may be chosen.
    allow_multiple: bool,
    /// Who chose what, oldest first.
    votes: Vec<PollVoteOut>,
    /// How often each answer was chosen, in the order of the answers.
    counts: Vec<PollCountOut>,
}

/// All that one person chose.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct PollVoteOut {
    /// Digits of their number, or of their hidden id where that is all there is; `me` for the
    /// session's owner.
    #[schema(example = "15551234567")]
    voter: String,
    /// The answers chosen.
    options: Vec<String>,
    /// When.
    at: DateTime<Utc>,
}

/// How often an answer was chosen.
#[derive(Serialize, ToSchema)]
pub(crate) struct PollCountOut {
    /// The answer.
    option: String,
    /// By how many.
    votes: usize,
}

impl PollOut {
    /// A poll with the votes on it.
    pub(super) fn new(poll: PollExtra, votes: Vec<PollVoteOut>) -> Self {
        let count = |option: &String| PollCountOut {
            option: option.clone(),
            votes: votes
                .iter()
                .filter(|vote| vote.options.contains(option))
                .count(),
        };
        Self {
            counts: poll.options.iter().map(count).collect(),
            title: poll.title,
            options: poll.options,
            allow_multiple: poll.allow_multiple,
            votes,
        }
    }
}

/// How somebody reacted.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct ReactionOut {
    #[schema(example = "👍")]
    emoji: String,
    /// Digits of their number, or of their hidden id where that is all there is; `me` for the
    /// session's owner.
    #[schema(example = "15551234567")]
    sender: String,
    /// Whether the session's owner did.
    from_me: bool,
    /// When.
    at: DateTime<Utc>,
}
