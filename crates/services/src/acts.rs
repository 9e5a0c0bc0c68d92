//! What is done to messages and chats that are there: reacting, editing, unsending, reading.

use mf_domain::{
    Direction, EventName, Jid, MessageKind, MessageStatus, MessageText, SessionId, SessionStatus,
    WaMessageId,
};
use mf_engine::{EngineError, MessageRef, SessionKey};
use mf_store::{ChatRef, Message, StoreError, Tenant, TenantTx};

use crate::{Recipient, ServiceError, Services, send::participant};

/// Why something is not done to a message or a chat.
#[derive(Debug, thiserror::Error)]
pub enum ActRefused {
    /// There is no such session in this tenant.
    #[error("Session not found")]
    SessionNotFound,
    /// There is no such chat in this session.
    #[error("Chat not found")]
    ChatNotFound,
    /// There is no such message in this tenant.
    #[error("Message not found")]
    MessageNotFound,
    /// WhatsApp does not have it, so that nothing can be done to it there.
    #[error("The message was not sent, or its id at WhatsApp is not known")]
    NotSent,
    /// Somebody else wrote it.
    #[error("Only messages that this session sent can be edited or taken back")]
    NotOurs,
    /// It was taken back.
    #[error("The message was taken back")]
    Unsent,
    /// There are no words in it that could be edited.
    #[error("Only texts and captions can be edited")]
    NoWords,
    /// The session cannot reach WhatsApp at present.
    #[error("The session is not connected: its status is {0}")]
    NotConnected(SessionStatus),
    /// Something beneath failed.
    #[error(transparent)]
    Failed(#[from] ServiceError),
}

impl From<StoreError> for ActRefused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<EngineError> for ActRefused {
    fn from(error: EngineError) -> Self {
        Self::Failed(error.into())
    }
}

/// Why a message that waited is not sent any more.
const TAKEN_BACK: &str = "The message was taken back before it was sent.";

/// A message, and how the engine knows it.
struct Known {
    message: Message,
    key: SessionKey,
    at_engine: MessageRef,
}

impl Services {
    /// Reacts to a message, by its id here or at WhatsApp; an empty emoji takes it back.
    pub async fn react(
        &self,
        tenant: Tenant,
        session: Option<SessionId>,
        id: &str,
        emoji: &str,
    ) -> Result<Message, ActRefused> {
        let known = self.known(tenant, session, id).await?;
        if known.message.revoked_at.is_some() {
            return Err(ActRefused::Unsent);
        }
        self.engine
            .react(&known.key, &known.at_engine, emoji)
            .await?;
        let reaction = mf_engine::Reaction {
            message: known.at_engine,
            from_me: true,
            sender: None,
            emoji: emoji.to_owned(),
            at: self.clock.now(),
        };
        let mut tx = self.store.begin(tenant).await?;
        self.take_own_reaction(&mut tx, known.message.session_id, &reaction)
            .await?;
        let message = reread(&mut tx, &known.message).await?;
        tx.commit().await?;
        Ok(message)
    }

    /// Changes the words of a message of ours.
    pub async fn edit(
        &self,
        tenant: Tenant,
        id: &str,
        text: &MessageText,
    ) -> Result<Message, ActRefused> {
        let known = self.known(tenant, None, id).await?;
        let ours = known.message.direction == Direction::Outbound;
        if !ours {
            return Err(ActRefused::NotOurs);
        }
        if known.message.revoked_at.is_some() {
            return Err(ActRefused::Unsent);
        }
        if !has_words(known.message.message_type) {
            return Err(ActRefused::NoWords);
        }
        self.engine
            .edit(&known.key, &known.at_engine, text.as_str())
            .await?;
        let mut tx = self.store.begin(tenant).await?;
        let at = self.clock.now();
        self.take_edit(
            &mut tx,
            known.message.session_id,
            &known.at_engine,
            text.as_str(),
            at,
        )
        .await?;
        let message = reread(&mut tx, &known.message).await?;
        tx.commit().await?;
        Ok(message)
    }

    /// Takes a message of ours back, for everybody. Doing so again changes nothing. One that
    /// still waits to be sent is not sent any more.
    pub async fn unsend(&self, tenant: Tenant, id: &str) -> Result<Message, ActRefused> {
        if let Some(cancelled) = self.cancel(tenant, id).await? {
            return Ok(cancelled);
        }
        let known = self.known(tenant, None, id).await?;
        if known.message.direction != Direction::Outbound {
            return Err(ActRefused::NotOurs);
        }
        if known.message.revoked_at.is_some() {
            return Ok(known.message);
        }
        self.engine.unsend(&known.key, &known.at_engine).await?;
        let mut tx = self.store.begin(tenant).await?;
        let at = self.clock.now();
        self.take_revocation(&mut tx, known.message.session_id, &known.at_engine, at)
            .await?;
        let message = reread(&mut tx, &known.message).await?;
        tx.commit().await?;
        Ok(message)
    }

    /// Gives up a message that nobody has begun to send.
    async fn cancel(&self, tenant: Tenant, id: &str) -> Result<Option<Message>, ActRefused> {
        let mut tx = self.store.begin(tenant).await?;
        let message = find_anywhere(&mut tx, id).await?;
        let message = message.ok_or(ActRefused::MessageNotFound)?;
        if message.status != MessageStatus::Pending {
            return Ok(None);
        }
        let cancelled = tx.outbox().cancel(message.id, TAKEN_BACK).await?;
        if let Some(message) = &cancelled {
            self.tell_message(&mut tx, EventName::MessageFailed, message)
                .await?;
        }
        tx.commit().await?;
        Ok(cancelled)
    }

