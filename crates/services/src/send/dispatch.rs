use std::time::Duration;

use mf_domain::{MessageId, MessageStatus, SessionId};
use mf_engine::{Content, EngineError, Outgoing, SessionKey};
use mf_store::{Claim, Message, Outcome, Tenant};
use tokio::time::timeout;
use tracing::warn;
use uuid::Uuid;

use super::SendRefused;
use crate::{
    ServiceError, Services,
    lanes::{Ticket, Turn},
    outbox::backoff,
};

/// How long before the end of its claim a send is given up on: time to write that down.
const MARGIN: Duration = Duration::from_secs(5);

/// A message that this process holds and is about to send.
pub(crate) struct Held {
    pub(crate) tenant: Tenant,
    pub(crate) id: MessageId,
    pub(crate) session_id: SessionId,
    pub(crate) claim: Claim,
    pub(crate) message: Outgoing,
    /// It may go back to the outbox and be sent later.
    pub(crate) queue: bool,
    pub(crate) attempts: i32,
    /// It is on disk that the engine may have been asked.
    pub(crate) attempted: bool,
    /// The session is shown as restricted: a send that succeeds says otherwise.
    pub(crate) restricted: bool,
}

impl Services {
    /// A claim on a message, believed for as long as sending it may take.
    pub(crate) fn claim(&self, id: Uuid, content: Option<&Content>) -> Claim {
        let lease = match content {
            Some(Content::Media { .. }) => self.settings.media_send_lease,
            _ => self.settings.send_lease,
        };
        Claim { id, lease }
    }

    pub(super) async fn send_in_turn(
        &self,
        ticket: Ticket,
        mut held: Held,
    ) -> Result<Message, SendRefused> {
        let accepted_at = tokio::time::Instant::now();
        let turn = ticket.turn().await;
        if !turn.clear {
            // Somebody ahead was set back: whoever overtakes now would arrive before them.
            return self.set_back(&turn, &held, false, None).await;
        }
        // The lease must outlast the engine's answer.
        let old = accepted_at.elapsed() > self.settings.send_lease / 10;
        let minted = self.mint_if_none(&mut held).await?;
        if (old || minted || !held.attempted) && !self.renew(&held).await? {
            return self.as_it_stands(&held).await;
        }
        self.ask_engine(&turn, &held).await
    }

    /// Gives a message its id where the engine takes one, and could not say so when the message
    /// was accepted.
    pub(crate) async fn mint_if_none(&self, held: &mut Held) -> Result<bool, SendRefused> {
        if held.message.id.is_some() || !self.engine_takes_id_of(&held.message.content).await? {
            return Ok(false);
        }
        held.message.id = Some(self.ids.wa_message_id());
        Ok(true)
    }

    /// Notes that the engine is about to be asked, under which id, and for how long the claim
    /// is to be believed. `false` where it was lost.
    pub(crate) async fn renew(&self, held: &Held) -> Result<bool, SendRefused> {
        let mut tx = self.store.begin(held.tenant).await?;
        let ours = tx
            .outbox()
            .attempt(held.id, held.claim, held.message.id.as_ref())
            .await?;
        tx.commit().await?;
        Ok(ours)
    }

    /// The engine call and transaction two.
    pub(crate) async fn ask_engine(
        &self,
        turn: &Turn,
        held: &Held,
    ) -> Result<Message, SendRefused> {
        let key = SessionKey::of(held.session_id);
        // However many questions the adapter asks on the way: nobody believes us any longer.
        let patience = held.claim.lease.saturating_sub(MARGIN);
        let asked = timeout(patience, self.engine.send(&key, &held.message));
        match asked.await.unwrap_or(Err(EngineError::Timeout)) {
            Ok(wa_message_id) => {
                let at = self.clock.now();
                let sent = Outcome::Sent {
                    wa_message_id,
                    status: MessageStatus::Sent,
                    at,
                };
                let message = self.finish(held, sent).await?;
                if held.restricted {
                    let noted = self.clear_restriction(held.tenant, held.session_id).await;
                    unimportant(noted);
                }
                Ok(message)
            }
            Err(error) if error.had_no_effect() && !(error.is_passing() && held.queue) => {
                self.finish(
                    held,
                    Outcome::Failed {
                        error: error.to_string(),
                    },
                )
                .await?;
                if error == EngineError::AccountRestricted {
                    let noted = self.note_restriction(held.tenant, held.session_id).await;
                    unimportant(noted);
                }
                let passing = error.is_passing();
                Err(if passing {
                    SendRefused::Engine(error)
                } else {
                    SendRefused::Refused(error)
                })
            }
            Err(error) => {
                warn!(error = %error, "a message goes back to the outbox");
                let attempted = !error.had_no_effect();
                self.set_back(turn, held, attempted, Some(error)).await
            }
        }
    }

