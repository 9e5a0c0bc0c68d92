use std::collections::BTreeMap;

use mf_domain::{DELIVERY_CAP, DeliveryState, WebhookId};
use uuid::Uuid;

use super::{SettledDelivery, keepable};
use crate::{StoreResult, SystemTx, Tenant};

/// Failures in a row that open a webhook's circuit breaker.
const BREAKS_AFTER: i32 = 10;
/// How long it stays open at first, in seconds. Twice as long each time,
const BREAK: f64 = 30.0;
/// up to this.
const LONGEST_BREAK: f64 = 300.0;
/// Days of nothing but failure after which a webhook is given up on.
const HOPELESS_AFTER_DAYS: i32 = 5;

/// A webhook that has failed for days, and nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Hopeless {
    /// Which one.
    pub webhook_id: WebhookId,
    /// Whose it is.
    pub tenant: Tenant,
    /// How often it has begun anew by now.
    pub generation: i32,
}

/// What a batch means for one webhook.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) generation: i32,
    delivered: i32,
    failed: i32,
    dead: i32,
    /// Failures since the last success of the batch.
    trailing: i32,
    error: Option<String>,
    pause: f64,
    latency_ms: Option<f64>,
}

impl SystemTx {
    /// Writes down what attempts say about their webhooks, whose rows are locked.
    pub(super) async fn settle_webhooks(
        &mut self,
        tallies: &BTreeMap<WebhookId, Tally>,
        chance: f64,
    ) -> StoreResult<Vec<Hopeless>> {
        if tallies.is_empty() {
            return Ok(Vec::new());
        }
        let each = || tallies.values();
        let ids: Vec<Uuid> = tallies.keys().map(|id| id.uuid()).collect();
        let delivered: Vec<i32> = each().map(|tally| tally.delivered).collect();
        let failed: Vec<i32> = each().map(|tally| tally.failed).collect();
        let dead: Vec<i32> = each().map(|tally| tally.dead).collect();
        let trailing: Vec<i32> = each().map(|tally| tally.trailing).collect();
        let errors: Vec<Option<String>> = each()
            .map(|tally| keepable(tally.error.as_deref()))
            .collect();
        let pauses: Vec<f64> = each().map(|tally| tally.pause).collect();
        let latencies: Vec<Option<f64>> = each().map(|tally| tally.latency_ms).collect();
        let rows = sqlx::query!(
            r#"WITH held AS MATERIALIZED (
                   SELECT s.webhook_id, s.failure_count, s.block_count,
                       -- No block is as long as that: somebody has moved the clock.
                       CASE WHEN s.blocked_until <= now() + interval '1 hour'
                           THEN s.blocked_until END AS blocked_until
                   FROM webhook_state s WHERE s.webhook_id = ANY ($1)
               ), news AS MATERIALIZED (
                   SELECT t.*, h.blocked_until,
                       coalesce(h.blocked_until > now(), false) AS blocked,
                       t.failing + CASE WHEN t.delivered > 0 THEN 0 ELSE h.failure_count END
                           AS failures,
                       CASE WHEN t.delivered > 0 THEN 0 ELSE h.block_count END AS blocks
                   FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[],
                           $6::text[], $7::float8[], $8::float8[])
                       AS t (webhook_id, delivered, failed, dead, failing, error, pause,
                             latency_ms)
                   JOIN held h ON h.webhook_id = t.webhook_id
               ), judged AS MATERIALIZED (
                   -- What was under way when it was blocked says nothing new.
                   SELECT n.*, n.failing > 0 AND n.failures >= $9 AND NOT n.blocked AS breaks,
                       n.pause > 0 AND NOT n.blocked AS slows
                   FROM news n
               )
               UPDATE webhook_state s
               SET failure_count = n.failures,
                   failing_since = CASE WHEN n.failing = 0 THEN NULL
                       WHEN n.delivered > 0 THEN now()
                       ELSE least(s.failing_since, now()) END,
                   last_error = CASE WHEN n.failing > 0 THEN n.error END,
                   last_delivery_at = CASE WHEN n.delivered > 0 THEN now()
                       ELSE s.last_delivery_at END,
                   block_count = n.blocks + n.breaks::int,
                   -- Not shortened by what was under way and got through: an endpoint that asks
                   -- for a pause gets it.
                   blocked_until = greatest(n.blocked_until,
                       CASE WHEN n.breaks THEN now() + make_interval(secs =>
                           (0.8 + 0.4 * $10::float8)
                           * least($11::float8 * power(2, least(n.blocks, 20)), $12)) END,
                       CASE WHEN n.pause > 0 THEN now() + make_interval(secs => n.pause) END),
                   allowance = CASE WHEN n.breaks THEN 1
                       WHEN n.slows THEN greatest(1, s.allowance / 2)
                       ELSE least($13, s.allowance + n.delivered) END,
                   delivered_count = s.delivered_count + n.delivered,
                   failed_attempt_count = s.failed_attempt_count + n.failed,
                   dead_count = s.dead_count + n.dead,
                   latency_ms = CASE WHEN n.latency_ms IS NULL THEN s.latency_ms
                       ELSE coalesce(0.9 * s.latency_ms + 0.1 * n.latency_ms, n.latency_ms) END
               FROM judged n
               WHERE s.webhook_id = n.webhook_id
               RETURNING s.webhook_id, s.tenant_id,
                   coalesce(s.failing_since < now() - make_interval(days => $14), false)
                       AS "hopeless!""#,
            &ids,
            &delivered,
            &failed,
            &dead,
            &trailing,
            &errors as &[Option<String>],
            &pauses,
            &latencies as &[Option<f64>],
            BREAKS_AFTER,
            chance,
            BREAK,
            LONGEST_BREAK,
            DELIVERY_CAP,
            HOPELESS_AFTER_DAYS,
        )
        .fetch_all(self.conn())
        .await?;
        let hopeless = rows.into_iter().filter(|row| row.hopeless);
        Ok(hopeless
            .map(|row| Hopeless {
                webhook_id: row.webhook_id.into(),
                tenant: Tenant::new(row.tenant_id.into()),
                generation: tallies
                    .get(&row.webhook_id.into())
                    .map_or(0, |tally| tally.generation),
            })
            .collect())
    }
}

