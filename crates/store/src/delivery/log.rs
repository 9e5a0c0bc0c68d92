use chrono::{DateTime, Utc};
use mf_domain::{DeliveryId, DeliveryState, EventId, EventName, WebhookId};
use serde::Deserialize;
use sqlx::types::Json;

use super::Deliveries;
use crate::{StoreResult, SystemTx, word::Word};

/// An event on its way to a webhook, and what became of it.
#[derive(Clone)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The event: the same id in every telling.
    pub event_id: EventId,
    /// What happened.
    pub event_name: String,
    /// When it happened.
    pub event_at: DateTime<Utc>,
    /// How far it is.
    pub state: DeliveryState,
    /// Attempts since it was made, or replayed.
    pub tries: i32,
    /// When it is tried next, while it is pending and its webhook is on.
    pub next_at: Option<DateTime<Utc>>,
    /// The newest attempts, oldest first.
    pub attempts: Vec<DeliveryAttempt>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was settled.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Answers of strangers, and what people write.
impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("attempts", &self.attempts.len())
            .finish_non_exhaustive()
    }
}

/// One attempt.
#[derive(Clone, Deserialize)]
pub struct DeliveryAttempt {
    /// Its number, from 1.
    pub number: i32,
    /// When it began.
    pub at: DateTime<Utc>,
    /// What the endpoint answered. `None`: nothing.
    pub status_code: Option<u16>,
    /// How long it took, in milliseconds.
    pub latency_ms: f64,
    /// What went wrong.
    pub error: Option<String>,
    /// The first bytes of the answer.
    pub response: Option<String>,
}

/// Which deliveries of a webhook.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeliveryFilter {
    /// Those that stand so.
    pub state: Option<DeliveryState>,
    /// Those of this event.
    pub event: Option<EventName>,
    /// Of events from then on.
    pub since: Option<DateTime<Utc>>,
    /// Of events before that.
    pub until: Option<DateTime<Utc>>,
}

/// How many deliveries of a webhook stand how, at this moment.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryCounts {
    /// On their way.
    pub pending: i64,
    /// Given up, and kept.
    pub dead: i64,
    /// When the oldest event happened that is on its way.
    pub oldest_pending_at: Option<DateTime<Utc>>,
    /// When the next attempt is due.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// How much is waiting, of all tenants. What waits is counted up to a bound, which is what is
/// said of a longer queue.
#[derive(Debug, Clone, Copy)]
pub struct QueueDepth {
    /// First attempts that nobody is at.
    pub fresh: i64,
    /// Others that are due or will be.
    pub again: i64,
    /// Under way.
    pub claimed: i64,
    /// Seconds that the oldest first attempt has waited for.
    pub lag_seconds: f64,
}

/// What is tried next is not tried before its webhook's break is over, and not while it is off.
macro_rules! delivery_query {
    ($rest:literal, $($bind:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"SELECT d.id, d.webhook_id, d.event_id, d.event_name, d.event_at,
                   d.state AS "state: _", d.tries,
                   CASE WHEN d.state = 'pending' THEN (
                       SELECT greatest(d.next_at, CASE
                           WHEN s.blocked_until <= now() + interval '1 hour'
                           THEN s.blocked_until END)
                       FROM webhook w
                       JOIN webhook_state s ON s.tenant_id = w.tenant_id AND s.webhook_id = w.id
                       WHERE w.tenant_id = d.tenant_id AND w.id = d.webhook_id AND w.is_active
                   ) END AS next_at,
                   d.attempts AS "attempts: _", d.created_at, d.finished_at
               FROM webhook_delivery d "#
                + $rest,
            $($bind),+
        )
    };
}

struct Row {
    id: uuid::Uuid,
    webhook_id: uuid::Uuid,
    event_id: uuid::Uuid,
    event_name: String,
    event_at: DateTime<Utc>,
    state: Word<DeliveryState>,
    tries: i32,
    next_at: Option<DateTime<Utc>>,
    attempts: Json<Vec<DeliveryAttempt>>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<Row> for Delivery {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            webhook_id: row.webhook_id.into(),
            event_id: row.event_id.into(),
            event_name: row.event_name,
            event_at: row.event_at,
            state: row.state.into(),
            tries: row.tries,
            next_at: row.next_at,
            attempts: row.attempts.0,
            created_at: row.created_at,
            finished_at: row.finished_at,
        }
    }
}

