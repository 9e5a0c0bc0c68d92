use std::time::Duration;

use mf_domain::{ChatId, ContactId, MessageId, MessageKind, SessionId, WaMessageId, preview};

use super::{Message, Messages};
use crate::{
    ChatPeer, Claim, StoreResult,
    chat::{Arrival, NewIds},
};

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
    pub content: Option<&'a str>,
    /// Whether the text may stay once the message has left or failed. If not, only its
    /// beginning does.
    pub keep_content: bool,
    /// What is neither text nor file.
    pub extra: Option<&'a serde_json::Value>,
    /// What it carries besides text, as clients see it.
    pub media: Option<&'a serde_json::Value>,
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

impl Messages<'_> {
    /// Takes on a message to be sent. The answer says whether it is the caller's to send now,
    /// or waits in the outbox behind others.
    pub async fn accept(mut self, new: &NewOutbound<'_>) -> StoreResult<(Message, bool)> {
        let tenant = self.tenant();
        let ids = NewIds {
            chat: new.new_chat_id,
            contact: new.new_contact_id,
        };
        let arrival = Arrival {
            // The database's time, as the message's own.
            sort_at: None,
            preview: new.content.map(preview),
            unread: false,
            read: false,
        };
        let chat = self
            .tx
            .file(new.session_id, &new.peer, &ids, &arrival)
            .await?;
        let claimed = sqlx::query_scalar!(
            r#"INSERT INTO message (id, tenant_id, session_id, chat_id, wa_message_id, direction,
                   message_type, content, content_preview, extra, media, keep_content, status,
                   is_group, reply_to, outbox_queue, outbox_expires_at, outbox_next_at,
                   outbox_claim_id, outbox_lease_until, outbox_attempt_at, outbox_attempts)
               SELECT $1, $2, $3, $4, $5, 'outbound', $6, $7, $8, $16, $17, $18, 'pending', $9, $10,
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
            new.content.map(preview),
            new.peer.jid.is_group(),
            new.reply_to.map(WaMessageId::as_str),
            new.queue,
            new.patience.as_secs_f64(),
            new.claim.map(|claim| claim.id),
            new.claim.map_or(0.0, |claim| claim.lease.as_secs_f64()),
            new.attempt,
            new.extra,
            new.media,
            new.keep_content,
        )
        .fetch_one(self.tx.conn())
        .await?;
        let message = self.reread(new.id).await?;
        Ok((message, claimed))
    }
}
