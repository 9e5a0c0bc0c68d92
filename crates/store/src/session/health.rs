use std::time::Duration;

use mf_domain::{SessionId, SessionStatus};

use super::{OwnerRow, SessionOwner, Sessions};
use crate::{StoreResult, SystemTx, word::Word};

impl Sessions<'_> {
    /// Notes that the engine spoke of a session. At most one write in ten seconds.
    pub async fn seen(self, id: SessionId) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE wa_session SET last_seen_at = now()
             WHERE tenant_id = $1 AND id = $2
               AND (last_seen_at IS NULL OR last_seen_at < now() - interval '10 seconds')",
            self.tenant(),
            id.uuid()
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }

    /// The same before its status is written: nobody else writes it until this transaction ends.
    pub async fn seen_to_report(self, id: SessionId) -> StoreResult<()> {
        let this = Sessions { tx: &mut *self.tx };
        this.still_wanted(id).await?;
        self.seen(id).await
    }

    /// Notes that a session proved to be alive: what was tried to bring it back is forgotten.
    /// Of one that does not work at this moment it is not, since what proves it may be older
    /// than the failure. At most one write in ten seconds. The session is held, as by
    /// [`Self::hold`].
    pub async fn proved_alive(self, id: SessionId) -> StoreResult<()> {
        sqlx::query!(
            "WITH alive AS (
                 UPDATE wa_session
                 SET last_seen_at = now(),
                     recovery_attempts = CASE WHEN status = 'working' THEN 0
                         ELSE recovery_attempts END,
                     recovery_next_at = CASE WHEN status = 'working' THEN NULL
                         ELSE recovery_next_at END
                 WHERE tenant_id = $1 AND id = $2
                   AND (last_seen_at IS NULL OR last_seen_at < now() - interval '10 seconds'
                       OR status = 'working'
                           AND (recovery_attempts <> 0 OR recovery_next_at IS NOT NULL))
             )
             SELECT id FROM wa_session WHERE tenant_id = $1 AND id = $2 FOR KEY SHARE",
            self.tenant(),
            id.uuid()
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(())
    }

    /// Says when a session is to be brought back next.
    pub async fn schedule_recovery(self, id: SessionId, delay: Duration) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE wa_session SET recovery_next_at = now() + make_interval(secs => $3)
             WHERE tenant_id = $1 AND id = $2",
            self.tenant(),
            id.uuid(),
            delay.as_secs_f64()
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }

    /// Takes it on to bring a session back, and counts it. `None` where it is not due: it is
    /// back, somebody stopped it, or another process was quicker.
    ///
    /// One that is still `starting` comes due again by itself; one that failed does not, until
    /// somebody says when.
    pub async fn begin_recovery(self, id: SessionId) -> StoreResult<Option<i32>> {
        let attempts = sqlx::query_scalar!(
            "UPDATE wa_session
             SET recovery_attempts = recovery_attempts + 1,
                 recovery_next_at = CASE WHEN status = 'starting'
                     THEN now() + interval '5 minutes' END
             WHERE tenant_id = $1 AND id = $2 AND wanted
               AND (status = 'failed' AND recovery_next_at <= now()
                   OR status = 'starting' AND status_since < now() - interval '5 minutes'
                       AND coalesce(recovery_next_at <= now(), true))
             RETURNING recovery_attempts",
            self.tenant(),
            id.uuid()
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(attempts)
    }

    /// Forgets what was tried to bring a session back: somebody starts it by hand, and what
    /// stands at `starting` gets its five minutes anew.
    pub async fn forget_recovery(self, id: SessionId) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE wa_session
             SET recovery_attempts = 0,
                 recovery_next_at = CASE WHEN status = 'starting'
                     THEN now() + interval '5 minutes' END
             WHERE tenant_id = $1 AND id = $2",
            self.tenant(),
            id.uuid()
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }
}

impl SystemTx {
    /// Working sessions of which nothing was heard for longer than `silence`, to be asked
    /// whether they are alive. Notes that they were: nobody gets them again for half as long.
    pub async fn silent_sessions(
        &mut self,
        silence: Duration,
        limit: i64,
    ) -> StoreResult<Vec<SessionOwner>> {
        let rows = sqlx::query_as!(
            OwnerRow,
            r#"WITH due AS MATERIALIZED (
                   SELECT id FROM wa_session
                   WHERE status = 'working'
                     AND coalesce(last_seen_at, status_since)
                         < now() - make_interval(secs => $1)
                     AND (probed_at IS NULL OR probed_at < now() - make_interval(secs => $1) / 2)
                   ORDER BY probed_at NULLS FIRST, id
                   LIMIT $2
                   FOR NO KEY UPDATE SKIP LOCKED
               )
               UPDATE wa_session s SET probed_at = now()
               FROM due WHERE s.id = due.id
               RETURNING s.id, s.tenant_id, s.callback_secret,
                   s.status AS "status: Word<SessionStatus>", s.wanted"#,
            silence.as_secs_f64(),
            limit
        )
        .fetch_all(self.conn())
        .await?;
        Ok(rows.into_iter().map(SessionOwner::from).collect())
    }

    /// Sessions that shall run and are due to be brought back, with how often that was tried:
    /// failed ones whose time has come, and those that have been starting for five minutes.
    /// Nothing is claimed: that is for `sessions().begin_recovery`.
    pub async fn failed_sessions_to_recover(
        &mut self,
        limit: i64,
    ) -> StoreResult<Vec<(SessionOwner, i32)>> {
        let rows = sqlx::query!(
            r#"SELECT id, tenant_id, callback_secret, status AS "status: Word<SessionStatus>",
                      wanted, recovery_attempts
               FROM wa_session
               WHERE wanted
                 AND (status = 'failed' AND recovery_next_at <= now()
                     OR status = 'starting' AND status_since < now() - interval '5 minutes'
                         AND coalesce(recovery_next_at <= now(), true))
               ORDER BY coalesce(recovery_next_at, status_since), id LIMIT $1"#,
            limit
        )
        .fetch_all(self.conn())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let attempts = row.recovery_attempts;
                let owner = OwnerRow {
                    id: row.id,
                    tenant_id: row.tenant_id,
                    callback_secret: row.callback_secret,
                    status: row.status.into(),
                    wanted: row.wanted,
                };
                (owner.into(), attempts)
            })
            .collect())
    }

    /// Working sessions whose messages were not fetched for longer than `every`. Notes that
    /// somebody set out to: nobody gets them again for as long.
    pub async fn sessions_to_catch_up(
        &mut self,
        every: Duration,
        limit: i64,
    ) -> StoreResult<Vec<SessionOwner>> {
        let rows = sqlx::query_as!(
            OwnerRow,
            r#"WITH due AS MATERIALIZED (
                   SELECT id FROM wa_session
                   WHERE status = 'working'
                     AND (caught_up_attempt_at IS NULL
                         OR caught_up_attempt_at < now() - make_interval(secs => $1))
                   ORDER BY caught_up_attempt_at NULLS FIRST, id
                   LIMIT $2
                   FOR NO KEY UPDATE SKIP LOCKED
               )
               UPDATE wa_session s SET caught_up_attempt_at = now()
               FROM due WHERE s.id = due.id
               RETURNING s.id, s.tenant_id, s.callback_secret,
                   s.status AS "status: Word<SessionStatus>", s.wanted"#,
            every.as_secs_f64(),
            limit
        )
        .fetch_all(self.conn())
        .await?;
        Ok(rows.into_iter().map(SessionOwner::from).collect())
    }
}