    /// Marks a message with a star, or takes it off.
    pub async fn star(&self, tenant: Tenant, id: &str, star: bool) -> Result<Message, ActRefused> {
        let known = self.known(tenant, None, id).await?;
        self.engine.star(&known.key, &known.at_engine, star).await?;
        let mut tx = self.store.begin(tenant).await?;
        tx.messages().star(known.message.id, star).await?;
        let message = reread(&mut tx, &known.message).await?;
        tx.commit().await?;
        Ok(message)
    }

    /// Shows the writers of a chat that all was read, and counts nothing as unread any more.
    pub async fn mark_chat_read(
        &self,
        tenant: Tenant,
        session: SessionId,
        chat: &Recipient,
    ) -> Result<(), ActRefused> {
        let now = self.clock.now();
        let mut tx = self.store.begin(tenant).await?;
        let jid = chat_at_engine(&mut tx, session, chat).await?;
        tx.commit().await?;
        self.engine
            .mark_read(&SessionKey::of(session), &jid)
            .await?;
        let mut tx = self.store.begin(tenant).await?;
        let reference = ChatRef::Jid {
            session: Some(session),
            jid: &jid,
        };
        if let Some(chat) = tx.chats().find(reference).await? {
            tx.chats().mark_read(chat.id, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Shows, or stops showing, that somebody is typing in a chat.
    pub async fn show_typing(
        &self,
        tenant: Tenant,
        session: SessionId,
        chat: &Recipient,
        typing: bool,
    ) -> Result<(), ActRefused> {
        let mut tx = self.store.begin(tenant).await?;
        let jid = chat_at_engine(&mut tx, session, chat).await?;
        tx.commit().await?;
        let key = SessionKey::of(session);
        Ok(self.engine.typing(&key, &jid, typing).await?)
    }

    /// A message by its id here or at WhatsApp, of a session that works.
    async fn known(
        &self,
        tenant: Tenant,
        session: Option<SessionId>,
        id: &str,
    ) -> Result<Known, ActRefused> {
        let mut tx = self.store.begin(tenant).await?;
        let message = match session {
            Some(session) => {
                let known = tx.sessions().lookup(session).await?;
                known.ok_or(ActRefused::SessionNotFound)?;
                crate::send::find_message(&mut tx, session, id).await?
            }
            None => find_anywhere(&mut tx, id).await?,
        };
        let message = message.ok_or(ActRefused::MessageNotFound)?;
        working(&mut tx, message.session_id).await?;
        tx.commit().await?;
        let unsent = message.direction == Direction::Outbound
            && (message.status == MessageStatus::Pending || message.sent_at.is_none());
        let at_engine = at_engine(&message)
            .filter(|_| !unsent)
            .ok_or(ActRefused::NotSent)?;
        Ok(Known {
            key: SessionKey::of(message.session_id),
            at_engine,
            message,
        })
    }
}

/// A message of any session, by its id here or at WhatsApp.
async fn find_anywhere(tx: &mut TenantTx, id: &str) -> Result<Option<Message>, StoreError> {
    // Phones mint ids of 32 hexadecimal digits: without hyphens it is WhatsApp's.
    match uuid::Uuid::try_parse(id) {
        Ok(uuid) if id.contains('-') => tx.messages().lookup(uuid.into()).await,
        _ => tx.messages().lookup_wa(&WaMessageId::new(id)).await,
    }
}

async fn working(tx: &mut TenantTx, session: SessionId) -> Result<(), ActRefused> {
    let session = tx.sessions().lookup(session).await?;
    let session = session.ok_or(ActRefused::SessionNotFound)?;
    match session.status {
        SessionStatus::Working => Ok(()),
        status => Err(ActRefused::NotConnected(status)),
    }
}

/// Whether there are words in such a message that WhatsApp lets one change.
const fn has_words(kind: MessageKind) -> bool {
    matches!(
        kind,
        MessageKind::Text
            | MessageKind::Image
            | MessageKind::Video
            | MessageKind::Gif
            | MessageKind::Document
    )
}

/// How the engine knows a message.
pub(crate) fn at_engine(message: &Message) -> Option<MessageRef> {
    let from_me = message.direction == Direction::Outbound;
    Some(MessageRef {
        chat: Jid::parse(&message.wa_chat_id).ok()?,
        id: WaMessageId::new(message.wa_message_id.clone()?),
        from_me,
        participant: participant(message).filter(|_| !from_me),
    })
}

async fn chat_at_engine(
    tx: &mut TenantTx,
    session: SessionId,
    chat: &Recipient,
) -> Result<Jid, ActRefused> {
    working(tx, session).await?;
    match chat {
        Recipient::Jid(jid) => Ok(jid.clone()),
        Recipient::Chat(id) => {
            let jid = tx.messages().chat_jid(session, *id).await?;
            jid.and_then(|jid| Jid::parse(&jid).ok())
                .ok_or(ActRefused::ChatNotFound)
        }
    }
}

async fn reread(tx: &mut TenantTx, message: &Message) -> Result<Message, ActRefused> {
    let found = tx.messages().lookup(message.id).await?;
    found.ok_or(ActRefused::MessageNotFound)
}
