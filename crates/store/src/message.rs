use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, Utc};
use mf_domain::{
    ChatId, ContactId, Direction, MessageId, MessageKind, MessageStatus, SessionId, WaMessageId,
    preview,
};
use uuid::Uuid;

use crate::{ChatPeer, Claim, StoreResult, TenantTx, word::Word};

/// A message, in either direction.
#[derive(Clone)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The session that it went through.
    pub session_id: SessionId,
    /// The conversation, ours.
    pub chat_id: ChatId,
    /// The conversation, WhatsApp's.
    pub wa_chat_id: String,
    /// WhatsApp's bare id, once known.
    pub wa_message_id: Option<String>,
    /// Who wrote it.
    pub direction: Direction,
    /// What it is made of.
    pub message_type: MessageKind,
    /// Its text.
    pub content: Option<String>,
    /// The first 500 characters of its text.
    pub content_preview: Option<String>,
    /// How far it came.
    pub status: MessageStatus,
    /// What it carries besides text.
    pub media: Option<serde_json::Value>,
    /// Digits of who wrote it.
    pub sender_phone: Option<String>,
    /// What they call themselves.
    pub sender_name: Option<String>,
    /// Whether the conversation is a group.
    pub is_group: bool,
    /// WhatsApp's id of the message that it answers.
    pub reply_to: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// When WhatsApp took it, or the writer sent it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it reached the recipient's device.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
    /// When we first knew of it.
    pub created_at: DateTime<Utc>,
}

/// Ids only: text and numbers do not belong in logs.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("session_id", &self.session_id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// A message that a client wants sent.
#[derive(Debug)]
pub struct NewOutbound<'a> {
    /// Its id.
    pub id: MessageId,
    /// Through which session.
    pub session_id: SessionId,
    /// To whom.
    pub peer: ChatPeer<'a>,
    /// For a chat that is not there yet.
    pub new_chat_id: ChatId,
    /// For a contact that is not there yet.
    pub new_contact_id: ContactId,
    /// The id that it will have at WhatsApp, where we choose it.
    pub wa_message_id: Option<&'a WaMessageId>,
    /// What it is made of.
    pub kind: MessageKind,
    /// Its text.
    pub content: &'a str,
    /// WhatsApp's id of the message that it answers.
    pub reply_to: Option<&'a WaMessageId>,
    /// Whether it may wait for its session.
    pub queue: bool,
    /// For how long.
    pub patience: Duration,
    /// By whom it is sent at once. `None`: it waits in the outbox. Also with a claim it waits
    /// there if another message of its session is pending that this claim does not hold, so
    /// that none is overtaken: not even one that a process held which is dead by now.
    pub claim: Option<Claim>,
    /// Whether the engine is asked as soon as this is committed. If others of the same claim
    /// are ahead, it is noted when the turn comes.
    pub attempt: bool,
}

/// A message that WhatsApp told us of.
#[derive(Debug)]
pub struct NewInbound<'a> {
    /// Its id.
    pub id: MessageId,
    /// Through which session.
    pub session_id: SessionId,
    /// The conversation.
    pub peer: ChatPeer<'a>,
    /// For a chat that is not there yet.
    pub new_chat_id: ChatId,
    /// For a contact that is not there yet.
    pub new_contact_id: ContactId,
    /// WhatsApp's bare id.
    pub wa_message_id: &'a WaMessageId,
    /// Who wrote it: `Outbound` for what was written on the phone itself.
    pub direction: Direction,
    /// What it is made of.
    pub kind: MessageKind,
    /// Its text.
    pub content: Option<&'a str>,
    /// How far it came.
    pub status: MessageStatus,
    /// Digits of who wrote it.
    pub sender_phone: Option<&'a str>,
    /// What they call themselves.
    pub sender_name: Option<&'a str>,
    /// WhatsApp's id of the message that it answers.
    pub reply_to: Option<&'a str>,
    /// When it was written.
    pub sent_at: DateTime<Utc>,
}

/// What became of a message that WhatsApp told us of.
#[derive(Debug, Clone)]
pub enum Stored {
    /// It is new.
    New(Box<Message>),
    /// It was there already; nothing changed.
    Known,
}

/// A message of ours that came further.
#[derive(Debug, Clone)]
pub struct Advance {
    /// The message as it is now.
    pub message: Message,
    /// Until this moment nobody had said that it was sent: the report overtook that.
    pub overtook_sent: bool,
}

