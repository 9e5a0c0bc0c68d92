use chrono::{DateTime, SubsecRound as _, Utc};
use mf_domain::{
    ChatId, ContactId, Direction, Jid, MessageId, MessageKind, MessageStatus, SessionId,
    WaMessageId, preview,
};
use uuid::Uuid;

use super::{Advance, Message, Messages, Report};
use crate::{
    ChatPeer, StoreResult,
    chat::{Arrival, NewIds},
};

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
    /// Whether the text may be kept. If not, only its beginning is.
    pub keep_content: bool,
    /// What is neither text nor file.
    pub extra: Option<&'a serde_json::Value>,
    /// What it carries besides text, as clients see it.
    pub media: Option<&'a serde_json::Value>,
    /// How far it came.
    pub status: MessageStatus,
    /// Why it failed, where it did.
    pub error: Option<&'a str>,
    /// Who wrote it, where that is somebody in a group.
    pub sender: Option<&'a Jid>,
    /// Digits of who wrote it.
    pub sender_phone: Option<&'a str>,
    /// What they call themselves.
    pub sender_name: Option<&'a str>,
    /// WhatsApp's id of the message that it answers.
    pub reply_to: Option<&'a str>,
    /// When it was written.
    pub sent_at: DateTime<Utc>,
    /// It is old: nobody is waiting to read it.
    pub quiet: bool,
}

/// What became of a message that WhatsApp told us of.
#[derive(Debug, Clone)]
pub enum Stored {
    /// It is new. What was reported about it before it came is in it already: it may be read,
    /// changed or taken back.
    New(Box<Message>),
    /// It was there already, as something old, and is news after all.
    Arrived(Box<Message>),
    /// It was there already. Where it is one of ours, the telling may have moved it on, or
    /// reports that had waited for its id.
    Known(Option<Box<Advance>>),
}

impl NewInbound<'_> {
    /// What the message itself says of how far it came. Of when, it says only when it was sent.
    fn report(&self) -> Report<'_> {
        Report {
            status: Some(self.status),
            sent_at: (!matches!(self.status, MessageStatus::Pending | MessageStatus::Failed))
                .then(|| self.sent_at.trunc_subsecs(6)),
            error: self.error,
            ..Report::default()
        }
    }
}

