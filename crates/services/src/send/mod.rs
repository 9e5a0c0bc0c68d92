use std::sync::Arc;

use mf_domain::{
    ChatId, EventName, Jid, MessageId, MessageKind, MessageStatus, MessageText, SessionId,
    SessionStatus, WaMessageId,
};
use mf_engine::{EngineError, ReplyTo, SessionKey, TextToSend};
use mf_store::{ChatPeer, Claim, Message, NewOutbound, Outcome, StoreError, Tenant};
use tracing::{Instrument, info_span, warn};
use uuid::Uuid;

use crate::{
    ServiceError, Services,
    lanes::{Ticket, Turn},
    outbox::backoff,
};

/// A text that a client wants sent.
#[derive(Debug)]
pub struct TextMessage {
    /// Through which session.
    pub session_id: SessionId,
    /// To whom.
    pub to: Recipient,
    /// What.
    pub text: MessageText,
    /// The message that it answers: ours or WhatsApp's id.
    pub reply_to: Option<String>,
    /// Whether it may wait for its session.
    pub queue: bool,
}

/// To whom a message goes.
#[derive(Debug, Clone)]
pub enum Recipient {
    /// A conversation by WhatsApp's name.
    Jid(Jid),
    /// A conversation by ours.
    Chat(ChatId),
}

/// Why a message was not taken on, or not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendRefused {
    /// There is no such session in this tenant.
    #[error("Session not found")]
    SessionNotFound,
    /// There is no such chat in this session.
    #[error("Chat not found")]
    ChatNotFound,
    /// There is no such message to answer.
    #[error("The message to reply to was not found in this session")]
    ReplyNotFound,
    /// The session cannot send, and will not by itself.
    #[error("The session is not connected: its status is {0}. Start it and scan its QR code first")]
    NotConnected(SessionStatus),
    /// The session is on its way back, and the client does not want to wait.
    #[error("The session is reconnecting, and the message was not to wait in the queue")]
    Away,
    /// The engine refused for good.
    #[error("{0}")]
    Refused(EngineError),
    /// The engine cannot be reached, and the client does not want to wait.
    #[error("{0}")]
    Engine(EngineError),
    /// Something beneath failed.
    #[error(transparent)]
    Failed(#[from] ServiceError),
}

impl From<StoreError> for SendRefused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// A message that this process holds and is about to send.
pub(crate) struct Held {
    pub(crate) tenant: Tenant,
    pub(crate) id: MessageId,
    pub(crate) session_id: SessionId,
    pub(crate) claim: Claim,
    pub(crate) text: TextToSend,
    /// It may go back to the outbox and be sent later.
    pub(crate) queue: bool,
    pub(crate) attempts: i32,
    /// It is on disk that the engine may have been asked.
    pub(crate) attempted: bool,
}

impl Services {
    pub(crate) fn claim(&self, id: Uuid) -> Claim {
        Claim {
            id,
            lease: self.settings.send_lease,
        }
    }

    /// Sends a text: the one path that every feature takes.
    ///
    /// The message is on disk before the engine is asked, and what became of it is on disk
    /// before the caller is told. Where the engine is away, the message stays `pending` and
    /// leaves later. A caller who hangs up changes nothing.
    pub async fn send_text(
        self: &Arc<Self>,
        tenant: Tenant,
        message: TextMessage,
    ) -> Result<Message, SendRefused> {
        let ticket = self.lanes.ticket(message.session_id);
        let (accepted, held) = self.accept(tenant, &ticket, message).await?;
        let Some(held) = held else {
            return Ok(accepted);
        };
        let services = Arc::clone(self);
        let span = info_span!("send", message.id = %held.id, session.id = %held.session_id);
        let sending = self
            .tracker
            .spawn(async move { services.send_in_turn(ticket, held).await }.instrument(span));
        sending
            .await
            .map_err(|_| ServiceError::Internal("a sending task was lost"))?
    }

    /// Transaction one: checks and the durable row.
    async fn accept(
        &self,
        tenant: Tenant,
        ticket: &Ticket,
        message: TextMessage,
    ) -> Result<(Message, Option<Held>), SendRefused> {
        let mints_ids = self.engine_takes_ids().await;
        let mut tx = self.store.begin(tenant).await?;
        let session = tx
            .sessions()
            .lookup(message.session_id)
            .await?
            .ok_or(SendRefused::SessionNotFound)?;
        if !session.status.accepts_messages() {
            return Err(SendRefused::NotConnected(session.status));
        }
        let works = session.status == SessionStatus::Working;
        if !works && !message.queue {
            return Err(SendRefused::Away);
        }
        let chat = match &message.to {
            Recipient::Jid(jid) => jid.clone(),
            Recipient::Chat(id) => {
                let jid = tx.messages().chat_jid(message.session_id, *id).await?;
                jid.and_then(|jid| Jid::parse(&jid).ok())
                    .ok_or(SendRefused::ChatNotFound)?
            }
        };
        let reply_to = match &message.reply_to {
            Some(id) => Some(find_reply(&mut tx, message.session_id, id).await?),
            None => None,
        };
        let wa_message_id = mints_ids.then(|| self.ids.wa_message_id());
        // One claim for all that this process sends at once: what another holds, or a process
        // that died, is ahead of this message, and not to be overtaken.
        let claim = self.claim(self.instance);
        // Where a repeat is no second message, it does no harm to take a message that waited
        // in its lane for one that was tried; elsewhere it would be given up for nothing.
        let attempt = mints_ids || ticket.is_next();
        let new = NewOutbound {
            id: self.ids.mint(),
            session_id: message.session_id,
            peer: ChatPeer {
                jid: &chat,
                push_name: None,
            },
            new_chat_id: self.ids.mint(),
            new_contact_id: self.ids.mint(),
            wa_message_id: wa_message_id.as_ref(),
            kind: MessageKind::Text,
            content: message.text.as_str(),
            reply_to: reply_to.as_ref().map(|reply| &reply.id),
            queue: message.queue,
            patience: self.settings.outbox_patience,
            claim: works.then_some(claim),
            attempt,
        };
        let (accepted, claimed) = tx.messages().accept(&new).await?;
        if !claimed && !message.queue {
            // Others wait ahead of it; the row goes with the transaction.
            return Err(SendRefused::Away);
        }
        tx.commit().await?;
        let held = claimed.then(|| Held {
            tenant,
            id: accepted.id,
            session_id: message.session_id,
            claim,
            text: TextToSend {
                chat,
                text: message.text.as_str().to_owned(),
                reply_to,
                id: wa_message_id,
            },
            queue: message.queue,
            attempts: 1,
            attempted: attempt,
        });
        Ok((accepted, held))
    }

