//! Sending: the one path that every feature takes.

mod dispatch;
mod draft;

use std::sync::Arc;

use mf_domain::{ContentStorage, Jid, MessageId, SessionId, SessionStatus, WaMessageId};
use mf_engine::{Content, EngineError, Outgoing, ReplyTo};
use mf_store::{ChatPeer, Message, NewOutbound, Session, StoreError, Tenant, TenantTx};
use tracing::{Instrument, info_span, warn};
use uuid::Uuid;

use crate::{
    MediaRefused, ServiceError, Services,
    content::{Extra, words},
    lanes::Ticket,
};

pub(crate) use dispatch::Held;
pub(crate) use draft::Prepared;
pub use draft::{Draft, MediaSource, Recipient, SendRequest};

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
    /// The file cannot be sent, or not be had.
    #[error(transparent)]
    Media(#[from] MediaRefused),
    /// The engine refused for good.
    #[error("{0}")]
    Refused(EngineError),
    /// The engine cannot be reached, and the client does not want to wait.
    #[error("{0}")]
    Engine(EngineError),
    /// The engine broke off, the client does not want to wait, and nobody knows yet whether the
    /// message was sent.
    #[error(
        "{error}. The message may have been sent: do not send it again, but ask for it as {id}"
    )]
    Unknown {
        /// What the engine did.
        error: EngineError,
        /// The message, of which it will be found out.
        id: MessageId,
    },
    /// Something beneath failed.
    #[error(transparent)]
    Failed(#[from] ServiceError),
}

impl From<StoreError> for SendRefused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Services {
    /// Sends a message: the one path that every feature takes.
    ///
    /// The message is on disk before the engine is asked, and what became of it is on disk
    /// before the caller is told. Where the engine is away, the message stays `pending` and
    /// leaves later. A caller who hangs up changes nothing.
    pub async fn send(
        self: &Arc<Self>,
        tenant: Tenant,
        request: SendRequest,
    ) -> Result<Message, SendRefused> {
        // A file may take its time: nobody waits for it in the lane.
        let prepared = self.prepare(tenant, request).await?;
        let services = Arc::clone(self);
        let span = info_span!("send", session.id = %prepared.session_id);
        // A task of its own: whoever hangs up now does not leave a message half taken on.
        let sending = async move { services.accept_and_send(tenant, prepared).await };
        let sent = self.tracker.spawn(sending.instrument(span)).await;
        sent.map_err(|_| ServiceError::Internal("a sending task was lost"))?
    }

    async fn accept_and_send(
        self: Arc<Self>,
        tenant: Tenant,
        prepared: Prepared,
    ) -> Result<Message, SendRefused> {
        let ticket = self.lanes.ticket(prepared.session_id);
        let (accepted, held) = self.accept(tenant, &ticket, prepared).await?;
        let Some(held) = held else {
            return Ok(accepted);
        };
        match self.send_in_turn(ticket, held).await {
            // It was taken on, and will be sent or found out about. An error here would have
            // the client send it again.
            Err(SendRefused::Failed(error)) => {
                warn!(message.id = %accepted.id, error = %error, "a send was left to the outbox");
                Ok(accepted)
            }
            sent => sent,
        }
    }

    /// Transaction one: checks and the durable row.
    async fn accept(
        &self,
        tenant: Tenant,
        ticket: &Ticket,
        message: Prepared,
    ) -> Result<(Message, Option<Held>), SendRefused> {
        let mints_ids = self.engine_takes_id_of(&message.content).await?;
        let mut tx = self.store.begin(tenant).await?;
        let session = sendable(&mut tx, message.session_id).await?;
        let works = session.status == SessionStatus::Working;
        if !works && !message.queue {
            return Err(SendRefused::Away);
        }
        let chat = chat_of(&mut tx, message.session_id, &message.to).await?;
        let reply_to = match &message.reply_to {
            Some(id) => Some(find_reply(&mut tx, message.session_id, id).await?),
            None => None,
        };
        let keep_content =
            tx.tenants().settings().await?.store_message_content == ContentStorage::Full;
        let wa_message_id = mints_ids.then(|| self.ids.wa_message_id());
        // One claim for all that this process sends at once: what another holds, or a process
        // that died, is ahead of this message, and not to be overtaken.
        let claim = self.claim(self.instance, Some(&message.content));
        // Where a repeat is no second message, it does no harm to take a message that waited
        // in its lane for one that was tried; elsewhere it would be given up for nothing.
        let attempt = mints_ids || ticket.is_next();
        let extra = Extra::of_content(&message.content).into_value();
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
            kind: message.content.kind(),
            content: words(&message.content),
            extra: extra.as_ref(),
            media: message.file.as_ref().map(|file| &file.shown),
            keep_content,
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
        if let Some(file) = &message.file {
            tx.media().attach(file.id, accepted.id).await?;
        }
        tx.commit().await?;
        let held = claimed.then(|| Held {
            tenant,
            id: accepted.id,
            session_id: message.session_id,
            claim,
            message: Outgoing {
                chat,
                content: message.content,
                reply_to,
                id: wa_message_id,
            },
            queue: message.queue,
            attempts: 1,
            attempted: attempt,
            restricted: session.last_error.as_deref() == Some(crate::health::RESTRICTED),
        });
        Ok((accepted, held))
    }

