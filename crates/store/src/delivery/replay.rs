use chrono::{DateTime, Utc};
use mf_domain::{DeliveryId, EventName, WebhookId};

use super::{Deliveries, keepable};
use crate::{NewEvent, StoreResult};

/// What of a webhook's past is to be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayRange {
    /// Events from then on,
    pub since: DateTime<Utc>,
    /// and before that.
    pub until: Option<DateTime<Utc>>,
    /// Every event that the webhook wants, also what was delivered, and what happened while it
    /// was off or did not exist. Otherwise what was given up.
    pub all: bool,
}

/// What became of a step of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// How many are sent again.
    pub count: u64,
    /// What is left for the next step: nothing of what happened, or failed again, after the
    /// first one had begun. `None` where that was all.
    pub next: Option<ReplayRange>,
}

impl Deliveries<'_> {
    /// Sends one again, at once, with its retries before it as at first. What is under way at
    /// this moment is left alone, a trial as any other, and what was never tried is sent as it
    /// would be anyway. `false` where there is none of this id.
    pub async fn replay(self, id: DeliveryId) -> StoreResult<bool> {
        let found = sqlx::query_scalar!(
            r#"WITH again AS (
                   UPDATE webhook_delivery
                   SET fresh = fresh AND state = 'pending', state = 'pending', tries = 0,
                       next_at = now(), finished_at = NULL
                   WHERE tenant_id = $1 AND id = $2 AND claim_id IS NULL
                     -- No trial takes so long: this one broke off.
                     AND NOT (event_name = $3 AND state = 'dead' AND tries = 0
                         AND finished_at > now() - interval '1 minute')
               )
               SELECT EXISTS (
                   SELECT FROM webhook_delivery WHERE tenant_id = $1 AND id = $2) AS "found!""#,
            self.tenant(),
            id.uuid(),
            EventName::WebhookTest.as_str(),
        )
        .fetch_one(self.tx.conn())
        .await?;
        self.tx.queued = true;
        Ok(found)
    }

    /// Sends what fits again, oldest event first, at most so many, and those of the same moment
    /// as the last of them. Events are gone through once: what is sent meanwhile, and is
    /// delivered or given up, does not come again.
    pub async fn replay_range(
        self,
        webhook: WebhookId,
        range: ReplayRange,
        limit: i64,
    ) -> StoreResult<Replayed> {
        let (tenant, id) = (self.tenant(), webhook.uuid());
        // One replay of a webhook at a time: two would make twins. The webhook first, as everybody
        // does who locks both. And the end by the same clock as events have their times from.
        let until = sqlx::query_scalar!(
            r#"SELECT least($3, now()) AS "until!" FROM webhook w
             JOIN webhook_state s ON s.tenant_id = w.tenant_id AND s.webhook_id = w.id
             WHERE w.tenant_id = $1 AND w.id = $2
             FOR KEY SHARE OF w FOR NO KEY UPDATE OF s"#,
            tenant,
            id,
            range.until,
        )
        .fetch_optional(self.tx.conn())
        .await?;
        let Some(until) = until else {
            return Ok(Replayed {
                count: 0,
                next: None,
            });
        };
        let row = sqlx::query!(
            r#"WITH dead AS MATERIALIZED (
                   SELECT id, event_at AS at FROM webhook_delivery
                   WHERE tenant_id = $1 AND webhook_id = $2 AND state = 'dead'
                     AND event_at >= $3 AND event_at < $4
                     AND event_name <> $7
                   ORDER BY event_at FETCH FIRST $6 ROWS WITH TIES
               ), delivered AS MATERIALIZED (
                   SELECT id, event_at AS at FROM webhook_delivery
                   WHERE $5 AND tenant_id = $1 AND webhook_id = $2 AND state = 'delivered'
                     AND event_at >= $3 AND event_at < $4
                     AND event_name <> $7
                   ORDER BY event_at FETCH FIRST $6 ROWS WITH TIES
               ), missed AS MATERIALIZED (
                   SELECT e.id, e.created_at AS at, e.name FROM webhook w
                   JOIN event e ON e.tenant_id = w.tenant_id AND w.events && ARRAY[e.name, '*']
                   WHERE $5 AND w.tenant_id = $1 AND w.id = $2
                     AND e.created_at >= $3 AND e.created_at < $4
                     AND e.name <> $7
                     AND NOT EXISTS (
                         SELECT FROM webhook_delivery d
                         WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id
                           AND d.event_at = e.created_at AND d.event_id = e.id)
                   ORDER BY e.created_at FETCH FIRST $6 ROWS WITH TIES
               ), step AS MATERIALIZED (
                   -- Nothing where that is all.
                   SELECT at FROM (
                       SELECT at FROM dead UNION ALL SELECT at FROM delivered
                       UNION ALL SELECT at FROM missed) AS found
                   ORDER BY at OFFSET $6 - 1 LIMIT 1
               ), again AS (
                   UPDATE webhook_delivery
                   SET state = 'pending', fresh = false, tries = 0, next_at = now(),
                       finished_at = NULL
                   WHERE id = ANY (ARRAY(
                           SELECT id FROM (SELECT * FROM dead UNION ALL SELECT * FROM delivered)
                               AS found
                           WHERE at <= coalesce((SELECT at FROM step), 'infinity')))
                     AND state <> 'pending'
                   RETURNING 1
               ), first AS (
                   INSERT INTO webhook_delivery
                       (tenant_id, webhook_id, event_id, event_at, event_name, fresh)
                   SELECT $1, $2, id, at, name, false FROM missed
                   WHERE at <= coalesce((SELECT at FROM step), 'infinity')
                   RETURNING 1
               )
               SELECT (SELECT count(*) FROM again) + (SELECT count(*) FROM first) AS "count!",
                   (SELECT at + interval '1 microsecond' FROM step) AS next"#,
            tenant,
            id,
            range.since,
            until,
            range.all,
            limit,
            EventName::WebhookTest.as_str(),
        )
        .fetch_one(self.tx.conn())
        .await?;
        self.tx.queued = true;
        Ok(Replayed {
            count: row.count.unsigned_abs(),
            next: row.next.map(|since| ReplayRange {
                since,
                until: Some(until),
                ..range
            }),
        })
    }

    /// Notes that a webhook is about to be tried out: an event for it alone, and its delivery,
    /// which counts as failed until [`Self::tried_out`].
    pub async fn try_out(self, webhook: WebhookId, event: &NewEvent) -> StoreResult<DeliveryId> {
        let id = sqlx::query_scalar!(
            r#"WITH told AS (
                   INSERT INTO event (id, tenant_id, name, body) VALUES ($1, $2, $3, $4)
                   RETURNING tenant_id, id, created_at, name
               )
               INSERT INTO webhook_delivery
                   (tenant_id, webhook_id, event_id, event_at, event_name, fresh, state,
                    finished_at)
               SELECT tenant_id, $5, id, created_at, name, false, 'dead', now() FROM told
               RETURNING id"#,
            event.id.uuid(),
            self.tenant(),
            event.name.as_str(),
            event.body,
            webhook.uuid(),
        )
        .fetch_one(self.tx.conn())
        .await?;
        Ok(id.into())
    }

    /// Writes down what came of trying out a webhook, unless it took so long that it was taken
    /// for broken off, and is sent again.
    pub async fn tried_out(
        self,
        id: DeliveryId,
        attempt: &crate::SettledDelivery,
    ) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE webhook_delivery
             SET tries = 1, state = CASE WHEN $3 THEN 'delivered' ELSE 'dead' END,
                 finished_at = now(),
                 attempts = jsonb_build_array(jsonb_build_object(
                     'number', 1, 'at', $4::timestamptz, 'status_code', $5::int,
                     'latency_ms', round($6::float8::numeric, 1), 'error', $7::text,
                     'response', $8::text))
             WHERE tenant_id = $1 AND id = $2
               AND state = 'dead' AND tries = 0 AND claim_id IS NULL",
            self.tenant(),
            id.uuid(),
            attempt.success,
            attempt.at,
            attempt.status_code.map(i32::from),
            attempt.latency.as_secs_f64() * 1000.0,
            keepable(attempt.error.as_deref()),
            keepable(attempt.response.as_deref()),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }
}