    async fn send_in_turn(&self, ticket: Ticket, held: Held) -> Result<Message, SendRefused> {
        let accepted_at = tokio::time::Instant::now();
        let turn = ticket.turn().await;
        if !turn.clear {
            // Somebody ahead was set back: whoever overtakes now would arrive before them.
            return self.set_back(&turn, &held, false, None).await;
        }
        // The lease must outlast the engine's answer.
        let old = accepted_at.elapsed() > self.settings.send_lease / 10;
        if (old || !held.attempted) && !self.renew(&held).await? {
            return self.as_it_stands(&held).await;
        }
        self.ask_engine(&turn, &held).await
    }

    /// Whether a send can be repeated under its id. An engine that does not say so cannot.
    pub(crate) async fn engine_takes_ids(&self) -> bool {
        self.engine
            .info()
            .await
            .is_ok_and(|info| info.capabilities.caller_message_ids)
    }

    /// Notes that the engine is about to be asked, under which id, and for how long the claim
    /// is to be believed. `false` where it was lost.
    pub(crate) async fn renew(&self, held: &Held) -> Result<bool, SendRefused> {
        let mut tx = self.store.begin(held.tenant).await?;
        let ours = tx
            .outbox()
            .attempt(held.id, held.claim, held.text.id.as_ref())
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
        match self.engine.send_text(&key, &held.text).await {
            Ok(wa_message_id) => {
                let at = self.clock.now();
                let sent = Outcome::Sent {
                    wa_message_id,
                    status: MessageStatus::Sent,
                    at,
                };
                self.finish(held, sent).await
            }
            Err(error) if error.had_no_effect() && !(error.is_passing() && held.queue) => {
                self.finish(
                    held,
                    Outcome::Failed {
                        error: error.to_string(),
                    },
                )
                .await?;
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
            Some(error) if !held.queue => Err(SendRefused::Engine(error)),
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
        let mut tx = self.store.begin(held.tenant).await?;
        let finished = tx.outbox().finish(held.id, held.claim, outcome).await?;
        if let Some(message) = &finished
            && let Some(name) = EventName::of_message_status(message.status)
        {
            self.tell_message(&mut tx, name, message).await?;
        }
        tx.commit().await?;
        metrics::counter!("messages_finished_total", "outcome" => outcome_label(outcome))
            .increment(1);
        match finished {
            Some(message) => Ok(message),
            None => self.as_it_stands(held).await,
        }
    }

    async fn as_it_stands(&self, held: &Held) -> Result<Message, SendRefused> {
        let mut tx = self.store.begin(held.tenant).await?;
        let message = tx.messages().lookup(held.id).await?;
        tx.commit().await?;
        message.ok_or(SendRefused::SessionNotFound)
    }
}

fn outcome_label(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Sent { .. } => "sent",
        Outcome::Failed { .. } => "failed",
        Outcome::Unknown => "unknown",
    }
}

/// The message that another one answers, by our id or WhatsApp's.
async fn find_reply(
    tx: &mut mf_store::TenantTx,
    session: SessionId,
    id: &str,
) -> Result<ReplyTo, SendRefused> {
    // Phones mint ids of 32 hexadecimal digits: without hyphens it is WhatsApp's.
    let found = match Uuid::try_parse(id) {
        Ok(uuid) if id.contains('-') => tx.messages().lookup(uuid.into()).await?,
        _ => {
            let id = WaMessageId::new(id);
            tx.messages().lookup_in(session, &id).await?
        }
    };
    let found = found.filter(|found| found.session_id == session);
    let found = found.ok_or(SendRefused::ReplyNotFound)?;
    reply_to(&found).ok_or(SendRefused::ReplyNotFound)
}

pub(crate) fn reply_to(message: &Message) -> Option<ReplyTo> {
    let phone = message.sender_phone.as_deref().filter(|_| message.is_group);
    Some(ReplyTo {
        id: WaMessageId::new(message.wa_message_id.clone()?),
        from_me: message.direction == mf_domain::Direction::Outbound,
        participant: phone.and_then(|phone| Jid::parse(&format!("{phone}@c.us")).ok()),
    })
}
