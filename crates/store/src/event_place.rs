use std::time::Duration;

use mf_domain::{EventId, SessionId};

use crate::{EventPosition, StoreResult, event::Events};

impl Events<'_> {
    /// The last event of a session that is older than so long: what comes after it is not.
    pub async fn last_older_than(
        self,
        session: SessionId,
        age: Duration,
    ) -> StoreResult<Option<EventPosition>> {
        let row = sqlx::query!(
            r#"SELECT tx::text::bigint AS "tx!", seq AS "seq!" FROM event
               WHERE tenant_id = $1 AND session_id = $2
                 AND created_at < now() - make_interval(secs => $3)
               ORDER BY tx DESC, seq DESC LIMIT 1"#,
            self.tx.tenant().id().uuid(),
            session.uuid(),
            age.as_secs_f64(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row.map(|row| EventPosition::new(row.tx, row.seq)))
    }

    /// The last event of a session up to which the log is complete, as this transaction sees
    /// it: whatever it does not see of the session's events, or will be added, comes after.
    /// `None` where all that there will be comes after the log's beginning.
    pub async fn last_complete(self, session: SessionId) -> StoreResult<Option<EventId>> {
        let id = sqlx::query_scalar!(
            "SELECT id FROM event
             WHERE tenant_id = $1 AND session_id = $2
               AND tx < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY tx DESC, seq DESC LIMIT 1",
            self.tx.tenant().id().uuid(),
            session.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(id.map(EventId::from))
    }
}
