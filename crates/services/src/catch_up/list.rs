use std::collections::HashSet;

use chrono::{DateTime, Utc};
use mf_domain::{Jid, JidKind};
use mf_engine::{ChatOverview, EnginePage};
use tracing::warn;

use super::{Look, PAGE, ends_the_look};
use crate::{ServiceError, Services, content};

/// Most entries of the list that are looked through, should it never come to an end.
const MOST: u32 = 10_000;
/// How often the top of the list is read again.
const TOPS: u32 = 5;

/// Chats in which something may be missing.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) chats: Vec<ChatOverview>,
    /// There are no others.
    pub(super) complete: bool,
    known: HashSet<Jid>,
    since: DateTime<Utc>,
    /// Chats whose last message the engine does not date are wanted, too.
    undated: bool,
}

impl Listing {
    fn wants(&self, chat: &ChatOverview) -> bool {
        let readable = match chat.chat.kind() {
            JidKind::Channel => false,
            JidKind::Broadcast => chat.chat.user() != "status",
            JidKind::Person | JidKind::Hidden | JidKind::Group => true,
        };
        readable && chat.last_at.map_or(self.undated, |at| at >= self.since)
    }

    /// Takes over what is wanted and new. Whether there was any.
    fn take(&mut self, page: Vec<ChatOverview>) -> bool {
        let before = self.chats.len();
        for chat in page {
            if self.wants(&chat) && self.known.insert(chat.chat.clone()) {
                self.chats.push(chat);
            }
        }
        self.chats.len() > before
    }

    /// Whether what follows after this page is older than what is wanted: the list is ordered
    /// by the newest message. What has no date says nothing about it.
    fn ends_with(&self, page: &[ChatOverview]) -> bool {
        let mut dates = page.iter().filter_map(|chat| chat.last_at).peekable();
        let undated = self.undated && page.iter().any(|chat| chat.last_at.is_none());
        !undated && dates.peek().is_some() && dates.all(|at| at < self.since)
    }
}

impl Services {
    /// Chats in which something was written since then. Those without a date are read once, at
    /// a session's first look: nothing says whether they changed since.
    pub(super) async fn chats_since(&self, look: &Look<'_>) -> Result<Listing, ServiceError> {
        let mut listing = Listing {
            chats: Vec::new(),
            complete: false,
            known: HashSet::new(),
            since: look.since,
            undated: look.session.caught_up_at.is_none(),
        };
        let mut at_end = self.list_chats(look, &mut listing, false).await?.is_some();
        // A chat that moved up while we read down was on no page that we read.
        for _ in 0..TOPS {
            match self.list_chats(look, &mut listing, true).await? {
                Some(true) => {}
                Some(false) => {
                    listing.complete = at_end;
                    break;
                }
                None => at_end = false,
            }
        }
        if let Err(error) = self.name_groups(look, &listing.chats).await {
            if ends_the_look(&error) {
                return Err(error);
            }
            warn!(error = %error, "names of groups were not written down");
        }
        Ok(listing)
    }

    /// Reads the list from its top down to what is old, or else to where there is nothing new.
    /// Whether there was something new; `None` where it did not come to an end.
    async fn list_chats(
        &self,
        look: &Look<'_>,
        listing: &mut Listing,
        again: bool,
    ) -> Result<Option<bool>, ServiceError> {
        let mut news = false;
        let mut offset = 0;
        while offset < MOST {
            let limit = PAGE;
            let page = self
                .engine
                .chats(&look.key, EnginePage { limit, offset })
                .await?;
            let old = page.is_empty() || listing.ends_with(&page);
            let new = listing.take(page);
            news |= new;
            if old || (again && !new) {
                return Ok(Some(news));
            }
            offset += PAGE;
        }
        Ok(None)
    }

    /// The names of groups come with the list, and with no message.
    async fn name_groups(
        &self,
        look: &Look<'_>,
        chats: &[ChatOverview],
    ) -> Result<(), ServiceError> {
        let names: Vec<_> = chats
            .iter()
            .filter(|chat| chat.chat.is_group())
            .filter_map(|chat| Some((&chat.chat, content::clean(chat.name.as_deref()?))))
            .filter(|(_, name)| !name.trim().is_empty())
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = names.iter().map(|(chat, name)| (*chat, &**name)).collect();
        let mut tx = self.store.begin(look.owner.tenant).await?;
        if tx.sessions().hold(look.owner.id).await?.is_some() {
            // As of before the list was asked for: what is reported since is newer.
            tx.chats()
                .name_listed(look.owner.id, &names, look.begun)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use mf_domain::Jid;
    use mf_engine::ChatOverview;

    use super::Listing;

    const SINCE: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn listing(undated: bool) -> Listing {
        Listing {
            chats: Vec::new(),
            complete: false,
            known: std::collections::HashSet::new(),
            since: SINCE,
            undated,
        }
    }

    fn chat(jid: &str, hours: Option<i64>) -> ChatOverview {
        ChatOverview {
            chat: Jid::parse(jid).unwrap(),
            name: None,
            last_at: hours.map(|hours| SINCE + TimeDelta::hours(hours)),
        }
    }

    #[test]
    fn each_chat_with_something_new_is_taken_once_and_none_that_cannot_be_read() {
        let page = vec![
            chat("15550000002@c.us", Some(1)),
            chat("120363@g.us", Some(-1)),
            chat("120363@newsletter", Some(1)),
            chat("status@broadcast", Some(1)),
            chat("1@lid", None),
        ];
        let mut later = listing(false);
        assert!(later.take(page.clone()));
        assert_eq!(later.chats, page[..1]);
        assert!(!later.take(page.clone()), "there is nothing new");
        let mut first = listing(true);
        first.take(page.clone());
        assert_eq!(first.chats, [page[0].clone(), page[4].clone()]);
    }

    #[test]
    fn a_list_ends_where_everything_that_has_a_date_is_old() {
        let old = chat("15550000002@c.us", Some(-1));
        let new = chat("15550000003@c.us", Some(1));
        let undated = chat("1@lid", None);
        let later = listing(false);
        assert!(later.ends_with(&[undated.clone(), old.clone()]));
        assert!(!later.ends_with(&[old.clone(), new]));
        assert!(!later.ends_with(std::slice::from_ref(&undated)));
        assert!(!listing(true).ends_with(&[undated, old.clone()]));
        assert!(listing(true).ends_with(&[old]));
    }
}
