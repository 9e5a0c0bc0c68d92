//! Labels of business accounts.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::config::Dialect;
use crate::ids::same_person;
use crate::realm::Realm;
use crate::session::Session;
use crate::sim::Sim;

/// WhatsApp's twenty colors.
const COLORS: [&str; 20] = [
    "#ff9485", "#64c4ff", "#ffd429", "#dfaef0", "#99b6c1", "#55ccb3", "#ff9dff", "#d3a91d",
    "#6d7cce", "#d7e752", "#00d0e2", "#ffc5c7", "#93ceac", "#f74848", "#00a0f2", "#83e422",
    "#ffaf04", "#b5ebff", "#9ba6ff", "#9368cf",
];

/// One label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) id: u32,
    pub(crate) name: String,
    /// From 0 to 19.
    pub(crate) color: u8,
    pub(crate) chats: BTreeSet<String>,
}

/// The color behind its hexadecimal form.
pub(crate) fn color_of(hex: &str) -> Option<u8> {
    let at = COLORS.iter().position(|c| c.eq_ignore_ascii_case(hex))?;
    u8::try_from(at).ok()
}

/// Whether there is such a color.
pub(crate) fn is_color(color: i64) -> Option<u8> {
    let color = u8::try_from(color).ok()?;
    (usize::from(color) < COLORS.len()).then_some(color)
}

impl Label {
    pub(crate) fn show(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "color": self.color,
            "colorHex": COLORS.get(usize::from(self.color)),
        })
    }

    pub(crate) fn is_on(&self, chat: &str) -> bool {
        self.chats
            .iter()
            .any(|on| on == chat || same_person(on, chat))
    }
}

impl Realm {
    pub(crate) fn next_label(&self) -> u32 {
        self.labels.keys().next_back().map_or(1, |last| last + 1)
    }
}

impl Sim {
    /// Whether the session's account is a business one.
    pub(crate) fn is_business(&self, session: &Session) -> bool {
        let own = session.state().business;
        own.unwrap_or(self.world.config.business)
    }

    /// Makes or changes a label.
    pub(crate) fn put_label(
        &self,
        session: &Arc<Session>,
        id: Option<u32>,
        name: &str,
        color: u8,
    ) -> Label {
        let label = {
            let mut state = session.state();
            let id = id.unwrap_or_else(|| state.realm.next_label());
            let label = state.realm.labels.entry(id).or_insert_with(|| Label {
                id,
                name: String::new(),
                color,
                chats: BTreeSet::new(),
            });
            name.clone_into(&mut label.name);
            label.color = color;
            let label = label.clone();
            state.touch();
            label
        };
        self.tell_of_labels(session, "label.upsert", &label.show());
        label
    }

    /// Removes a label. `None` when there is none of that id.
    pub(crate) fn drop_label(&self, session: &Arc<Session>, id: u32) -> Option<()> {
        let label = session.state().realm.labels.remove(&id)?;
        self.tell_of_labels(session, "label.deleted", &label.show());
        Some(())
    }

    /// Puts a label on a chat or takes it off. Nothing is told when nothing changes. `None` when
    /// there is no such label.
    pub(crate) fn mark_chat(
        &self,
        session: &Arc<Session>,
        id: u32,
        chat: &str,
        on: bool,
    ) -> Option<()> {
        let shown = {
            let mut state = session.state();
            let label = state.realm.labels.get_mut(&id)?;
            if label.is_on(chat) == on {
                return Some(());
            }
            if on {
                label.chats.insert(chat.to_owned());
            } else {
                label.chats.retain(|c| c != chat && !same_person(c, chat));
            }
            label.show()
        };
        let event = if on {
            "label.chat.added"
        } else {
            "label.chat.deleted"
        };
        let payload = json!({"labelId": id.to_string(), "chatId": chat, "label": shown});
        self.tell_of_labels(session, event, &payload);
        Some(())
    }

    fn tell_of_labels(&self, session: &Arc<Session>, event: &str, payload: &Value) {
        if self.world.config.engine != Dialect::Webjs {
            self.emit(session, event, payload);
        }
        self.note_change();
    }
}