    /// Back to the outbox. A client who does not want to wait is told so; the outbox still
    /// finds out what became of a message that the engine may have sent.
    async fn set_back(
        &self,
        turn: &Turn,
        held: &Held,
        attempted: bool,
        error: Option<EngineError>,
    ) -> Result<Message, SendRefused> {
        if !held.queue && !attempted {
            let reason = SendRefused::Away.to_string();
            self.finish(held, Outcome::Failed { error: reason }).await?;
            return Err(SendRefused::Away);
        }
        let mut tx = self.store.begin(held.tenant).await?;
        let delay = backoff(held.attempts);
        tx.outbox()
            .release(held.id, held.claim, attempted, delay)
            .await?;
        tx.commit().await?;
        turn.set_back();
        match error {
            Some(error) if !held.queue => Err(SendRefused::Unknown { error, id: held.id }),
            _ => self.as_it_stands(held).await,
        }
    }

    /// Writes down what became of a message, with its event.
    pub(crate) async fn finish(
        &self,
        held: &Held,
        outcome: Outcome,
    ) -> Result<Message, SendRefused> {
        match self.try_finish(held, &outcome).await {
            // The engine's report of the message came first and stands as a row of its own,
            // under the id that we would write: the message is sent, without the id.
            Err(SendRefused::Failed(ServiceError::Store(error)))
                if error.is_constraint("message_wa_message_id_key") =>
            {
                let Outcome::Sent { status, at, .. } = outcome else {
                    return Err(error.into());
                };
                let sent = Outcome::Sent {
                    wa_message_id: None,
                    status,
                    at,
                };
                self.try_finish(held, &sent).await
            }
            finished => finished,
        }
    }

    async fn try_finish(&self, held: &Held, outcome: &Outcome) -> Result<Message, SendRefused> {
        let finished = self.finish_claimed(held.tenant, held.id, held.claim, outcome);
        match finished.await? {
            Some(message) => Ok(message),
            None => self.as_it_stands(held).await,
        }
    }

    /// The same by the claim alone. `None` where it was lost.
    pub(crate) async fn finish_claimed(
        &self,
        tenant: Tenant,
        id: MessageId,
        claim: Claim,
        outcome: &Outcome,
    ) -> Result<Option<Message>, SendRefused> {
        let mut tx = self.store.begin(tenant).await?;
        let finished = tx.outbox().finish(id, claim, outcome).await?;
        if let Some(advance) = &finished {
            self.tell_advance(&mut tx, advance).await?;
        }
        tx.commit().await?;
        metrics::counter!("messages_finished_total", "outcome" => outcome_label(outcome))
            .increment(1);
        Ok(finished.map(|advance| advance.message))
    }

    async fn as_it_stands(&self, held: &Held) -> Result<Message, SendRefused> {
        let mut tx = self.store.begin(held.tenant).await?;
        let message = tx.messages().lookup(held.id).await?;
        tx.commit().await?;
        message.ok_or(SendRefused::SessionNotFound)
    }
}

/// What is shown of a session matters less than what became of the message.
fn unimportant(noted: Result<(), ServiceError>) {
    if let Err(error) = noted {
        warn!(error = %error, "it was not noted whether a session is restricted");
    }
}

fn outcome_label(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Sent { .. } => "sent",
        Outcome::Failed { .. } => "failed",
        Outcome::Unknown => "unknown",
    }
}
