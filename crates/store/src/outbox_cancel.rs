use mf_domain::{Direction, MessageId, MessageKind, MessageStatus, SessionId};

use crate::{Message, StoreResult, message::message_query, outbox::Outbox, word::Word};

impl Outbox<'_> {
    /// Gives up a message that waits and that nobody is at. `None` where it is being sent, may
    /// have been, or does not wait any more.
    pub async fn cancel(self, id: MessageId, reason: &str) -> StoreResult<Option<Message>> {
        let tenant = self.tenant();
        let row = message_query!(
            "UPDATE message m SET status = 'failed', error = $3, outbox_claim_id = NULL
             FROM chat c
             WHERE c.tenant_id = m.tenant_id AND c.id = m.chat_id
               AND m.tenant_id = $1 AND m.id = $2 AND m.direction = 'outbound'
               AND m.status = 'pending' AND m.outbox_attempt_at IS NULL
               AND (m.outbox_lease_until IS NULL OR m.outbox_lease_until < now())
             RETURNING",
            "",
            tenant,
            id.uuid(),
            reason,
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// Gives up all that waits to be sent through a session: its account is another from now
    /// on. What may have been sent is only found out about, and never sent again.
    pub async fn cancel_all(self, session: SessionId, reason: &str) -> StoreResult<Vec<Message>> {
        let tenant = self.tenant();
        let rows = message_query!(
            "UPDATE message m SET status = 'failed', error = $3, outbox_claim_id = NULL
             FROM chat c
             WHERE c.tenant_id = m.tenant_id AND c.id = m.chat_id
               AND m.tenant_id = $1 AND m.session_id = $2 AND m.direction = 'outbound'
               AND m.status = 'pending' AND m.outbox_attempt_at IS NULL
             RETURNING",
            "",
            tenant,
            session.uuid(),
            reason,
        )
        .fetch_all(self.tx.conn())
        .await?;
        sqlx::query!(
            "UPDATE message SET outbox_queue = false
             WHERE tenant_id = $1 AND session_id = $2 AND direction = 'outbound'
               AND status = 'pending'",
            tenant,
            session.uuid(),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(rows)
    }
}
