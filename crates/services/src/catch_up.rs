//! Messages that nobody told us of: written while this server or the engine was away, or
//! before the session was paired here.

use std::{collections::HashSet, sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use mf_domain::Jid;
use mf_engine::{EnginePage, InboundMessage, MessagesQuery, SessionKey};
use mf_store::{Session, SessionOwner};
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::{ServiceError, Services, inbound::Freshness};

/// How far back a session's chats are read when it was paired just now.
const HISTORY: TimeDelta = TimeDelta::days(14);
/// Most messages of one chat that are read of the time before.
const HISTORY_PER_CHAT: usize = 100;
/// The longest that a session which came back waits for a bell that nobody rang.
const POLL: Duration = Duration::from_secs(10);
/// How far before the last look the next one begins: clocks differ, and messages come late.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);
/// Chats, and messages, asked for at a time.
const PAGE: u32 = 50;
/// Most chats looked at, the liveliest first.
const CHATS: u32 = 1000;
/// Most messages of one chat that are looked through, should an engine never come to an end.
const MOST: u32 = 20_000;
/// Sessions begun at a time.
const SESSIONS: i64 = 20;

impl Services {
    /// Fetches, until shutdown, what was missed: whenever a session comes back, and every few
    /// minutes.
    pub async fn run_catch_up(self: &Arc<Self>) {
        // At the start everybody is behind, whenever they were last looked at.
        let mut every = Duration::ZERO;
        while !self.shutdown.is_cancelled() {
            match self.catch_up_all(every).await {
                Ok(()) => every = self.settings.catch_up_every,
                Err(error) => warn!(error = %error, "missed messages could not be looked for"),
            }
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = self.catch_up_soon.notified() => {}
                () = sleep(POLL) => {}
            }
        }
    }

    /// Every session that works, unless it was looked at less than `every` ago.
    async fn catch_up_all(&self, every: Duration) -> Result<(), ServiceError> {
        let mut begun = HashSet::new();
        loop {
            let mut tx = self
                .store
                .system("sessions of all tenants may have missed something")
                .await?;
            let sessions = tx.sessions_to_catch_up(every, SESSIONS).await?;
            tx.commit().await?;
            let fresh = sessions.iter().filter(|owner| begun.insert(owner.id));
            if fresh.count() == 0 {
                return Ok(());
            }
            for owner in sessions {
                let caught_up = self.catch_up(&owner);
                let Some(caught_up) = self.shutdown.run_until_cancelled(caught_up).await else {
                    return Ok(());
                };
                if let Err(error) = caught_up {
                    debug!(session.id = %owner.id, error = %error, "a session did not catch up");
                }
            }
        }
    }

    /// Fetches what a session missed, and notes until when nothing is missing.
    async fn catch_up(&self, owner: &SessionOwner) -> Result<(), ServiceError> {
        let begun = self.clock.now();
        let mut tx = self.store.begin(owner.tenant).await?;
        let session = tx.sessions().lookup(owner.id).await?;
        tx.commit().await?;
        let Some(session) = session else {
            return Ok(());
        };
        let since = session
            .caught_up_at
            .map_or(begun - HISTORY, |until| until - OVERLAP);
        for chat in self.chats_since(owner, since).await? {
            self.catch_up_chat(owner, &session, &chat, since).await?;
        }
        let mut tx = self.store.begin(owner.tenant).await?;
        tx.sessions().caught_up(owner.id, begun).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Chats in which something was written since then. The engine lists them by their newest
    /// message, so that the first old one is the last that matters.
    async fn chats_since(
        &self,
        owner: &SessionOwner,
        since: DateTime<Utc>,
    ) -> Result<Vec<Jid>, ServiceError> {
        let key = SessionKey::of(owner.id);
        let mut chats = Vec::new();
        let mut offset = 0;
        while offset < CHATS {
            let page = EnginePage {
                limit: PAGE,
                offset,
            };
            let found = self.engine.chats(&key, page).await?;
            let old = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at < since);
            let all_old = found.iter().all(|chat| old(chat.last_at));
            let new = found.iter().filter(|chat| !old(chat.last_at));
            chats.extend(new.map(|chat| (chat.chat.clone(), chat.name.clone())));
            if all_old {
                break;
            }
            offset += PAGE;
        }
        self.name_groups(owner, &chats).await?;
        Ok(chats.into_iter().map(|(chat, _)| chat).collect())
    }

    /// The names of groups come with the list, and with no message.
    async fn name_groups(
        &self,
        owner: &SessionOwner,
        chats: &[(Jid, Option<String>)],
    ) -> Result<(), ServiceError> {
        let now = self.clock.now();
        let mut tx = self.store.begin(owner.tenant).await?;
        for (chat, name) in chats.iter().filter(|(chat, _)| chat.is_group()) {
            if let Some(name) = name.as_deref().filter(|name| !name.trim().is_empty()) {
                let name = crate::content::clean(name);
                tx.chats().rename(owner.id, chat, &name, now).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    async fn catch_up_chat(
        &self,
        owner: &SessionOwner,
        session: &Session,
        chat: &Jid,
        since: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let key = SessionKey::of(owner.id);
        // What was written before the pairing is history: nobody is told of it.
        let paired = session.paired_at.unwrap_or(session.created_at);
        let paired = paired.trunc_subsecs(0);
        let mut found: Vec<InboundMessage> = Vec::new();
        let mut offset = 0;
        loop {
            let query = MessagesQuery {
                since: Some(since),
                page: EnginePage {
                    limit: PAGE,
                    offset,
                },
            };
            let page = self.engine.messages(&key, chat, query).await?;
            let last = page.is_empty();
            found.extend(page);
            let history = found.last().is_some_and(|oldest| oldest.at < paired);
            if last || (history && found.len() >= HISTORY_PER_CHAT) || offset >= MOST {
                break;
            }
            offset += PAGE;
        }
        // The oldest first, as they would have been told. Times are in seconds: within one, the
        // engine's own order counts.
        found.reverse();
        found.sort_by_key(|message| message.at);
        for message in found {
            let freshness = if message.at < paired {
                Freshness::History
            } else {
                Freshness::Live
            };
            let mut tx = self.store.begin(owner.tenant).await?;
            self.take_message(&mut tx, owner.id, &message, freshness)
                .await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
