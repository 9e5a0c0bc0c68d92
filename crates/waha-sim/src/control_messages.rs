//! The remote control of messages: what people do to them, and what goes wrong on their way.

use std::time::Duration;

use crate::actions::{Actor, find_bare};
use crate::content::Content;
use crate::control::SimError;
use crate::faults::MediaDrop;
use crate::ids::{as_chat, bare_id, is_group};
use crate::message::{Message, Source};
use crate::record::SentAction;
use crate::session::{Session, Status};
use crate::sim::{Sim, lock};

/// The message that an order names by its full or bare id, unless it was taken back.
fn named(session: &Session, id: &str) -> Result<Message, SimError> {
    find_bare(session, bare_id(id).unwrap_or(id))
        .filter(|message| !message.revoked)
        .ok_or_else(|| SimError::NoMessage(id.to_owned()))
}

/// Whoever wrote the message, on their phone.
fn author(session: &Session, message: &Message) -> Actor {
    Actor {
        id: Some(message.author(&session.state().own_id()).to_owned()),
        source: Source::App,
    }
}

/// Somebody with a phone.
fn person(id: &str) -> Actor {
    Actor {
        id: Some(as_chat(id)),
        source: Source::App,
    }
}

impl Sim {
    /// Somebody reacts to a message, given by its full or bare id; an empty reaction takes the
    /// last one back. The account's own id is its own phone.
    pub async fn react(
        &self,
        session: &str,
        message_id: &str,
        from: &str,
        emoji: &str,
    ) -> Result<(), SimError> {
        let session = self.found_in(session, Status::Working).await?;
        let on = named(&session, message_id)?;
        let by = person(from);
        check_member(&session, &on, &by)?;
        self.react_to(&session, &on, &by, emoji);
        Ok(())
    }

    /// Whoever wrote a message changes its text or caption, on their phone.
    pub async fn edit(&self, session: &str, message_id: &str, text: &str) -> Result<(), SimError> {
        let session = self.found_in(session, Status::Working).await?;
        let on = named(&session, message_id)?;
        let by = author(&session, &on);
        self.edit_message(&session, &on, &by, text);
        Ok(())
    }

    /// Whoever wrote a message takes it back for everybody, on their phone.
    pub async fn revoke(&self, session: &str, message_id: &str) -> Result<(), SimError> {
        let session = self.found_in(session, Status::Working).await?;
        let on = named(&session, message_id)?;
        let by = author(&session, &on);
        self.revoke_message(&session, &on, &by);
        Ok(())
    }

    /// Somebody chooses among a poll's answers, in place of what they chose before; no answers
    /// take the vote back.
    pub async fn vote(
        &self,
        session: &str,
        poll_message_id: &str,
        voter: &str,
        options: &[&str],
    ) -> Result<(), SimError> {
        let session = self.found_in(session, Status::Working).await?;
        let on = named(&session, poll_message_id)?;
        let Content::Poll(poll) = &on.content else {
            return Err(SimError::Incomplete("the message is no poll"));
        };
        let chosen: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        if !chosen.iter().all(|option| poll.options.contains(option)) {
            return Err(SimError::Incomplete("the poll has no such answer"));
        }
        if chosen.len() > 1 && !poll.multiple_answers {
            return Err(SimError::Incomplete("the poll takes one answer"));
        }
        let by = person(voter);
        check_member(&session, &on, &by)?;
        self.vote_in(&session, &on, &by, Some(&chosen));
        Ok(())
    }

    /// Somebody votes, and the engine cannot read it: `poll.vote.failed`.
    pub async fn vote_unreadably(
        &self,
        session: &str,
        poll_message_id: &str,
        voter: &str,
    ) -> Result<(), SimError> {
        let session = self.found_in(session, Status::Working).await?;
        let on = named(&session, poll_message_id)?;
        let by = person(voter);
        check_member(&session, &on, &by)?;
        self.vote_in(&session, &on, &by, None);
        Ok(())
    }

