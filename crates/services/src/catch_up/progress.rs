use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mf_domain::Jid;
use mf_engine::ChatOverview;
use mf_store::Session;

use super::{Look, OVERLAP};

/// How far the looks at a session have come since the last that came to its end. In memory
/// only: after a restart they begin anew, and what was read is known by then.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Since when it is this account's, and until when its messages were fetched before.
    of: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    chats: HashMap<Jid, Place>,
}

/// How far one chat was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// When its reading began.
    begun: DateTime<Utc>,
    /// What was written before is not read.
    pub(super) since: DateTime<Utc>,
    /// So many of the newest were read.
    pub(super) offset: u32,
    /// All of them were.
    pub(super) done: bool,
}

impl Progress {
    /// Forgets everything if it is not about what is missing now.
    pub(super) fn keep_if_of(&mut self, session: &Session) {
        let of = (session.paired_at, session.caught_up_at);
        if self.of != of {
            *self = Self {
                of,
                chats: HashMap::new(),
            };
        }
    }

    /// Where to go on with a chat. `None`: there is nothing in it that was not read.
    pub(super) fn next(
        &mut self,
        look: &Look<'_>,
        chat: &ChatOverview,
        now: DateTime<Utc>,
    ) -> Option<Place> {
        let new = |since| Place {
            begun: now,
            since,
            offset: 0,
            done: false,
        };
        match self.chats.get(&chat.chat) {
            None => Some(new(look.since)),
            Some(place) if !place.done => Some(*place),
            Some(place) => {
                let read_until = place.begun - OVERLAP;
                let has_more = chat.last_at.is_some_and(|at| at >= read_until);
                (place.begun < look.begun && has_more).then(|| new(read_until.max(look.since)))
            }
        }
    }

    pub(super) fn note(&mut self, chat: &Jid, place: Place) {
        self.chats.insert(chat.clone(), place);
    }
}