impl SystemTx {
    /// Counts attempts of webhooks that have begun anew since, whose rows are locked.
    pub(super) async fn count_before(
        &mut self,
        tallies: &BTreeMap<WebhookId, Tally>,
    ) -> StoreResult<()> {
        if tallies.is_empty() {
            return Ok(());
        }
        let each = || tallies.values();
        let ids: Vec<Uuid> = tallies.keys().map(|id| id.uuid()).collect();
        let delivered: Vec<i32> = each().map(|tally| tally.delivered).collect();
        let failed: Vec<i32> = each().map(|tally| tally.failed).collect();
        let dead: Vec<i32> = each().map(|tally| tally.dead).collect();
        sqlx::query!(
            "UPDATE webhook_state s
             SET delivered_count = s.delivered_count + t.delivered,
                 failed_attempt_count = s.failed_attempt_count + t.failed,
                 dead_count = s.dead_count + t.dead
             FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[])
                 AS t (webhook_id, delivered, failed, dead)
             WHERE s.webhook_id = t.webhook_id",
            &ids,
            &delivered,
            &failed,
            &dead,
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }
}

impl Tally {
    pub(super) fn take(&mut self, one: &SettledDelivery, state: DeliveryState) {
        if one.success {
            self.delivered += 1;
            self.trailing = 0;
            let ms = one.latency.as_secs_f64() * 1000.0;
            self.latency_ms = Some(self.latency_ms.map_or(ms, |old| 0.9 * old + 0.1 * ms));
        } else {
            self.failed += 1;
            self.trailing += 1;
            self.error.clone_from(&one.error);
        }
        if state == DeliveryState::Dead {
            self.dead += 1;
        }
        let pause = one.pause.unwrap_or_default().as_secs_f64();
        self.pause = self.pause.max(pause);
    }
}
