use uuid::Uuid;

use crate::{StoreResult, SystemTx};

impl SystemTx {
    /// Removes messages that are older than their tenant keeps them, at most `limit`; what has
    /// yet to be sent is left. Answers how many, so that whoever sweeps knows when to stop.
    ///
    /// Chats that somebody writes into at this moment are left for the next time. Old messages
    /// are found chat by chat, in the order of the history, which needs no index of its own.
    pub async fn expire_messages(&mut self, limit: i64) -> StoreResult<u64> {
        let chats = self.lock_chats_to_expire(limit).await?;
        if chats.is_empty() {
            return Ok(0);
        }
        let gone = self.expire_in(&chats, limit).await?;
        self.renew_last_message(&chats).await?;
        Ok(gone)
    }

    /// Chats with something to remove. Whoever adds a message takes the same lock first.
    async fn lock_chats_to_expire(&mut self, limit: i64) -> StoreResult<Vec<Uuid>> {
        let chats = sqlx::query_scalar!(
            "SELECT c.id FROM tenant t
             JOIN chat c ON c.tenant_id = t.id
             CROSS JOIN LATERAL (
                 SELECT FROM message m
                 WHERE m.tenant_id = c.tenant_id AND m.chat_id = c.id
                   AND m.sort_at < now() - make_interval(days => t.message_retention_days)
                   AND coalesce(m.sent_at, m.created_at)
                       < now() - make_interval(days => t.message_retention_days)
                   AND NOT (m.status = 'pending' AND m.direction = 'outbound')
                 ORDER BY m.sort_at, m.id LIMIT 1
             ) AS old
             WHERE t.message_retention_days IS NOT NULL
             LIMIT $1
             FOR NO KEY UPDATE OF c SKIP LOCKED",
            limit
        )
        .fetch_all(self.conn())
        .await?;
        Ok(chats)
    }

    /// Removes old messages of these chats, with what others said to them, and counts them off.
    async fn expire_in(&mut self, chats: &[Uuid], limit: i64) -> StoreResult<u64> {
        let gone = sqlx::query_scalar!(
            r#"WITH due AS MATERIALIZED (
                   SELECT old.id FROM chat c
                   JOIN tenant t ON t.id = c.tenant_id
                   CROSS JOIN LATERAL (
                       SELECT m.id FROM message m
                       WHERE m.tenant_id = c.tenant_id AND m.chat_id = c.id
                         AND m.sort_at < now() - make_interval(days => t.message_retention_days)
                         AND coalesce(m.sent_at, m.created_at)
                             < now() - make_interval(days => t.message_retention_days)
                         AND NOT (m.status = 'pending' AND m.direction = 'outbound')
                       ORDER BY m.sort_at, m.id LIMIT $2
                       FOR UPDATE SKIP LOCKED
                   ) AS old
                   WHERE c.id = ANY($1)
                   LIMIT $2
               ), gone AS (
                   DELETE FROM message m WHERE m.id = ANY(ARRAY(SELECT id FROM due))
                   RETURNING m.tenant_id, m.session_id, m.chat_id, m.wa_message_id, m.sort_at,
                       m.direction = 'inbound' AND NOT m.quiet AS news
               ), reactions AS (
                   DELETE FROM message_reaction r USING gone g
                   WHERE r.tenant_id = g.tenant_id AND r.session_id = g.session_id
                     AND r.wa_message_id = g.wa_message_id
               ), votes AS (
                   DELETE FROM poll_vote v USING gone g
                   WHERE v.tenant_id = g.tenant_id AND v.session_id = g.session_id
                     AND v.wa_message_id = g.wa_message_id
               ), counted AS (
                   SELECT c.id, count(*) AS messages, count(*) FILTER (
                       WHERE g.news AND coalesce(g.sort_at > c.read_at, true)) AS unread
                   FROM gone g JOIN chat c ON c.tenant_id = g.tenant_id AND c.id = g.chat_id
                   GROUP BY c.id
               ), recounted AS (
                   UPDATE chat c
                   SET message_count = c.message_count - n.messages,
                       unread_count = greatest(0, c.unread_count - n.unread)
                   FROM counted n WHERE c.id = n.id
               )
               SELECT count(*) AS "gone!" FROM gone"#,
            chats,
            limit
        )
        .fetch_one(self.conn())
        .await?;
        Ok(gone.unsigned_abs())
    }

    /// Shows the newest message that is left, where the one that was shown is gone.
    async fn renew_last_message(&mut self, chats: &[Uuid]) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE chat c
             SET last_message_preview = newest.content_preview, last_message_at = newest.sort_at
             FROM chat same
             LEFT JOIN LATERAL (
                 SELECT m.content_preview, m.sort_at FROM message m
                 WHERE m.tenant_id = same.tenant_id AND m.chat_id = same.id
                 ORDER BY m.sort_at DESC, m.id DESC LIMIT 1
             ) AS newest ON true
             WHERE same.id = ANY($1) AND c.id = same.id
               AND date_trunc('second', c.last_message_at) IS DISTINCT FROM newest.sort_at",
            chats
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Removes reports about messages that never came. Answers how many.
    pub async fn sweep_message_marks(&mut self) -> StoreResult<u64> {
        let gone =
            sqlx::query!("DELETE FROM message_mark WHERE updated_at < now() - interval '2 days'")
                .execute(self.conn())
                .await?;
        Ok(gone.rows_affected())
    }
}
