//! The remote control of what surrounds messages: faults of a session, people, labels, channels,
//! presence and calls.

use serde::Deserialize;
use serde_json::Value;

use crate::calls::Call;
use crate::channels::{Channel, ChannelRole, channel_id};
use crate::control::SimError;
use crate::ids::{as_chat, registered};
use crate::inbound::Inbound;
use crate::labels::is_color;
use crate::presence::Presence;
use crate::realm::person;
use crate::sim::Sim;

/// Somebody the account knows, as [`Sim::know_contact`] introduces them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NewContact {
    /// The chat with them, e.g. `15550000002@c.us` or a `@lid`.
    pub id: String,
    /// Their name in the address book.
    pub name: Option<String>,
    /// What they call themselves.
    pub push_name: Option<String>,
    /// What they say of themselves.
    pub about: Option<String>,
    /// Where their picture is.
    pub picture: Option<String>,
}

/// A label put up on the phone, see [`Sim::put_label_on_phone`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NewLabel {
    /// The label to change; a new one by default.
    pub id: Option<String>,
    /// What it is called.
    pub name: String,
    /// From 0 to 19.
    pub color: u8,
}

/// A channel the account has to do with, see [`Sim::add_channel`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NewChannel {
    /// Its id, `…@newsletter`; a new one by default.
    pub id: Option<String>,
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// What the account is there.
    pub role: ChannelRole,
    /// What it published, oldest first.
    pub posts: Vec<String>,
}

impl Sim {
    /// Whether the session is a zombie: it says that it works, but nothing comes in, no callback
    /// leaves, `timestamps.activity` stands still, and calls that go through to WhatsApp hang (see
    /// [`Config::zombie_wait`](crate::Config::zombie_wait)). What comes in meanwhile is in the
    /// chats after the next connection, and never told. A restart cures it.
    pub fn set_zombie(&self, session: &str, zombie: bool) -> Result<(), SimError> {
        let session = self.found(session)?;
        session.state().zombie = zombie;
        if !zombie {
            self.catch_up(&session);
        }
        self.note_change();
        Ok(())
    }

    /// The next so many starts end in `FAILED`, reconnections included.
    pub fn fail_starts(&self, session: &str, count: u32) -> Result<(), SimError> {
        self.found(session)?.state().failing_starts = count;
        Ok(())
    }

    /// Messages that came without anybody being told: they are in the chats, and no callback says
    /// so. Gives them as callbacks would have shown them.
    pub fn while_away(
        &self,
        session: &str,
        messages: Vec<Inbound>,
    ) -> Result<Vec<Value>, SimError> {
        let session = self.found(session)?;
        let engine = self.world.config.engine;
        let mut shown = Vec::with_capacity(messages.len());
        for inbound in messages {
            let message = inbound.into_message(&session)?;
            self.keep(&session, &message);
            shown.push(message.show(engine, &session.state().own_id()));
        }
        Ok(shown)
    }

    /// Whether the session's account is a business one, which alone have labels.
    pub fn set_business(&self, session: &str, business: bool) -> Result<(), SimError> {
        self.found(session)?.state().business = Some(business);
        Ok(())
    }

    /// Whether WhatsApp tells the session which number is behind a hidden id. It does, unless
    /// ordered otherwise.
    pub fn set_lid_known(&self, session: &str, lid: &str, known: bool) -> Result<(), SimError> {
        let session = self.found(session)?;
        let mut state = session.state();
        let lid = if lid.contains('@') {
            lid.to_owned()
        } else {
            format!("{lid}@lid")
        };
        if known {
            state.realm.unknown_lids.remove(&lid);
        } else {
            state.realm.unknown_lids.insert(lid);
        }
        Ok(())
    }

