//! Channels, WhatsApp's newsletters.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::groups::invite_code;
use crate::realm::Realm;

/// What the account is in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChannelRole {
    /// Made it.
    Owner,
    /// May write there.
    Admin,
    /// Follows it.
    #[default]
    Subscriber,
    /// Looks at it from outside.
    Guest,
}

impl ChannelRole {
    pub(crate) fn may_write(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}

/// One channel.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) role: ChannelRole,
    pub(crate) picture: Option<String>,
    pub(crate) subscribers: u64,
    pub(crate) verified: bool,
    pub(crate) muted: bool,
    /// What it published, oldest first.
    pub(crate) posts: Vec<String>,
}

/// Channels that anybody can find: id, name, description and a post.
const PUBLIC: [(&str, &str, &str, &str); 4] = [
    (
        "120363100000000001@newsletter",
        "Street Food Weekly",
        "Markets, stalls and recipes",
        "Seven stalls worth the queue this weekend.",
    ),
    (
        "120363100000000002@newsletter",
        "Small Business Notes",
        "Selling, shipping and bookkeeping for shops of one to ten",
        "Three ways to ask for a payment without losing a customer.",
    ),
    (
        "120363100000000003@newsletter",
        "Futebol Hoje",
        "Resultados e tabelas",
        "Rodada de hoje: quatro jogos, onze gols.",
    ),
    (
        "120363100000000004@newsletter",
        "Cocina en Casa",
        "Recetas para cada día",
        "Arroz con verduras en veinte minutos.",
    ),
];

impl Channel {
    pub(crate) fn new(id: String, name: &str, description: &str, role: ChannelRole) -> Self {
        Self {
            id,
            name: name.to_owned(),
            description: description.to_owned(),
            role,
            picture: None,
            subscribers: 1,
            verified: false,
            muted: false,
            posts: Vec::new(),
        }
    }

    /// The code its link ends in.
    pub(crate) fn invite(&self) -> String {
        invite_code(&self.id, 0)
    }

    pub(crate) fn show(&self, engine: Dialect) -> Value {
        // What does not count subscribers says null.
        let counted = (engine == Dialect::Gows).then_some(self.subscribers);
        json!({
            "id": self.id,
            "name": self.name,
            "invite": format!("https://www.whatsapp.com/channel/{}", self.invite()),
            "preview": self.picture,
            "picture": self.picture,
            "role": self.role,
            "description": self.description,
            "verified": self.verified,
            "subscribersCount": counted,
        })
    }

    /// As strangers find it: nothing is said of the account.
    pub(crate) fn show_public(&self) -> Value {
        let mut shown = self.show(Dialect::Gows);
        if let Some(fields) = shown.as_object_mut() {
            fields.remove("role");
        }
        shown
    }
}

/// A new id for a channel.
pub(crate) fn channel_id() -> String {
    let random = rand::random::<u64>() % 100_000_000_000_000;
    format!("1203{random:014}@newsletter")
}

/// The channels that anybody can find.
pub(crate) fn directory() -> Vec<Channel> {
    let known = PUBLIC.iter().enumerate();
    known
        .map(|(at, (id, name, description, post))| Channel {
            subscribers: 1200 * (at as u64 + 1),
            verified: at == 0,
            posts: vec![(*post).to_owned()],
            ..Channel::new((*id).to_owned(), name, description, ChannelRole::Guest)
        })
        .collect()
}

impl Realm {
    /// A channel by its id, its invitation's code or link: one's own, or one that anybody finds.
    pub(crate) fn channel(&self, given: &str) -> Option<Channel> {
        let code = given.rsplit('/').next().unwrap_or(given);
        let fits = |channel: &Channel| channel.id == given || channel.invite() == code;
        let own = self
            .channels
            .values()
            .find(|channel| fits(channel))
            .cloned();
        own.or_else(|| directory().into_iter().find(|channel| fits(channel)))
    }
}
