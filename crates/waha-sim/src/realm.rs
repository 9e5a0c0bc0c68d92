//! What an account has on the pretended WhatsApp besides its messages.

use std::collections::{BTreeMap, BTreeSet};

use crate::calls::Call;
use crate::channels::Channel;
use crate::groups::Group;
use crate::ids::{as_chat, is_group, lid_of, number_of_chat, number_of_lid};
use crate::labels::Label;
use crate::message::Message;
use crate::presence::Seen;

/// Everything that belongs to one account. It outlives a logout, and not a restart.
#[derive(Debug, Default)]
pub(crate) struct Realm {
    /// The account's number; empty before the first pairing.
    pub(crate) owner: String,
    /// The pairing that its history goes back from, in milliseconds.
    pub(crate) seeded_at: Option<i64>,
    pub(crate) about: Option<String>,
    pub(crate) picture: Option<String>,
    /// By [`person`].
    pub(crate) people: BTreeMap<String, Person>,
    /// Hidden ids whose numbers WhatsApp has not told.
    pub(crate) unknown_lids: BTreeSet<String>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) labels: BTreeMap<u32, Label>,
    pub(crate) channels: BTreeMap<String, Channel>,
    /// By chat, and within by participant.
    pub(crate) presences: BTreeMap<String, BTreeMap<String, Seen>>,
    pub(crate) calls: BTreeMap<String, Call>,
}

/// Somebody the account knows of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Person {
    /// In the address book.
    pub(crate) name: Option<String>,
    /// What they call themselves.
    pub(crate) push_name: Option<String>,
    pub(crate) about: Option<String>,
    pub(crate) picture: Option<String>,
    pub(crate) blocked: bool,
}

/// One name for a person however they are written: the chat under the number where the hidden id
/// can be turned into it. Which device somebody uses says nothing about who they are.
pub(crate) fn person(given: &str) -> String {
    let chat = as_chat(given);
    let chat = match chat.split_once('@') {
        Some((user, server)) => {
            let user = user.split_once(':').map_or(user, |(user, _device)| user);
            format!("{user}@{server}")
        }
        None => chat,
    };
    number_of_chat(&chat).map_or(chat, |number| format!("{number}@c.us"))
}

/// The hidden id of a [`person`].
pub(crate) fn hidden(person: &str) -> String {
    match person.strip_suffix("@c.us") {
        Some(number) => lid_of(number),
        None => person.to_owned(),
    }
}

impl Realm {
    pub(crate) fn of(owner: &str) -> Self {
        Self {
            owner: owner.to_owned(),
            ..Self::default()
        }
    }

    /// The account itself as a [`person`].
    pub(crate) fn me(&self) -> String {
        format!("{}@c.us", self.owner)
    }

    /// The chat under the number behind a hidden id, as far as WhatsApp tells it.
    pub(crate) fn number_behind(&self, lid: &str) -> Option<String> {
        if self.unknown_lids.contains(lid) {
            return None;
        }
        number_of_lid(lid).map(|number| format!("{number}@c.us"))
    }

    /// The hidden id of a [`person`], as far as WhatsApp tells it.
    pub(crate) fn lid_behind(&self, person: &str) -> Option<String> {
        let lid = hidden(person);
        (!self.unknown_lids.contains(&lid)).then_some(lid)
    }

    /// Somebody was met, perhaps with the name they give themselves.
    pub(crate) fn meet(&mut self, given: &str, push_name: Option<&str>) {
        let known = self.people.entry(person(given)).or_default();
        if let Some(name) = push_name.filter(|name| !name.is_empty()) {
            known.push_name = Some(name.to_owned());
        }
    }

    /// Who and what a message shows to be there.
    pub(crate) fn notice(&mut self, message: &Message) {
        let writer = message.participant.as_deref().filter(|_| !message.from_me);
        if is_group(&message.chat) {
            self.stumble_into(&message.chat, writer);
        }
        match writer {
            Some(writer) => self.meet(writer, message.push_name.as_deref()),
            None if message.from_me => self.meet_chat(&message.chat, None),
            None => self.meet_chat(&message.chat, message.push_name.as_deref()),
        }
    }

    fn meet_chat(&mut self, chat: &str, push_name: Option<&str>) {
        if matches!(chat.split_once('@'), Some((_, "c.us" | "lid"))) {
            self.meet(chat, push_name);
        }
    }

    /// Where the picture of a person or a group is.
    pub(crate) fn picture_of(&self, chat: &str) -> Option<String> {
        if let Some(group) = self.groups.get(chat) {
            return group.picture.clone();
        }
        let who = person(chat);
        if who == self.me() {
            return self.picture.clone();
        }
        self.people.get(&who)?.picture.clone()
    }

    /// The name to show for somebody.
    pub(crate) fn name_of(&self, given: &str) -> Option<String> {
        let known = self.people.get(&person(given))?;
        known.name.clone().or_else(|| known.push_name.clone())
    }
}