    /// Puts somebody into the address book, or changes what is known of them.
    pub fn know_contact(&self, session: &str, contact: NewContact) -> Result<(), SimError> {
        if contact.id.is_empty() {
            return Err(SimError::Incomplete("`id` is missing"));
        }
        let session = self.found(session)?;
        let mut state = session.state();
        let known = state.realm.people.entry(person(&contact.id)).or_default();
        known.name = contact.name.or(known.name.take());
        known.push_name = contact.push_name.or(known.push_name.take());
        known.about = contact.about.or(known.about.take());
        known.picture = contact.picture.or(known.picture.take());
        Ok(())
    }

    /// Makes or changes a label on the phone, and gives its id.
    pub fn put_label_on_phone(&self, session: &str, label: &NewLabel) -> Result<String, SimError> {
        let session = self.found(session)?;
        if is_color(i64::from(label.color)).is_none() {
            return Err(SimError::Incomplete("`color` goes from 0 to 19"));
        }
        let id = match &label.id {
            None => None,
            Some(id) => Some(label_id(id)?),
        };
        let label = self.put_label(&session, id, &label.name, label.color);
        Ok(label.id.to_string())
    }

    /// Removes a label on the phone.
    pub fn delete_label_on_phone(&self, session: &str, label: &str) -> Result<(), SimError> {
        let session = self.found(session)?;
        self.drop_label(&session, label_id(label)?)
            .ok_or_else(|| SimError::Unknown("label", label.to_owned()))
    }

    /// Puts a label on a chat, or takes it off, on the phone.
    pub fn label_chat_on_phone(
        &self,
        session: &str,
        label: &str,
        chat: &str,
        on: bool,
    ) -> Result<(), SimError> {
        let session = self.found(session)?;
        self.mark_chat(&session, label_id(label)?, &as_chat(chat), on)
            .ok_or_else(|| SimError::Unknown("label", label.to_owned()))
    }

    /// A channel the account follows or runs; gives its id.
    pub fn add_channel(&self, session: &str, channel: NewChannel) -> Result<String, SimError> {
        let session = self.found(session)?;
        let id = channel.id.unwrap_or_else(channel_id);
        let known = Channel {
            posts: channel.posts,
            ..Channel::new(
                id.clone(),
                &channel.name,
                &channel.description,
                channel.role,
            )
        };
        session.state().realm.channels.insert(id.clone(), known);
        self.note_change();
        Ok(id)
    }

    /// Somebody comes, goes or types. It is told to those who asked for the chat's presence.
    pub fn presence(
        &self,
        session: &str,
        chat: &str,
        participant: &str,
        presence: Presence,
    ) -> Result<(), SimError> {
        let session = self.found(session)?;
        self.see(&session, &as_chat(chat), &as_chat(participant), presence);
        Ok(())
    }

    /// Somebody calls; gives the call's id.
    pub fn call(&self, session: &str, from: &str, video: bool) -> Result<String, SimError> {
        let session = self.found(session)?;
        let call = Call::new(as_chat(from), video);
        let id = call.id.clone();
        let mut state = session.state();
        state.realm.calls.insert(id.clone(), call.clone());
        drop(state);
        self.tell_of_call(&session, &call, "received");
        Ok(id)
    }

    /// The call is taken on the phone. WEBJS does not tell of it.
    pub fn accept_call(&self, session: &str, call: &str) -> Result<(), SimError> {
        let session = self.found(session)?;
        self.end_call(&session, call, "accepted")
            .ok_or_else(|| SimError::Unknown("call", call.to_owned()))
    }

    /// The call is refused on the phone.
    pub fn reject_call(&self, session: &str, call: &str) -> Result<(), SimError> {
        let session = self.found(session)?;
        self.end_call(&session, call, "rejected")
            .ok_or_else(|| SimError::Unknown("call", call.to_owned()))
    }

    /// The chat a number really has; `None` without WhatsApp. Brazilian mobile numbers have one
    /// with or without their ninth digit, by their area.
    pub fn real_chat(number: &str) -> Option<String> {
        registered(number).map(|number| format!("{number}@c.us"))
    }
}

fn label_id(given: &str) -> Result<u32, SimError> {
    given
        .parse()
        .map_err(|_| SimError::Unknown("label", given.to_owned()))
}
