use mf_domain::{Invalid, PhoneNumber};
use mf_engine::{ContactCard, Place, Poll};
use mf_http_kit::{Faults, Input};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    media_dto::yes,
    target::{self, Target},
};

/// Through which session, and to whom.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SendTarget {
    /// Through which session.
    pub(crate) session_id: Uuid,
    /// To whom: WhatsApp's id of the chat, or the chat's UUID. One of `chat_id` and `phone` is
    /// required.
    #[schema(max_length = 128, example = "15551234567@c.us")]
    chat_id: Option<String>,
    /// To whom: the number with its country code.
    #[schema(max_length = 64, example = "15551234567")]
    phone: Option<String>,
    /// The message that it answers: its id here or at WhatsApp.
    #[schema(max_length = 128)]
    pub(crate) reply_to: Option<String>,
    /// Whether it may wait where the engine is away. `false` asks for an error instead.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(crate) queue: bool,
}

impl SendTarget {
    pub(crate) fn target(&self) -> Target<'_> {
        Target {
            chat_id: self.chat_id.as_deref(),
            phone: self.phone.as_deref(),
        }
    }
}

/// A question with answers to choose from.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PollSend {
    #[serde(flatten)]
    pub(crate) to: SendTarget,
    /// The question.
    #[schema(min_length = 1, max_length = 255, example = "When shall we deliver?")]
    title: String,
    /// The answers: 2 to 12, no two alike, each up to 100 characters.
    #[schema(min_items = 2, max_items = 12, example = json!(["Monday", "Tuesday"]))]
    options: Vec<String>,
    /// Whether more than one may be chosen.
    #[serde(default)]
    #[schema(default = false)]
    allow_multiple: bool,
}

impl PollSend {
    pub(crate) fn poll(&self) -> Poll {
        Poll {
            title: self.title.trim().to_owned(),
            options: self.options.iter().map(|o| o.trim().to_owned()).collect(),
            multiple: self.allow_multiple,
        }
    }
}

impl Input for PollSend {
    const ONE_OF: &'static [&'static [&'static str]] = target::ONE_OF;

    fn check(&self, faults: &mut Faults) {
        self.to.target().check(faults);
        faults.keep("title", plain(&self.title, 255));
        let mut seen = std::collections::HashSet::new();
        for (index, option) in self.options.iter().enumerate() {
            faults.keep(("options", index), plain(option, 100));
            if !seen.insert(option.trim()) {
                let twice = Invalid::new("value_error.list.unique_items", "the answer is repeated");
                faults.add(("options", index), twice);
            }
        }
    }
}

/// A short text that says something.
fn plain(text: &str, max: usize) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new(
            "value_error.any_str.min_length",
            "ensure this value has at least 1 characters",
        ));
    }
    if text.chars().count() > max {
        return Err(Invalid::new(
            "value_error.any_str.max_length",
            format!("ensure this value has at most {max} characters"),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Invalid::new(
            "value_error.str.control",
            "value contains control characters",
        ));
    }
    Ok(())
}

/// A place on the map.
#[derive(Deserialize, ToSchema)]
pub(crate) struct LocationSend {
    #[serde(flatten)]
    pub(crate) to: SendTarget,
    /// Degrees, north is positive.
    #[schema(minimum = -90, maximum = 90, example = 52.5163)]
    latitude: f64,
    /// Degrees, east is positive.
    #[schema(minimum = -180, maximum = 180, example = 13.3777)]
    longitude: f64,
    /// What is there.
    #[schema(max_length = 255, example = "Brandenburg Gate")]
    title: Option<String>,
}

impl LocationSend {
    pub(crate) fn place(&self) -> Place {
        Place {
            latitude: self.latitude,
            longitude: self.longitude,
            title: self.title.clone().filter(|title| !title.trim().is_empty()),
            address: None,
        }
    }
}

