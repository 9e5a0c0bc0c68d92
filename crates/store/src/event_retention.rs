use std::time::Duration;

use chrono::NaiveDate;
use sqlx::{AssertSqlSafe, Postgres, Transaction, raw_sql};
use tracing::{info, warn};

use crate::{Store, StoreError, StoreResult, SystemTx};

/// Until this many days ahead there are tables for events.
const DAYS_AHEAD: i32 = 3;
/// How long what is pending waits for a webhook that is off.
const PATIENCE_DAYS: i32 = 3;

impl Store {
    /// Makes the log's tables for today and the next days. `false` where the log was in use for
    /// too long: until the next time, the default table takes what has no other.
    pub async fn make_event_days(&self) -> StoreResult<bool> {
        let made = self.try_to_make_event_days().await;
        let made = unless_in_use(made)?.is_some();
        if !made {
            warn!("the event log is in use: its next days could not be made");
        }
        Ok(made)
    }

    /// Several servers look after the days: one at a time. It waits two seconds for the others
    /// and for readers of the log, and comes again otherwise: whoever wants into the log has to
    /// queue behind it meanwhile.
    async fn begin_with_days(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let begin = "BEGIN; SET LOCAL lock_timeout = '2s'";
        let mut tx = self.pool.begin_with(begin).await?;
        raw_sql("SELECT pg_advisory_xact_lock(hashtextextended('event days', 0))")
            .execute(&mut *tx)
            .await?;
        Ok(tx)
    }

    async fn try_to_make_event_days(&self) -> Result<(), sqlx::Error> {
        let mut tx = self.begin_with_days().await?;
        sqlx::query!(
            "SELECT moltflow_make_event_days(today, today + $1::int)::text AS made
             FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS clock",
            DAYS_AHEAD
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await
    }

    /// Drops the days that ended so long ago, but none that a delivery still points at:
    /// [`SystemTx::sweep_deliveries`] comes first. Answers how many are gone.
    ///
    /// What the default table took is left to [`SystemTx::expire_events`].
    pub async fn drop_event_days(&self, keep: Duration) -> StoreResult<u64> {
        let mut dropped = 0;
        loop {
            let day = self.drop_oldest_event_day(keep).await;
            match unless_in_use(day)? {
                Some(Some(day)) => {
                    info!(%day, "events of this day are gone");
                    dropped += 1;
                }
                Some(None) => return Ok(dropped),
                None => {
                    info!("the event log is in use: old days go the next time");
                    return Ok(dropped);
                }
            }
        }
    }

    async fn drop_oldest_event_day(
        &self,
        keep: Duration,
    ) -> Result<Option<NaiveDate>, sqlx::Error> {
        let mut tx = self.begin_with_days().await?;
        let Some(day) = oldest_free_day(&mut tx, keep).await? else {
            return Ok(None);
        };
        let table = format!("event_{}", day.format("%Y%m%d"));
        // First vacuum is made to leave the table, which nobody else notices. Only then is the
        // log locked, so that it is not for long.
        let lock = format!(
            "LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE;
             SET LOCAL lock_timeout = '500ms';
             LOCK TABLE ONLY event IN ACCESS EXCLUSIVE MODE"
        );
        raw_sql(AssertSqlSafe(lock)).execute(&mut *tx).await?;
        // Whoever has read the day's events and replays them is done now.
        if oldest_free_day(&mut tx, keep).await? != Some(day) {
            return Ok(None);
        }
        let drop = format!("DROP TABLE {table}");
        raw_sql(AssertSqlSafe(drop)).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(Some(day))
    }
}

/// The oldest day that ended so long ago and has no delivery left.
async fn oldest_free_day(
    tx: &mut Transaction<'_, Postgres>,
    keep: Duration,
) -> Result<Option<NaiveDate>, sqlx::Error> {
    // Who owns the tables sees no rows.
    raw_sql("SET LOCAL ROLE moltflow_system")
        .execute(&mut **tx)
        .await?;
    let day = sqlx::query_scalar!(
        r#"WITH day AS MATERIALIZED (
               SELECT day, day::timestamp AT TIME ZONE 'UTC' AS first,
                   (day + 1)::timestamp AT TIME ZONE 'UTC' AS next
               FROM pg_inherits i
               JOIN pg_class c ON c.oid = i.inhrelid,
               to_date(substr(c.relname, 7), 'YYYYMMDD') AS day
               WHERE i.inhparent = 'event'::regclass AND c.relname ~ '^event_[0-9]{8}$'
           )
           SELECT day AS "day!" FROM day
           WHERE next <= now() - make_interval(secs => $1)
             -- By the index of the one and of the other.
             AND NOT EXISTS (
                 SELECT FROM webhook_delivery
                 WHERE state = 'pending' AND event_at >= first AND event_at < next
                 UNION ALL SELECT FROM webhook_delivery
                 WHERE state <> 'pending' AND event_at >= first AND event_at < next)
           ORDER BY day LIMIT 1"#,
        keep.as_secs_f64()
    )
    .fetch_optional(&mut **tx)
    .await?;
    raw_sql("SET LOCAL ROLE NONE").execute(&mut **tx).await?;
    Ok(day)
}

/// `None` where a lock was not to be had in time.
fn unless_in_use<T>(done: Result<T, sqlx::Error>) -> StoreResult<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        // 55P03: lock not available; 40P01: deadlock.
        Err(sqlx::Error::Database(refusal))
            if refusal
                .code()
                .is_some_and(|code| code == "55P03" || code == "40P01") =>
        {
            Ok(None)
        }
        Err(error) => Err(StoreError::from(error)),
    }
}