    /// Whether a send of this content can be repeated under its id. An engine that is away
    /// does not say so; one that cannot send this at all says so now.
    pub(crate) async fn engine_takes_id_of(&self, content: &Content) -> Result<bool, SendRefused> {
        let Ok(info) = self.engine.info().await else {
            return Ok(false);
        };
        if let Some(what) = info.capabilities.lacks(content) {
            let what = what.to_owned();
            return Err(SendRefused::Refused(EngineError::Unsupported { what }));
        }
        Ok(info.capabilities.takes_id_of(content))
    }
}

/// A session, if messages may be sent through it.
async fn sendable(tx: &mut TenantTx, session: SessionId) -> Result<Session, SendRefused> {
    let session = tx
        .sessions()
        .hold(session)
        .await?
        .ok_or(SendRefused::SessionNotFound)?;
    if session.status.accepts_messages() {
        Ok(session)
    } else {
        Err(SendRefused::NotConnected(session.status))
    }
}

async fn chat_of(
    tx: &mut TenantTx,
    session: SessionId,
    to: &Recipient,
) -> Result<Jid, SendRefused> {
    match to {
        Recipient::Jid(jid) => Ok(jid.clone()),
        Recipient::Chat(id) => {
            let jid = tx.messages().chat_jid(session, *id).await?;
            jid.and_then(|jid| Jid::parse(&jid).ok())
                .ok_or(SendRefused::ChatNotFound)
        }
    }
}

/// The message that another one answers, by our id or WhatsApp's.
async fn find_reply(
    tx: &mut TenantTx,
    session: SessionId,
    id: &str,
) -> Result<ReplyTo, SendRefused> {
    let found = find_message(tx, session, id).await?;
    let found = found.ok_or(SendRefused::ReplyNotFound)?;
    reply_to(&found).ok_or(SendRefused::ReplyNotFound)
}

/// A message of a session, by our id or WhatsApp's.
pub(crate) async fn find_message(
    tx: &mut TenantTx,
    session: SessionId,
    id: &str,
) -> Result<Option<Message>, StoreError> {
    // Phones mint ids of 32 hexadecimal digits: without hyphens it is WhatsApp's.
    let found = match Uuid::try_parse(id) {
        Ok(uuid) if id.contains('-') => tx.messages().lookup(uuid.into()).await?,
        _ => {
            let id = WaMessageId::new(id);
            tx.messages().lookup_in(session, &id).await?
        }
    };
    Ok(found.filter(|found| found.session_id == session))
}

pub(crate) fn reply_to(message: &Message) -> Option<ReplyTo> {
    Some(ReplyTo {
        id: WaMessageId::new(message.wa_message_id.clone()?),
        from_me: message.direction == mf_domain::Direction::Outbound,
        participant: participant(message),
    })
}

/// Who wrote a message of a group, as the engine named them where that is known.
pub(crate) fn participant(message: &Message) -> Option<Jid> {
    if !message.is_group {
        return None;
    }
    let by = |user: Option<&str>, server: &str| Jid::parse(&format!("{}@{server}", user?)).ok();
    by(message.sender_lid.as_deref(), "lid").or_else(|| by(message.sender_phone.as_deref(), "c.us"))
}
