mod accept;
mod change;
mod history;
mod mark;
mod report;
mod take_in;
mod target;

use chrono::{DateTime, Utc};
use mf_domain::{
    ChatId, ContactId, Direction, MessageId, MessageKind, MessageStatus, SessionId, WaMessageId,
};
use uuid::Uuid;

pub use accept::NewOutbound;
pub use history::{Cursor, PageSpec};
pub(crate) use report::{Report, Standing};
pub use {report::Advance, take_in::NewInbound, take_in::Stored, target::Target};

use crate::{StoreResult, TenantTx, word::Word};

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
    /// Whom the conversation is with, where that is one person.
    pub contact_id: Option<ContactId>,
    /// Their number, digits, where it is known.
    pub contact_phone: Option<String>,
    /// Their hidden id, digits, where it is known.
    pub contact_lid: Option<String>,
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
    /// What is neither text nor file: a place, contact cards, a poll's options.
    pub extra: Option<serde_json::Value>,
    /// How far it came.
    pub status: MessageStatus,
    /// What it carries besides text.
    pub media: Option<serde_json::Value>,
    /// Digits of who wrote it, where they are known by now.
    pub sender_phone: Option<String>,
    /// The hidden id of who wrote it, digits.
    pub sender_lid: Option<String>,
    /// What they call themselves.
    pub sender_name: Option<String>,
    /// Whether the conversation is a group.
    pub is_group: bool,
    /// WhatsApp's id of the message that it answers.
    pub reply_to: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// How people reacted: a list of `{emoji, sender, from_me, at}`, oldest first.
    pub reactions: Option<serde_json::Value>,
    /// How people voted, where it is a poll: a list of `{voter, options, at}`, oldest first.
    pub poll_votes: Option<serde_json::Value>,
    /// Whether the session's owner marked it.
    pub starred: bool,
    /// When WhatsApp took it, or the writer sent it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it reached the recipient's device.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
    /// When its text was last changed.
    pub edited_at: Option<DateTime<Utc>>,
    /// When it was taken back. Nothing of what it said is left then.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Where it stands in its chat, to the second.
    pub sort_at: DateTime<Utc>,
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

/// Whole messages, of `message m` in `chat c`. Who wrote one is looked up as they are known
/// now: in a group by the sender, else by whom the chat is with.
macro_rules! message_query {
    ($head:tt, $tail:tt, $($arg:expr),+ $(,)?) => {
        sqlx::query_as!(
            Message,
            $head + r#" m.id, m.session_id, m.chat_id, c.jid AS wa_chat_id,
                c.contact_id AS "contact_id!: crate::word::MaybeId<mf_domain::ContactId>",
                (SELECT p.phone FROM contact p
                 WHERE p.tenant_id = c.tenant_id AND p.id = c.contact_id) AS contact_phone,
                (SELECT p.lid FROM contact p
                 WHERE p.tenant_id = c.tenant_id AND p.id = c.contact_id) AS contact_lid,
                m.wa_message_id, m.direction AS "direction: Word<Direction>",
                m.message_type AS "message_type: Word<MessageKind>", m.content,
                m.content_preview, m.extra, m.status AS "status: Word<MessageStatus>", m.media,
                coalesce((
                    SELECT p.phone FROM contact p
                    WHERE p.tenant_id = m.tenant_id AND p.id = coalesce(m.sender_contact_id,
                        CASE WHEN m.direction = 'inbound' THEN c.contact_id END)
                ), m.sender_phone) AS sender_phone,
                (SELECT p.lid FROM contact p
                 WHERE p.tenant_id = m.tenant_id AND p.id = coalesce(m.sender_contact_id,
                     CASE WHEN m.direction = 'inbound' THEN c.contact_id END)) AS sender_lid,
                m.sender_name, m.is_group, m.reply_to, m.error,
                (SELECT jsonb_agg(jsonb_build_object('emoji', r.emoji,
                        'sender', split_part(r.sender, '@', 1), 'from_me', r.from_me,
                        'at', r.reacted_at) ORDER BY r.reacted_at, r.sender)
                 FROM message_reaction r
                 WHERE r.tenant_id = m.tenant_id AND r.session_id = m.session_id
                   AND r.wa_message_id = m.wa_message_id AND r.emoji <> '') AS reactions,
                (SELECT jsonb_agg(jsonb_build_object('voter', split_part(v.voter, '@', 1),
                        'options', to_jsonb(v.options), 'at', v.voted_at)
                        ORDER BY v.voted_at, v.voter)
                 FROM poll_vote v
                 WHERE m.message_type = 'poll' AND v.tenant_id = m.tenant_id
                   AND v.session_id = m.session_id AND v.wa_message_id = m.wa_message_id
                   AND v.options <> '{}') AS poll_votes,
                m.starred, m.sent_at, m.delivered_at, m.read_at, m.edited_at, m.revoked_at,
                m.sort_at, m.created_at "# + $tail,
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

    /// WhatsApp's name of a chat, by ours: the one that messages go to now.
    pub async fn chat_jid(self, session: SessionId, chat: ChatId) -> StoreResult<Option<String>> {
        let jid = sqlx::query_scalar!(
            "SELECT c.jid FROM chat a
             JOIN chat c ON c.tenant_id = a.tenant_id AND c.id = coalesce(a.merged_into, a.id)
             WHERE a.tenant_id = $1 AND a.session_id = $2 AND a.id = $3",
            self.tenant(),
            session.uuid(),
            chat.uuid()
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(jid)
    }

    /// Marks a message, or takes the mark away. `None` where there is no such message.
    pub async fn star(self, id: MessageId, starred: bool) -> StoreResult<Option<Message>> {
        let tenant = self.tenant();
        let row = message_query!(
            "UPDATE message m SET starred = $3
             FROM chat c
             WHERE c.tenant_id = m.tenant_id AND c.id = m.chat_id
               AND m.tenant_id = $1 AND m.id = $2
             RETURNING",
            "",
            tenant,
            id.uuid(),
            starred,
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row)
    }

    async fn reread(&mut self, id: MessageId) -> StoreResult<Message> {
        let message = Messages { tx: self.tx }.lookup(id).await?;
        message.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }
}
