use std::{sync::Arc, time::Duration};

use mf_domain::{Jid, MessageStatus, WaMessageId};
use mf_engine::{EngineError, Outgoing, SessionKey};
use mf_store::{Claim, ClaimedMessage, Message, Outcome, StoreResult};
use tokio::{task::JoinSet, time::sleep};
use tracing::{Instrument, info_span, warn};

use crate::{SendRefused, Services, content, lanes::Turn, send::Held};

/// Messages being settled at a time, each of another session.
const AT_A_TIME: usize = 64;
/// The longest that a due message waits for a bell that nobody rang.
const POLL: Duration = Duration::from_secs(1);

/// How long a message waits after it was tried `attempts` times.
pub(crate) fn backoff(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 6)).unwrap_or(1) - 1;
    Duration::from_secs(1 << doublings)
}

/// A message that was claimed.
enum Waiting {
    /// It can be sent.
    Sendable(Box<(Message, Held)>),
    /// It was removed meanwhile.
    Gone,
    /// There is nothing left in it that could be sent.
    Unsendable,
}

impl Services {
    /// Sends whatever is due, until shutdown. Sessions do not wait for one another: as soon as
    /// one message is settled, the next look is taken, whatever the others are waiting for.
    pub async fn run_outbox(self: &Arc<Self>) {
        let mut work = JoinSet::new();
        while !self.shutdown.is_cancelled() {
            if let Err(error) = self.claim_and_settle(&mut work).await {
                warn!(error = %error, "the outbox could not be looked through");
            }
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = self.store.wake().outbox() => {}
                () = sleep(POLL) => {}
                Some(_) = work.join_next() => while work.try_join_next().is_some() {},
            }
        }
        // A panic in one of them is its own end, not ours.
        while work.join_next().await.is_some() {}
    }

    async fn claim_and_settle(self: &Arc<Self>, work: &mut JoinSet<()>) -> StoreResult<()> {
        let free = AT_A_TIME.saturating_sub(work.len());
        let claim = self.claim(self.ids.mint(), None);
        let mut tx = self
            .store
            .system("messages of all tenants wait in one queue")
            .await?;
        let claimed = tx
            .claim_outbox(claim, i64::try_from(free).unwrap_or(0))
            .await?;
        tx.commit().await?;
        for message in claimed {
            let services = Arc::clone(self);
            let span = info_span!("outbox", message.id = %message.id);
            let settle = async move {
                if let Err(error) = services.settle(&message, claim).await {
                    // The lease runs out and somebody looks again.
                    warn!(error = %error, "a pending message was not settled");
                }
            };
            work.spawn(settle.instrument(span));
        }
        Ok(())
    }

    async fn settle(&self, claimed: &ClaimedMessage, claim: Claim) -> Result<(), SendRefused> {
        let turn = self.lanes.ticket(claimed.session_id).turn().await;
        let (message, held) = match self.hold(claimed, claim).await? {
            Waiting::Sendable(waiting) => *waiting,
            Waiting::Gone => return Ok(()),
            Waiting::Unsendable => {
                // Left as it is, it would be in the way of all that wait behind it.
                let outcome = if claimed.attempted {
                    Outcome::Unknown
                } else {
                    let error =
                        "The message was taken back, or cannot be read any more.".to_owned();
                    Outcome::Failed { error }
                };
                self.finish_claimed(claimed.tenant, claimed.id, claim, &outcome)
                    .await?;
                return Ok(());
            }
        };
        if claimed.attempted {
            self.find_out(&turn, claimed, &message, held).await
        } else if claimed.expired || !claimed.may_send {
            let error = "The session did not come back in time, so the message was not sent.";
            self.finish(
                &held,
                Outcome::Failed {
                    error: error.to_owned(),
                },
            )
            .await?;
            Ok(())
        } else {
            self.send_held(&turn, held).await
        }
    }

    /// The message as it stands, if the claim still does.
    async fn hold(&self, claimed: &ClaimedMessage, claim: Claim) -> Result<Waiting, SendRefused> {
        let mut tx = self.store.begin(claimed.tenant).await?;
        let message = tx.messages().lookup(claimed.id).await?;
        let reply_to = match message
            .as_ref()
            .and_then(|message| message.reply_to.as_deref())
        {
            Some(id) => {
                let id = WaMessageId::new(id);
                tx.messages().lookup_in(claimed.session_id, &id).await?
            }
            None => None,
        };
        tx.commit().await?;
        let Some(message) = message else {
            return Ok(Waiting::Gone);
        };
        let Ok(chat) = Jid::parse(&message.wa_chat_id) else {
            return Ok(Waiting::Unsendable);
        };
        let mut url = Ok(String::new());
        let content = content::of_row(&message, |media| {
            url = self.media_url_for_engine(claimed.tenant, media.id);
            url.as_ref().cloned().unwrap_or_default()
        });
        url?;
        let Some(content) = content.filter(|_| message.revoked_at.is_none()) else {
            return Ok(Waiting::Unsendable);
        };
        let held = Held {
            tenant: claimed.tenant,
            id: claimed.id,
            session_id: claimed.session_id,
            claim: self.claim(claim.id, Some(&content)),
            message: Outgoing {
                chat,
                content,
                reply_to: reply_to.as_ref().and_then(crate::send::reply_to),
                id: message.wa_message_id.clone().map(WaMessageId::new),
            },
            queue: claimed.may_send,
            attempts: claimed.attempts,
            attempted: claimed.attempted,
            restricted: false,
        };
        Ok(Waiting::Sendable(Box::new((message, held))))
    }

    async fn send_held(&self, turn: &Turn, mut held: Held) -> Result<(), SendRefused> {
        if let Err(refused) = self.mint_if_none(&mut held).await {
            // The engine was away when the message was accepted, and came back as one that
            // cannot do this.
            let error = refused.to_string();
            self.finish(&held, Outcome::Failed { error }).await?;
            return Ok(());
        }
        if !self.renew(&held).await? {
            return Ok(());
        }
        held.attempts = held.attempts.saturating_add(1);
        match self.ask_engine(turn, &held).await {
            // It was written down with the message.
            Ok(_)
            | Err(SendRefused::Refused(_) | SendRefused::Engine(_) | SendRefused::Unknown { .. }) => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// What became of a message that the engine may have sent: asked for by its id first, sent
    /// again only under the same id and only where the engine makes that safe.
    async fn find_out(
        &self,
        turn: &Turn,
        claimed: &ClaimedMessage,
        message: &Message,
        held: Held,
    ) -> Result<(), SendRefused> {
        let Some(id) = message.wa_message_id.clone().map(WaMessageId::new) else {
            // The engine chose the id and never said which: nothing can be asked, and a second
            // try might be a second message.
            self.finish(&held, Outcome::Unknown).await?;
            return Ok(());
        };
        let key = SessionKey::of(claimed.session_id);
        match self
            .engine
            .find_message(&key, &held.message.chat, &id)
            .await
        {
            Ok(Some(found)) => {
                let status = found.status.unwrap_or(MessageStatus::Sent);
                let outcome = match status {
                    MessageStatus::Failed => Outcome::Failed {
                        error: "WhatsApp refused the message".to_owned(),
                    },
                    // It has it, whatever it says of how far it came.
                    MessageStatus::Pending => self.sent(id, MessageStatus::Sent),
                    status => self.sent(id, status),
                };
                self.finish(&held, outcome).await?;
                Ok(())
            }
            Ok(None) | Err(EngineError::Unsupported { .. }) => {
                let content = &held.message.content;
                let repeatable = self.engine_takes_id_of(content).await.unwrap_or(false);
                if repeatable && claimed.may_send && !claimed.expired && claimed.session_works {
                    return self.send_held(turn, held).await;
                }
                self.finish(&held, Outcome::Unknown).await?;
                Ok(())
            }
            // A session that is gone, or will not come back in time, cannot be asked.
            Err(EngineError::NotReady { .. } | EngineError::SessionMissing) if claimed.expired => {
                self.finish(&held, Outcome::Unknown).await?;
                Ok(())
            }
            Err(_) => {
                let mut tx = self.store.begin(held.tenant).await?;
                let delay = backoff(held.attempts.saturating_add(2));
                tx.outbox()
                    .release(held.id, held.claim, true, delay)
                    .await?;
                tx.commit().await?;
                turn.set_back();
                Ok(())
            }
        }
    }

    fn sent(&self, id: WaMessageId, status: MessageStatus) -> Outcome {
        Outcome::Sent {
            wa_message_id: Some(id),
            status,
            at: self.clock.now(),
        }
    }
}