    /// One member of a group acknowledges a message; by [`Sim::ack`] all of them do.
    pub fn ack_in_group(
        &self,
        session: &str,
        id: &str,
        participant: &str,
        ack: i8,
    ) -> Result<(), SimError> {
        let session = self.found(session)?;
        let bare = bare_id(id).unwrap_or(id);
        self.acknowledge_by(&session, bare, ack, Some(&as_chat(participant)))
            .then_some(())
            .ok_or_else(|| SimError::NoMessage(id.to_owned()))
    }

    /// What the session did on WhatsApp that is no message, oldest first.
    pub fn actions(&self, session: &str) -> Vec<SentAction> {
        lock(&self.world.actions)
            .iter()
            .filter(|action| action.session == session)
            .cloned()
            .collect()
    }

    /// What all sessions did on WhatsApp that is no message, oldest first.
    pub fn actions_of_all(&self) -> Vec<SentAction> {
        lock(&self.world.actions).iter().cloned().collect()
    }

    /// Which downloads of files from WhatsApp fail: `media.url` is null then, and `media.error`
    /// says so.
    pub fn set_media_dropped(&self, dropped: MediaDrop) {
        lock(&self.world.faults).media = dropped;
    }

    /// Ends the lifetime of all files that can be fetched now.
    pub fn expire_files(&self) {
        lock(&self.world.files).expire();
    }

    /// Posts every callback that many times, with the same envelope; once is usual.
    pub fn set_callback_copies(&self, copies: u32) {
        lock(&self.world.faults).copies = copies;
    }

    /// Keeps callbacks back from now on.
    pub fn hold_callbacks(&self) {
        lock(&self.world.faults).held.get_or_insert_default();
    }

    /// Posts what was kept back in an order that follows from the seed, each tried once before
    /// the next, and ends the holding. Says how many there were. Seed 0 keeps their order.
    pub async fn release_callbacks(&self, seed: u64) -> usize {
        let held = lock(&self.world.faults).held.take();
        let mut parcels = held.unwrap_or_default();
        if seed != 0 {
            shuffle(&mut parcels, seed);
        }
        let count = parcels.len();
        self.deliver_in_turn(parcels).await;
        count
    }

    /// Callbacks that are kept back now, by their events' names, in the order they came.
    pub fn held_callbacks(&self) -> Vec<String> {
        let faults = lock(&self.world.faults);
        let held = faults.held.iter().flatten();
        held.map(|parcel| parcel.event.clone()).collect()
    }

    /// When SERVER, DEVICE and READ follow a send from now on, over what is configured; `None`
    /// returns to that.
    pub fn set_ack_delays(&self, delays: Option<[Duration; 3]>) {
        lock(&self.world.faults).ack_delays = delays;
    }

    /// Whether sends are answered by 201 and an empty body, though they have their effect.
    pub fn set_empty_answers(&self, empty: bool) {
        lock(&self.world.faults).empty_answers = empty;
    }

    /// Whether the account may write only to people who wrote to it first; others are refused by
    /// `server returned error 463`.
    pub fn set_restricted(&self, session: &str, restricted: bool) -> Result<(), SimError> {
        let session = self.found(session)?;
        let names = &mut lock(&self.world.faults).restricted;
        if restricted {
            names.insert(session.name.clone());
        } else {
            names.remove(&session.name);
        }
        Ok(())
    }
}

/// In a chat of two there is nobody else.
fn check_member(session: &Session, on: &Message, by: &Actor) -> Result<(), SimError> {
    let me = session.state().own_id();
    let of_chat =
        |id: &String| *id == on.chat || *id == me || crate::ids::same_person(id, &on.chat);
    if is_group(&on.chat) || by.id.as_ref().is_none_or(of_chat) {
        return Ok(());
    }
    Err(SimError::Incomplete("nobody else is in that chat"))
}

/// Fisher and Yates, by numbers that follow from the seed.
fn shuffle<T>(things: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..things.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let other = usize::try_from(mixed % (last as u64 + 1)).unwrap_or(0);
        things.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_shuffles_the_same_way_every_time_and_loses_nothing() {
        let shuffled = |seed| {
            let mut things: Vec<u32> = (0..20).collect();
            shuffle(&mut things, seed);
            things
        };
        assert_eq!(shuffled(7), shuffled(7));
        assert_ne!(shuffled(7), shuffled(8));
        let mut sorted = shuffled(7);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..20).collect::<Vec<_>>());
    }
}
