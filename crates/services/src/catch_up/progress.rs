use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mf_domain::Jid;
use mf_engine::ChatOverview;
use mf_store::Session;

use super::OVERLAP;

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

    /// Where to go on with a chat in a look that began then and wants what was written `since`.
    /// `None`: there is nothing in it that was not read.
    pub(super) fn next(
        &self,
        chat: &ChatOverview,
        begun: DateTime<Utc>,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<Place> {
        let new = |since| Place {
            begun: now,
            since,
            offset: 0,
            done: false,
        };
        match self.chats.get(&chat.chat) {
            None => Some(new(since)),
            Some(place) if !place.done => Some(*place),
            Some(place) => {
                let read_until = place.begun - OVERLAP;
                let has_more = chat.last_at.is_some_and(|at| at >= read_until);
                (place.begun < begun && has_more).then(|| new(read_until.max(since)))
            }
        }
    }

    pub(super) fn note(&mut self, chat: &Jid, place: Place) {
        self.chats.insert(chat.clone(), place);
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use mf_domain::{Jid, SessionStatus::Working};
    use mf_engine::ChatOverview;

    use super::{OVERLAP, Place, Progress};
    use crate::sessions::status::tests::session;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    /// Where to go on with a chat last written in then, in a look that begins then.
    fn next(progress: &Progress, last_at: Option<i64>, begun: i64) -> Option<Place> {
        let chat = ChatOverview {
            chat: chat(),
            name: None,
            last_at: last_at.map(at),
        };
        progress.next(&chat, at(begun), at(0), at(begun))
    }

    fn chat() -> Jid {
        Jid::parse("15550000002@c.us").unwrap()
    }

    #[test]
    fn a_chat_is_read_on_from_where_it_was_left_and_then_only_for_what_is_new() {
        let mut progress = Progress::default();
        let place = next(&progress, Some(90), 100).unwrap();
        assert_eq!((place.since, place.offset), (at(0), 0));
        let left = Place {
            offset: 50,
            ..place
        };
        progress.note(&chat(), left);
        assert_eq!(next(&progress, Some(90), 110), Some(left));
        progress.note(&chat(), Place { done: true, ..left });
        // Nothing was written since it was begun with.
        assert_eq!(next(&progress, Some(90), 110), None);
        assert_eq!(next(&progress, None, 110), None);
        let more = next(&progress, Some(105), 110).unwrap();
        assert_eq!((more.since, more.offset), (at(100) - OVERLAP, 0));
        progress.note(&chat(), Place { done: true, ..more });
        assert_eq!(next(&progress, Some(105), 110), None, "once in a look");
    }

    #[test]
    fn what_is_missing_of_another_account_begins_anew() {
        let mut progress = Progress::default();
        let mut session = session(Working, true);
        session.paired_at = Some(at(1));
        progress.keep_if_of(&session);
        let place = next(&progress, Some(90), 100).unwrap();
        progress.note(
            &chat(),
            Place {
                done: true,
                ..place
            },
        );
        progress.keep_if_of(&session);
        assert_eq!(next(&progress, Some(90), 110), None);
        session.paired_at = Some(at(105));
        progress.keep_if_of(&session);
        assert!(next(&progress, Some(90), 110).is_some());
    }
}
