use chrono::{DateTime, SubsecRound as _, Utc};
use mf_engine::{ChatOverview, EnginePage, InboundMessage, MessagesQuery};
use mf_store::StoreError;
use tracing::warn;

use super::{Look, PAGE, ends_the_look, progress::Place, progress::Progress};
use crate::{ServiceError, Services, inbound::Freshness};

/// Most messages of one chat that are read of the time before.
const HISTORY_PER_CHAT: usize = 100;
/// Messages of one chat that are held until they are taken in, the oldest first. Where more were
/// missed, the older ones follow after the newer.
const HELD: usize = 2000;
/// Messages of one chat read in one look. The next look goes on from there.
const MOST: u32 = 20_000;
/// How often it is tried to take in a message.
const TRIES: u32 = 3;

impl Services {
    /// Reads what was missed in one chat. Whether that came to its end.
    pub(super) async fn catch_up_chat(
        &self,
        look: &Look<'_>,
        chat: &ChatOverview,
        progress: &mut Progress,
    ) -> Result<bool, ServiceError> {
        while let Some(mut place) = progress.next(chat, look.begun, look.since, self.clock.now()) {
            let stop = place.offset.saturating_add(MOST);
            while !place.done {
                if place.offset >= stop {
                    return Ok(false);
                }
                self.read_on(look, chat, &mut place).await?;
                progress.note(&chat.chat, place);
            }
        }
        Ok(true)
    }

    /// Reads on from a place in a chat, to its end or until much is held, and takes that in.
    async fn read_on(
        &self,
        look: &Look<'_>,
        chat: &ChatOverview,
        place: &mut Place,
    ) -> Result<(), ServiceError> {
        let paired = paired(look);
        let since = place.since.trunc_subsecs(0);
        let mut held: Vec<InboundMessage> = Vec::new();
        let mut offset = place.offset;
        let mut done = false;
        while !done && held.len() < HELD {
            let query = MessagesQuery {
                since: Some(place.since),
                page: EnginePage {
                    limit: PAGE,
                    offset,
                },
            };
            let page = match self.engine.messages(&look.key, &chat.chat, query).await {
                Ok(page) => page,
                Err(error) => {
                    let error = error.into();
                    if !ends_the_look(&error) {
                        // It will not be had later either: this much is.
                        self.take_missed(look, held).await?;
                    }
                    return Err(error);
                }
            };
            let end = page.last().is_none_or(|oldest| oldest.at < since);
            // Engines may give more than they were asked for.
            held.extend(page.into_iter().filter(|message| message.at >= since));
            let history = held.iter().filter(|message| message.at < paired).count();
            done = end || history >= HISTORY_PER_CHAT;
            offset = offset.saturating_add(PAGE);
        }
        self.take_missed(look, held).await?;
        (place.offset, place.done) = (offset, done);
        Ok(())
    }

    /// Takes in what was read, the oldest first, as it would have been told.
    async fn take_missed(
        &self,
        look: &Look<'_>,
        mut messages: Vec<InboundMessage>,
    ) -> Result<(), ServiceError> {
        // Times are in seconds: within one, the engine's own order counts.
        messages.reverse();
        messages.sort_by_key(|message| message.at);
        for message in messages {
            self.take_missed_message(look, &message).await?;
        }
        Ok(())
    }

    /// Takes in one message. One that the database will not have is left out.
    async fn take_missed_message(
        &self,
        look: &Look<'_>,
        message: &InboundMessage,
    ) -> Result<(), ServiceError> {
        // What was written before the pairing is history: nobody is told of it.
        let freshness = if message.at < paired(look) {
            Freshness::History
        } else {
            Freshness::Live
        };
        for tries_left in (0..TRIES).rev() {
            match self.try_to_take(look, message, freshness).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_passing() => return Err(error),
                // Its report was a moment quicker.
                Err(ServiceError::Store(StoreError::Constraint { constraint }))
                    if constraint == "message_wa_message_id_key" =>
                {
                    return Ok(());
                }
                // Somebody was in the way.
                Err(ServiceError::Store(error)) if error.is_conflict() && tries_left > 0 => {}
                Err(ServiceError::Store(error)) if is_about_the_message(&error) => {
                    warn!(error = %error, "a message that was missed could not be taken in");
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn try_to_take(
        &self,
        look: &Look<'_>,
        message: &InboundMessage,
        freshness: Freshness,
    ) -> Result<(), ServiceError> {
        let mut tx = self.store.begin(look.owner.tenant).await?;
        if tx.sessions().hold(look.owner.id).await?.is_none() {
            return Ok(());
        }
        self.take_message(&mut tx, look.owner.id, message, freshness)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Whether the database refused what is in the message, and would refuse it again.
fn is_about_the_message(error: &StoreError) -> bool {
    error.is_data() || matches!(error, StoreError::Constraint { .. })
}

fn paired(look: &Look<'_>) -> DateTime<Utc> {
    let paired = look.session.paired_at.unwrap_or(look.session.created_at);
    paired.trunc_subsecs(0)
}