impl Input for LocationSend {
    const ONE_OF: &'static [&'static [&'static str]] = target::ONE_OF;

    fn check(&self, faults: &mut Faults) {
        self.to.target().check(faults);
        if let Some(title) = self.title.as_deref().filter(|title| !title.is_empty()) {
            faults.keep("title", plain(title, 255));
        }
    }
}

/// Contact cards.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ContactSend {
    #[serde(flatten)]
    pub(crate) to: SendTarget,
    /// The cards: 1 to 20.
    #[schema(min_items = 1, max_items = 20)]
    contacts: Vec<CardIn>,
}

/// Whom to call.
#[derive(Deserialize, ToSchema)]
pub(crate) struct CardIn {
    /// The name shown.
    #[schema(min_length = 1, max_length = 255, example = "Grace Hopper")]
    full_name: String,
    /// The number with its country code.
    #[schema(max_length = 64, example = "15551234567")]
    phone: String,
    /// Where they work.
    #[schema(max_length = 255)]
    organization: Option<String>,
}

impl ContactSend {
    pub(crate) fn cards(&self) -> Vec<ContactCard> {
        let cards = self.contacts.iter().map(|card| ContactCard {
            full_name: card.full_name.clone(),
            phone: PhoneNumber::parse(&card.phone).ok(),
            organization: card.organization.clone(),
        });
        cards.collect()
    }
}

impl Input for ContactSend {
    const ONE_OF: &'static [&'static [&'static str]] = target::ONE_OF;

    fn check(&self, faults: &mut Faults) {
        self.to.target().check(faults);
        for (index, card) in self.contacts.iter().enumerate() {
            faults.keep(
                ("contacts", index, "full_name"),
                plain(&card.full_name, 255),
            );
            faults.keep(
                ("contacts", index, "phone"),
                PhoneNumber::parse(&card.phone),
            );
            if let Some(organization) = card.organization.as_deref().filter(|o| !o.is_empty()) {
                faults.keep(
                    ("contacts", index, "organization"),
                    plain(organization, 255),
                );
            }
        }
    }
}

/// A reaction to a message.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ReactionSend {
    /// Through which session.
    pub(crate) session_id: Uuid,
    /// The chat that the message is in. The message's id says it already, so it may be left out.
    #[schema(max_length = 128, example = "15551234567@c.us")]
    #[allow(dead_code, reason = "accepted, since clients send it")]
    chat_id: Option<String>,
    /// The same by the number.
    #[schema(max_length = 64)]
    #[allow(dead_code, reason = "accepted, since clients send it")]
    phone: Option<String>,
    /// The message: its id here or at WhatsApp.
    #[schema(min_length = 1, max_length = 128)]
    pub(crate) message_id: String,
    /// One emoji; empty takes the reaction back.
    #[schema(max_length = 32, example = "👍")]
    pub(crate) reaction: String,
}

impl Input for ReactionSend {
    fn check(&self, faults: &mut Faults) {
        let word = self
            .reaction
            .chars()
            .any(|c| c.is_alphabetic() || c.is_whitespace() || c.is_control());
        if word {
            let invalid = Invalid::new("value_error.reaction", "value is not an emoji");
            faults.add("reaction", invalid);
        }
    }
}

/// What a message shall say instead.
#[derive(Deserialize, ToSchema)]
pub(crate) struct MessageEdit {
    /// 1 to 4,096 characters.
    #[schema(min_length = 1, max_length = 4096)]
    pub(crate) message: String,
}

impl Input for MessageEdit {
    fn check(&self, faults: &mut Faults) {
        faults.keep(
            "message",
            mf_domain::MessageText::parse(self.message.as_str()),
        );
    }
}

/// Whether a message shall carry a star.
#[derive(Deserialize, ToSchema)]
pub(crate) struct MessageStar {
    /// `false` takes it off.
    pub(crate) star: bool,
}

impl Input for MessageStar {}

/// Whether somebody shall be shown as typing.
#[derive(Deserialize, ToSchema)]
pub(crate) struct TypingIn {
    /// `false` stops showing it.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(crate) typing: bool,
}

impl Default for TypingIn {
    fn default() -> Self {
        Self { typing: true }
    }
}

impl Input for TypingIn {}
