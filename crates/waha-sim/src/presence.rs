//! Who is there, and who is typing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::ids::now_ms;
use crate::session::Session;
use crate::sim::Sim;

/// What somebody is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are WAHA's, and say it")]
pub enum Presence {
    Online,
    Offline,
    Typing,
    Recording,
    Paused,
}

/// What was last seen of somebody in a chat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) presence: Presence,
    /// In seconds; only of those who are gone.
    pub(crate) last_seen: Option<i64>,
}

impl Seen {
    pub(crate) fn now(presence: Presence) -> Self {
        let gone = presence == Presence::Offline;
        Self {
            presence,
            last_seen: gone.then(|| now_ms() / 1000),
        }
    }

    pub(crate) fn show(self, participant: &str) -> Value {
        json!({
            "participant": participant,
            "lastKnownPresence": self.presence,
            "lastSeen": self.last_seen,
        })
    }
}

impl Sim {
    /// Notes what somebody does, and tells it to those who asked. WEBJS tells only with the tags
    /// switched on.
    pub(crate) fn see(
        &self,
        session: &Arc<Session>,
        chat: &str,
        participant: &str,
        presence: Presence,
    ) {
        let seen = Seen::now(presence);
        let told = {
            let mut state = session.state();
            if !state.watched.contains(chat) {
                return;
            }
            let people = state.realm.presences.entry(chat.to_owned()).or_default();
            people.insert(participant.to_owned(), seen);
            self.world.config.engine != Dialect::Webjs || state.flag("/webjs/tagsEventsOn")
        };
        if told {
            let payload = json!({"id": chat, "presences": [seen.show(participant)]});
            self.emit(session, "presence.update", &payload);
        }
        self.note_change();
    }
}