macro_rules! message_query {
    ($head:tt, $tail:tt, $($arg:expr),+ $(,)?) => {
        sqlx::query_as!(
            Message,
            $head + r#" m.id, m.session_id, m.chat_id, c.jid AS wa_chat_id, m.wa_message_id,
                m.direction AS "direction: Word<Direction>",
                m.message_type AS "message_type: Word<MessageKind>", m.content,
                m.content_preview, m.status AS "status: Word<MessageStatus>", m.media,
                m.sender_phone, m.sender_name, m.is_group, m.reply_to, m.error, m.sent_at,
                m.delivered_at, m.read_at, m.created_at "# + $tail,
            $($arg),+
        )
    };
}
pub(crate) use message_query;

/// See [`TenantTx::messages`].
#[derive(Debug)]
pub struct Messages<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl Messages<'_> {
    fn tenant(&self) -> Uuid {
        self.tx.tenant().id().uuid()
    }

    /// One message, by our id.
    pub async fn lookup(self, id: MessageId) -> StoreResult<Option<Message>> {
        let tenant = self.tenant();
        let row = message_query!(
            "SELECT",
            "FROM message m JOIN chat c ON c.tenant_id = m.tenant_id AND c.id = m.chat_id
             WHERE m.tenant_id = $1 AND m.id = $2",
            tenant,
            id.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// One message, by WhatsApp's bare id. Two sessions of a tenant that talk with each other
    /// both have it: then the one that was sent comes first.
    pub async fn lookup_wa(self, id: &WaMessageId) -> StoreResult<Option<Message>> {
        let tenant = self.tenant();
        let row = message_query!(
            "SELECT",
            "FROM message m JOIN chat c ON c.tenant_id = m.tenant_id AND c.id = m.chat_id
             WHERE m.tenant_id = $1 AND m.wa_message_id = $2
             ORDER BY m.direction DESC, m.created_at LIMIT 1",
            tenant,
            id.as_str(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// One message of a session, by WhatsApp's bare id.
    pub async fn lookup_in(
        self,
        session: SessionId,
        id: &WaMessageId,
    ) -> StoreResult<Option<Message>> {
        let tenant = self.tenant();
        let row = message_query!(
            "SELECT",
            "FROM message m JOIN chat c ON c.tenant_id = m.tenant_id AND c.id = m.chat_id
             WHERE m.tenant_id = $1 AND m.wa_message_id = $2 AND m.session_id = $3",
            tenant,
            id.as_str(),
            session.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// WhatsApp's name of a chat, by ours.
    pub async fn chat_jid(self, session: SessionId, chat: ChatId) -> StoreResult<Option<String>> {
        let jid = sqlx::query_scalar!(
            "SELECT jid FROM chat WHERE tenant_id = $1 AND session_id = $2 AND id = $3",
            self.tenant(),
            session.uuid(),
            chat.uuid()
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(jid)
    }

    /// The chat of a message that somebody wants to send, made if it is not there.
    async fn upsert_chat(
        &mut self,
        session: SessionId,
        peer: &ChatPeer<'_>,
        chat: ChatId,
        contact: ContactId,
        inbound: bool,
        text: Option<&str>,
    ) -> StoreResult<Uuid> {
        let tenant = self.tenant();
        let id = sqlx::query_scalar!(
            "WITH known AS (
                 SELECT id FROM contact
                 WHERE tenant_id = $1 AND session_id = $2 AND (phone = $5 OR lid = $6)
             ), added AS (
                 INSERT INTO contact (id, tenant_id, session_id, phone, lid, push_name)
                 SELECT $4, $1, $2, $5, $6, $7
                 WHERE coalesce($5, $6) IS NOT NULL AND NOT EXISTS (SELECT FROM known)
                 ON CONFLICT DO NOTHING
                 RETURNING id
             ), person AS (
                 SELECT id FROM known UNION ALL SELECT id FROM added LIMIT 1
             )
             INSERT INTO chat AS c (id, tenant_id, session_id, jid, is_group, name, contact_id,
                 unread_count, message_count, last_message_preview, last_message_at)
             VALUES ($3, $1, $2, $8, $9, $7, (SELECT id FROM person), $10, 1, $11, now())
             ON CONFLICT (tenant_id, session_id, jid) DO UPDATE
             SET message_count = c.message_count + 1,
                 unread_count = c.unread_count + $10,
                 last_message_preview = $11,
                 last_message_at = now(),
                 name = coalesce(c.name, excluded.name),
                 contact_id = coalesce(c.contact_id, excluded.contact_id)
             RETURNING id",
            tenant,
            session.uuid(),
            chat.uuid(),
            contact.uuid(),
            peer.phone(),
            peer.lid(),
            peer.push_name,
            peer.jid.as_str(),
            peer.jid.is_group(),
            i32::from(inbound),
            text.map(preview),
        )
        .fetch_one(self.tx.conn())
        .await?;
        Ok(id)
    }

    /// Takes on a message to be sent. The answer says whether it is the caller's to send now,
    /// or waits in the outbox behind others.
    pub async fn accept(mut self, new: &NewOutbound<'_>) -> StoreResult<(Message, bool)> {
        let tenant = self.tenant();
        let chat = self
            .upsert_chat(
                new.session_id,
                &new.peer,
                new.new_chat_id,
                new.new_contact_id,
                false,
                Some(new.content),
            )
            .await?;
        let claimed = sqlx::query_scalar!(
            r#"INSERT INTO message (id, tenant_id, session_id, chat_id, wa_message_id, direction,
                   message_type, content, content_preview, status, is_group, reply_to,
                   outbox_queue, outbox_expires_at, outbox_next_at, outbox_claim_id,
                   outbox_lease_until, outbox_attempt_at, outbox_attempts)
               SELECT $1, $2, $3, $4, $5, 'outbound', $6, $7, $8, 'pending', $9, $10,
                   $11, now() + make_interval(secs => $12), now(),
                   CASE WHEN free THEN $13::uuid END,
                   CASE WHEN free THEN now() + make_interval(secs => $14) END,
                   CASE WHEN free AND $15 THEN now() END,
                   CASE WHEN free AND $15 THEN 1 ELSE 0 END
               FROM (
                   SELECT $13::uuid IS NOT NULL AND NOT EXISTS (
                       SELECT FROM message
                       WHERE tenant_id = $2 AND session_id = $3 AND status = 'pending'
                         AND direction = 'outbound'
                         AND outbox_claim_id IS DISTINCT FROM $13::uuid
                   ) AS free
               ) AS lane
               RETURNING outbox_claim_id IS NOT NULL AS "claimed!""#,
            new.id.uuid(),
            tenant,
            new.session_id.uuid(),
            chat,
            new.wa_message_id.map(WaMessageId::as_str),
            new.kind.as_str(),
            new.content,
            preview(new.content),
            new.peer.jid.is_group(),
            new.reply_to.map(WaMessageId::as_str),
            new.queue,
            new.patience.as_secs_f64(),
            new.claim.map(|claim| claim.id),
            new.claim.map_or(0.0, |claim| claim.lease.as_secs_f64()),
            new.attempt,
        )
        .fetch_one(self.tx.conn())
        .await?;
        let message = self.reread(new.id).await?;
        Ok((message, claimed))
    }

    async fn reread(self, id: MessageId) -> StoreResult<Message> {
        let message = self.lookup(id).await?;
        message.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Takes in a message that WhatsApp told us of. A repeat changes nothing.
    ///
    /// What this server sent comes back as the engine's report of it. Where the engine chose
    /// the id, the report may come before its answer: it is matched by chat and text, so that
    /// no message stands twice in the history.
    pub async fn take_in(mut self, new: &NewInbound<'_>) -> StoreResult<Stored> {
        let tenant = self.tenant();
        let known = sqlx::query_scalar!(
            r#"SELECT EXISTS (
                   SELECT FROM message
                   WHERE tenant_id = $1 AND wa_message_id = $2 AND session_id = $3
               ) AS "known!""#,
            tenant,
            new.wa_message_id.as_str(),
            new.session_id.uuid()
        )
        .fetch_one(self.tx.conn())
        .await?;
        if known || (new.direction == Direction::Outbound && self.adopt(new).await?) {
            return Ok(Stored::Known);
        }
        let inbound = new.direction == Direction::Inbound;
        let chat = self
            .upsert_chat(
                new.session_id,
                &new.peer,
                new.new_chat_id,
                new.new_contact_id,
                inbound,
                new.content,
            )
            .await?;
        let added = sqlx::query!(
            "INSERT INTO message (id, tenant_id, session_id, chat_id, wa_message_id, direction,
                 message_type, content, content_preview, status, is_group, sender_phone,
                 sender_name, reply_to, sent_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            new.id.uuid(),
            tenant,
            new.session_id.uuid(),
            chat,
            new.wa_message_id.as_str(),
            new.direction.as_str(),
            new.kind.as_str(),
            new.content,
            new.content.map(preview),
            new.status.as_str(),
            new.peer.jid.is_group(),
            new.sender_phone,
            new.sender_name,
            new.reply_to,
            new.sent_at,
        )
        .execute(self.tx.conn())
        .await;
        added?;
        Ok(Stored::New(Box::new(self.reread(new.id).await?)))
    }

    /// Gives WhatsApp's id to the oldest message of ours that waits for one and says the same
    /// in the same chat.
    async fn adopt(&mut self, new: &NewInbound<'_>) -> StoreResult<bool> {
        let adopted = sqlx::query!(
            "UPDATE message SET wa_message_id = $5
             WHERE tenant_id = $1 AND id = (
                 SELECT m.id FROM message m
                 JOIN chat c ON c.tenant_id = m.tenant_id AND c.id = m.chat_id
                 WHERE m.tenant_id = $1 AND m.session_id = $2 AND c.jid = $3
                   AND m.direction = 'outbound' AND m.wa_message_id IS NULL
                   AND m.content IS NOT DISTINCT FROM $4
                   AND m.outbox_attempts > 0
                   AND m.created_at > now() - interval '1 day'
                 ORDER BY m.created_at, m.id LIMIT 1
                 FOR UPDATE OF m
             )",
            self.tenant(),
            new.session_id.uuid(),
            new.peer.jid.as_str(),
            new.content,
            new.wa_message_id.as_str(),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(adopted.rows_affected() > 0)
    }

    /// Whether an id that no message has may turn out to be one of ours: where the engine
    /// chooses ids, a message is without one until the engine says which.
    pub async fn may_get_id(self, session: SessionId, id: &WaMessageId) -> StoreResult<bool> {
        let may = sqlx::query_scalar!(
            r#"SELECT NOT EXISTS (
                   SELECT FROM message
                   WHERE tenant_id = $1 AND wa_message_id = $3 AND session_id = $2
               ) AND EXISTS (
                   SELECT FROM chat c
                   JOIN message m ON m.tenant_id = c.tenant_id AND m.chat_id = c.id
                   WHERE c.tenant_id = $1 AND c.session_id = $2
                     AND c.last_message_at > now() - interval '10 minutes'
                     AND m.created_at > now() - interval '10 minutes'
                     AND m.direction = 'outbound' AND m.wa_message_id IS NULL
                     AND m.outbox_attempts > 0
                     AND (m.status <> 'failed' OR m.outbox_unknown)
               ) AS "may!""#,
            self.tenant(),
            session.uuid(),
            id.as_str(),
        )
        .fetch_one(self.tx.conn())
        .await?;
        Ok(may)
    }

    /// Moves a message of ours on, if `status` is an advance, or the first certainty about one
    /// that was given up on. `None` where it is not, or where
    /// there is no such message.
    pub async fn advance(
        self,
        session: SessionId,
        id: &WaMessageId,
        status: MessageStatus,
        at: DateTime<Utc>,
        error: Option<&str>,
    ) -> StoreResult<Option<Advance>> {
        let tenant = self.tenant();
        // As the database keeps it, for the comparison below.
        let at = at.trunc_subsecs(6);
        let from: Vec<String> = status
            .predecessors()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let row = message_query!(
            "UPDATE message m
             SET status = $4,
                 error = $6,
                 sent_at = CASE WHEN $4 = 'failed' THEN m.sent_at ELSE coalesce(m.sent_at, $5) END,
                 delivered_at = CASE WHEN $4 IN ('delivered', 'read', 'played')
                     THEN coalesce(m.delivered_at, $5) ELSE m.delivered_at END,
                 read_at = CASE WHEN $4 IN ('read', 'played')
                     THEN coalesce(m.read_at, $5) ELSE m.read_at END
             FROM chat c
             WHERE c.tenant_id = m.tenant_id AND c.id = m.chat_id
               AND m.tenant_id = $1 AND m.session_id = $2 AND m.wa_message_id = $3
               AND m.direction = 'outbound'
               AND (m.status = ANY($7) OR (m.status = 'failed' AND m.outbox_unknown))
             RETURNING",
            "",
            tenant,
            session.uuid(),
            id.as_str(),
            status.as_str(),
            at,
            error,
            &from,
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row.map(|message| Advance {
            overtook_sent: status != MessageStatus::Sent && message.sent_at == Some(at),
            message,
        }))
    }
}