impl Deliveries<'_> {
    /// A webhook's deliveries, newest event first, and how many fit the filter.
    pub async fn list(
        self,
        webhook: WebhookId,
        filter: DeliveryFilter,
        limit: i64,
        offset: i64,
    ) -> StoreResult<(Vec<Delivery>, i64)> {
        let (tenant, id) = (self.tenant(), webhook.uuid());
        let state = filter.state.map(DeliveryState::as_str);
        let event = filter.event.map(EventName::as_str);
        let rows = delivery_query!(
            "WHERE d.tenant_id = $1 AND d.webhook_id = $2
               AND ($3::text IS NULL OR d.state = $3) AND ($4::text IS NULL OR d.event_name = $4)
               AND ($5::timestamptz IS NULL OR d.event_at >= $5)
               AND ($6::timestamptz IS NULL OR d.event_at < $6)
             ORDER BY d.event_at DESC, d.id DESC LIMIT $7 OFFSET $8",
            tenant,
            id,
            state,
            event,
            filter.since,
            filter.until,
            limit,
            offset,
        )
        .fetch_all(self.tx.conn())
        .await?;
        let total = sqlx::query_scalar!(
            r#"SELECT count(*) AS "total!" FROM webhook_delivery
               WHERE tenant_id = $1 AND webhook_id = $2
                 AND ($3::text IS NULL OR state = $3) AND ($4::text IS NULL OR event_name = $4)
                 AND ($5::timestamptz IS NULL OR event_at >= $5)
                 AND ($6::timestamptz IS NULL OR event_at < $6)"#,
            tenant,
            id,
            state,
            event,
            filter.since,
            filter.until,
        )
        .fetch_one(self.tx.conn())
        .await?;
        Ok((rows.into_iter().map(Delivery::from).collect(), total))
    }

    /// One delivery.
    pub async fn lookup(self, id: DeliveryId) -> StoreResult<Option<Delivery>> {
        let row = delivery_query!(
            "WHERE d.tenant_id = $1 AND d.id = $2",
            self.tenant(),
            id.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row.map(Delivery::from))
    }

    /// What is sent by a delivery: the envelope, while the event log holds it.
    pub async fn body(self, id: DeliveryId) -> StoreResult<Option<String>> {
        let body = sqlx::query_scalar!(
            "SELECT e.body FROM webhook_delivery d
             JOIN event e ON e.id = d.event_id AND e.created_at = d.event_at
                 AND e.tenant_id = d.tenant_id
             WHERE d.tenant_id = $1 AND d.id = $2",
            self.tenant(),
            id.uuid(),
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(body)
    }

    /// How a webhook's deliveries stand.
    pub async fn counts(self, webhook: WebhookId) -> StoreResult<DeliveryCounts> {
        let row = sqlx::query_as!(
            DeliveryCounts,
            r#"WITH waiting AS (
                   -- By the queue's index, and by that of what is under way.
                   SELECT event_at, next_at FROM webhook_delivery
                   WHERE tenant_id = $1 AND webhook_id = $2
                     AND finished_at IS NULL AND claim_id IS NULL
                   UNION ALL
                   SELECT event_at, next_at FROM webhook_delivery
                   WHERE tenant_id = $1 AND webhook_id = $2 AND claim_id IS NOT NULL
               )
               SELECT count(*) AS "pending!",
                   (SELECT count(*) FROM webhook_delivery
                    WHERE tenant_id = $1 AND webhook_id = $2 AND state = 'dead'
                      -- A trial that failed is nothing that is to be sent again.
                      AND event_name <> 'webhook.test') AS "dead!",
                   min(event_at) AS oldest_pending_at, min(next_at) AS next_attempt_at
               FROM waiting"#,
            self.tenant(),
            webhook.uuid(),
        )
        .fetch_one(self.tx.conn())
        .await?;
        Ok(row)
    }
}

impl SystemTx {
    /// How much waits in the queue. Of a queue without end no more than `most` is read, of either
    /// kind.
    pub async fn delivery_queue_depth(&mut self, most: i64) -> StoreResult<QueueDepth> {
        // As for claims: no plan that was made while the queue was short, and reads all of it.
        sqlx::raw_sql("SET LOCAL enable_seqscan = off")
            .execute(self.conn())
            .await?;
        let row = sqlx::query_file_as!(QueueDepth, "src/delivery/depth.sql", most)
            .fetch_one(self.conn())
            .await?;
        Ok(row)
    }
}