impl SystemTx {
    /// Gives up, at most `limit` at a time, what has been due for three days to webhooks that
    /// have been off for as long. Answers how many.
    pub async fn bury_deliveries(&mut self, limit: i64) -> StoreResult<u64> {
        let buried = sqlx::query_scalar!(
            r#"WITH off AS MATERIALIZED (
                   -- Before the deliveries, and in one order, as everybody takes them.
                   SELECT s.tenant_id, s.webhook_id FROM webhook_state s
                   JOIN webhook w ON w.tenant_id = s.tenant_id AND w.id = s.webhook_id
                   WHERE NOT w.is_active
                     AND coalesce(w.disabled_at, w.updated_at) < now() - make_interval(days => $1)
                   ORDER BY s.webhook_id FOR NO KEY UPDATE OF s
               ), due AS MATERIALIZED (
                   SELECT d.id FROM off w
                   JOIN webhook_delivery d
                       ON d.tenant_id = w.tenant_id AND d.webhook_id = w.webhook_id
                   WHERE d.state = 'pending' AND d.claim_id IS NULL
                     -- A time so far ahead is of a clock that was wrong.
                     AND (d.next_at < now() - make_interval(days => $1)
                         OR d.next_at > now() + make_interval(days => $1))
                   LIMIT $2
                   FOR UPDATE OF d SKIP LOCKED
               ), buried AS (
                   UPDATE webhook_delivery d SET state = 'dead', finished_at = now()
                   WHERE d.id = ANY (ARRAY(SELECT id FROM due))
                   RETURNING d.webhook_id
               ), counted AS MATERIALIZED (
                   SELECT webhook_id, count(*) AS dead FROM buried GROUP BY webhook_id
               ), noted AS (
                   UPDATE webhook_state s SET dead_count = s.dead_count + c.dead
                   FROM counted c WHERE s.webhook_id = c.webhook_id
               )
               SELECT count(*) AS "buried!" FROM buried"#,
            PATIENCE_DAYS,
            limit
        )
        .fetch_one(self.conn())
        .await?;
        Ok(buried.unsigned_abs())
    }

    /// Removes, at most `limit` at a time, finished deliveries of events that are older than
    /// `keep`, or than their tenant keeps messages. Answers how many.
    pub async fn sweep_deliveries(&mut self, keep: Duration, limit: i64) -> StoreResult<u64> {
        let gone = sqlx::query!(
            "WITH old AS MATERIALIZED (
                 (SELECT id FROM webhook_delivery
                  WHERE state <> 'pending' AND event_at < now() - make_interval(secs => $1)
                  ORDER BY event_at LIMIT $2)
                 UNION
                 (SELECT d.id FROM tenant t
                  JOIN webhook w ON w.tenant_id = t.id
                  CROSS JOIN LATERAL (
                      SELECT d.id FROM webhook_delivery d
                      WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id
                        AND d.event_at < now() - make_interval(days => t.message_retention_days)
                        AND d.state <> 'pending'
                      ORDER BY d.event_at LIMIT $2
                  ) AS d
                  WHERE t.message_retention_days IS NOT NULL
                  LIMIT $2)
             ), due AS MATERIALIZED (
                 SELECT id FROM webhook_delivery
                 WHERE id = ANY (ARRAY(SELECT id FROM old)) AND state <> 'pending'
                 LIMIT $2
                 FOR UPDATE SKIP LOCKED
             )
             DELETE FROM webhook_delivery WHERE id = ANY (ARRAY(SELECT id FROM due))",
            keep.as_secs_f64(),
            limit
        )
        .execute(self.conn())
        .await?;
        Ok(gone.rows_affected())
    }

    /// Removes, at most `limit` at a time, events that are older than their tenant keeps
    /// messages, since they say what those say; and of those that have no day's table, what is
    /// older than `keep`. What a delivery points at stays. Answers how many are gone.
    pub async fn expire_events(&mut self, keep: Duration, limit: i64) -> StoreResult<u64> {
        let gone = sqlx::query!(
            "WITH undated AS MATERIALIZED (
                 -- Before the first day there is only the default table. Days go as a whole.
                 SELECT least(now() - make_interval(secs => $1), min(
                     to_date(substr(c.relname, 7), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC'
                 )) AS until
                 FROM pg_inherits i
                 JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE i.inhparent = 'event'::regclass AND c.relname ~ '^event_[0-9]{8}$'
             ), due AS MATERIALIZED (
                 SELECT old.id, old.created_at FROM undated u
                 CROSS JOIN tenant t
                 CROSS JOIN LATERAL (
                     SELECT e.id, e.created_at FROM event e
                     WHERE e.tenant_id = t.id AND e.created_at < greatest(
                             u.until, now() - make_interval(days => t.message_retention_days))
                       AND NOT EXISTS (
                           SELECT FROM webhook_delivery
                           WHERE state = 'pending' AND event_at = e.created_at
                             AND event_id = e.id
                           UNION ALL SELECT FROM webhook_delivery
                           WHERE state <> 'pending' AND event_at = e.created_at
                             AND event_id = e.id)
                     LIMIT $2
                 ) AS old
                 LIMIT $2
             )
             DELETE FROM event e
             WHERE e.id = ANY (ARRAY(SELECT id FROM due))
               -- Spares the other days.
               AND e.created_at >= (SELECT min(created_at) FROM due)
               AND e.created_at <= (SELECT max(created_at) FROM due)",
            keep.as_secs_f64(),
            limit
        )
        .execute(self.conn())
        .await?;
        Ok(gone.rows_affected())
    }
}