impl Messages<'_> {
    /// Takes in a message that WhatsApp told us of. A repeat changes nothing.
    ///
    /// What this server sent comes back as the engine's report of it. Where the engine chose
    /// the id, the report may come before its answer: it is matched by chat and content, so
    /// that no message stands twice in the history.
    pub async fn take_in(mut self, new: &NewInbound<'_>) -> StoreResult<Stored> {
        self.tx.lock_wa_id(new.wa_message_id).await?;
        if let Some((id, direction)) = self.find(new.session_id, new.wa_message_id).await? {
            return self.take_again(id, direction, new).await;
        }
        if new.direction == Direction::Outbound {
            // Before the message, which may be one that is there.
            self.tx.lock_chat(new.session_id, new.peer.jid).await?;
            if let Some(id) = self.adopt(new).await? {
                return self.take_adopted(id, new).await;
            }
        }
        let sender = match new.sender {
            Some(jid) => {
                let (name, at) = (new.sender_name, Some(new.sent_at));
                self.tx.person(new.session_id, jid, name, at).await?
            }
            None => None,
        };
        self.insert(new, sender).await?;
        self.tx
            .take_mark(new.session_id, new.wa_message_id, new.id)
            .await?;
        Ok(Stored::New(Box::new(self.reread(new.id).await?)))
    }

    async fn insert(&mut self, new: &NewInbound<'_>, sender: Option<Uuid>) -> StoreResult<()> {
        let tenant = self.tenant();
        let inbound = new.direction == Direction::Inbound;
        let sort_at = new.sent_at.trunc_subsecs(0);
        if inbound && let Some(name) = new.peer.push_name {
            self.tx
                .name_peer(new.session_id, new.peer.jid, name, new.sent_at)
                .await?;
        }
        let ids = NewIds {
            chat: new.new_chat_id,
            contact: new.new_contact_id,
        };
        let arrival = Arrival {
            sort_at: Some(sort_at),
            preview: new.content.map(preview),
            unread: inbound && !new.quiet,
            // Whoever answers on the phone has read what was before.
            read: !inbound,
        };
        let chat = self
            .tx
            .file(new.session_id, &new.peer, &ids, &arrival)
            .await?;
        let report = new.report();
        sqlx::query!(
            "INSERT INTO message (id, tenant_id, session_id, chat_id, wa_message_id, direction,
                 message_type, content, content_preview, status, is_group, sender_phone,
                 sender_name, reply_to, sent_at, sort_at, extra, media, keep_content, quiet,
                 sender_contact_id, error)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                 $18, $19, $20, $21, $22)",
            new.id.uuid(),
            tenant,
            new.session_id.uuid(),
            chat,
            new.wa_message_id.as_str(),
            new.direction.as_str(),
            new.kind.as_str(),
            new.content.filter(|_| new.keep_content),
            new.content.map(preview),
            new.status.as_str(),
            new.peer.jid.is_group(),
            new.sender_phone,
            new.sender_name,
            new.reply_to,
            // Of what others wrote, how far it came says nothing.
            if inbound {
                Some(new.sent_at)
            } else {
                report.sent_at
            },
            sort_at,
            new.extra,
            new.media,
            new.keep_content,
            new.quiet,
            sender,
            new.error,
        )
        .execute(self.tx.conn())
        .await?;
        if arrival.read {
            self.tx.recount_unread(chat).await?;
        }
        Ok(())
    }

    /// A message that is there already. If it was old the first time and is not now, somebody
    /// is waiting to read it after all.
    async fn take_again(
        &mut self,
        id: MessageId,
        direction: Direction,
        new: &NewInbound<'_>,
    ) -> StoreResult<Stored> {
        let arrived = !new.quiet && self.unquiet(id).await?;
        let advance = match direction {
            Direction::Outbound => self.take_word(id, new).await?,
            Direction::Inbound => None,
        };
        if arrived {
            return Ok(Stored::Arrived(Box::new(self.reread(id).await?)));
        }
        Ok(Stored::Known(advance.map(Box::new)))
    }

    /// Whatever comes first, the message ends as it would have if it had come as news. Whether
    /// it had not.
    async fn unquiet(&mut self, id: MessageId) -> StoreResult<bool> {
        let tenant = self.tenant();
        let quiet = sqlx::query_scalar!(
            "SELECT quiet FROM message WHERE tenant_id = $1 AND id = $2",
            tenant,
            id.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        if quiet != Some(true) {
            return Ok(false);
        }
        self.tx.lock_chat_of(id).await?;
        let chat = sqlx::query_scalar!(
            "UPDATE message SET quiet = false WHERE tenant_id = $1 AND id = $2 AND quiet
             RETURNING chat_id",
            tenant,
            id.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        if let Some(chat) = chat {
            self.tx.recount_unread(chat).await?;
        }
        Ok(chat.is_some())
    }

    async fn take_word(
        &mut self,
        id: MessageId,
        new: &NewInbound<'_>,
    ) -> StoreResult<Option<Advance>> {
        match self.tx.standing(id.uuid()).await? {
            Some(before) => {
                let mut report = new.report();
                // It counts whole seconds. Whoever sent the message knows better, and nothing
                // is sent before it is accepted.
                let sent_at = report.sent_at.filter(|_| !before.said);
                report.sent_at = sent_at.map(|at| at.max(before.created_at));
                self.tx.take_report(id.uuid(), before, &report).await
            }
            None => Ok(None),
        }
    }

    async fn take_adopted(&mut self, id: MessageId, new: &NewInbound<'_>) -> StoreResult<Stored> {
        let first = self.take_word(id, new).await?;
        let second = self
            .tx
            .take_mark(new.session_id, new.wa_message_id, id)
            .await?;
        Ok(Stored::Known(Advance::joined(first, second).map(Box::new)))
    }

    /// Gives WhatsApp's id to the oldest message of ours that waits for one and says the same
    /// in the same chat. One of which it is known that the engine did not send it does not wait.
    ///
    /// Engines tell films and sounds apart in other ways than we do, round degrees, and add to a
    /// place or a poll what nobody gave them. Of a text that was not kept, there is its beginning.
    async fn adopt(&mut self, new: &NewInbound<'_>) -> StoreResult<Option<MessageId>> {
        let alike: &[&str] = match new.kind {
            MessageKind::Video | MessageKind::Gif => &["video", "gif"],
            // Engines have no call for sound files, and send them as one or the other.
            MessageKind::Audio | MessageKind::Voice => &["audio", "voice"],
            MessageKind::Document => &["document", "audio"],
            kind => &[kind.as_str()],
        };
        let alike: Vec<String> = alike.iter().map(|&kind| kind.to_owned()).collect();
        let adopted = sqlx::query_scalar!(
            "UPDATE message SET wa_message_id = $6
             WHERE tenant_id = $1 AND id = (
                 SELECT m.id FROM message m
                 JOIN chat c ON c.tenant_id = m.tenant_id AND c.session_id = m.session_id
                     AND coalesce(c.merged_into, c.id) = m.chat_id
                 WHERE m.tenant_id = $1 AND m.session_id = $2 AND c.jid = $3
                   AND m.direction = 'outbound' AND m.wa_message_id IS NULL
                   AND m.message_type = ANY($7)
                   AND CASE WHEN m.keep_content OR m.content IS NOT NULL
                       THEN coalesce(m.content, '') = coalesce($4, '')
                       ELSE coalesce(m.content_preview, '') = coalesce($5, '') END
                   AND coalesce(m.extra #> '{poll,options}' = $8::jsonb #> '{poll,options}', true)
                   AND coalesce(abs((m.extra #>> '{location,latitude}')::float8
                           - ($8 #>> '{location,latitude}')::float8)
                       + abs((m.extra #>> '{location,longitude}')::float8
                           - ($8 #>> '{location,longitude}')::float8) < 0.001, true)
                   AND m.outbox_attempts > 0
                   AND (m.status <> 'failed' OR m.outbox_unknown)
                   AND (m.status <> 'pending' OR m.outbox_attempt_at IS NOT NULL)
                   AND m.created_at > now() - interval '1 day'
                 ORDER BY m.created_at, m.id LIMIT 1
                 FOR UPDATE OF m
             )
             RETURNING id",
            self.tenant(),
            new.session_id.uuid(),
            new.peer.jid.as_str(),
            new.content,
            new.content.map(preview),
            new.wa_message_id.as_str(),
            &alike,
            new.extra,
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(adopted.map(MessageId::from))
    }
}

impl Advance {
    /// Two steps in one: where the second led further, nobody was told of the first.
    pub(crate) fn joined(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(first), Some(second)) => Some(Self {
                overtook_sent: first.overtook_sent
                    || second.overtook_sent
                    || first.message.status == MessageStatus::Sent,
                message: second.message,
            }),
            (first, second) => second.or(first),
        }
    }
}
