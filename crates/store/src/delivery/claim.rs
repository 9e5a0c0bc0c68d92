use chrono::{DateTime, Utc};
use mf_domain::{DELIVERY_CAP, DeliveryId, EventId, WebhookId};
use uuid::Uuid;

use crate::{Claim, StoreResult, SystemTx, Tenant, alive::LIVES};

/// Before a claim: waits until nobody else is at one, so that each sees what the others have
/// taken. Who stops in the middle of it, and does not go on, holds the others up for a second
/// each, and is cut off before long.
///
/// And no plan that reads whole tables, however small they are when it is made: it is kept.
const TURN: &str = "SET LOCAL idle_in_transaction_session_timeout = '10s';
    SET LOCAL enable_seqscan = off;
    DO $$ BEGIN
        SET LOCAL lock_timeout = '1s';
        PERFORM pg_advisory_xact_lock(hashtextextended('webhook deliveries', 0));
    EXCEPTION WHEN lock_not_available THEN
        NULL;
    END $$";

/// How much somebody can take on.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryRoom {
    /// Deliveries in all.
    pub all: i64,
    /// Of these, such as were tried before or are replayed.
    pub again: i64,
    /// Most that one tenant may have under way, in all processes.
    pub per_tenant: i64,
}

/// A delivery that was claimed, with all that is needed to make it.
#[derive(Clone)]
pub struct ClaimedDelivery {
    /// Which delivery.
    pub id: DeliveryId,
    /// Whose it is.
    pub tenant: Tenant,
    /// To which webhook.
    pub webhook_id: WebhookId,
    /// Where that is.
    pub url: String,
    /// How often the webhook had begun anew by then.
    pub generation: i32,
    /// What signs, sealed.
    pub secret: Vec<u8>,
    /// What signed before, sealed, while both count.
    pub previous_secret: Option<Vec<u8>>,
    /// What happened.
    pub event_id: EventId,
    /// Its name.
    pub event_name: String,
    /// The envelope. `None` where the event log holds it no longer.
    pub body: Option<String>,
    /// Attempts before this one, since it was made or replayed.
    pub tries: i32,
    /// Whether this is the first.
    pub fresh: bool,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
}

/// Neither secrets nor what people write.
impl std::fmt::Debug for ClaimedDelivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClaimedDelivery")
            .field("id", &self.id)
            .field("webhook_id", &self.webhook_id)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    webhook_id: Uuid,
    event_id: Uuid,
    event_name: String,
    tries: i32,
    fresh: bool,
    created_at: DateTime<Utc>,
    url: String,
    generation: i32,
    secret: Vec<u8>,
    previous_secret: Option<Vec<u8>>,
    body: Option<String>,
}

impl From<Row> for ClaimedDelivery {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            tenant: Tenant::new(row.tenant_id.into()),
            webhook_id: row.webhook_id.into(),
            url: row.url,
            generation: row.generation,
            secret: row.secret,
            previous_secret: row.previous_secret,
            event_id: row.event_id.into(),
            event_name: row.event_name,
            body: row.body,
            tries: row.tries,
            fresh: row.fresh,
            created_at: row.created_at,
        }
    }
}

impl SystemTx {
    /// Claims deliveries that are due, fairly: of each webhook no more than it may have under
    /// way, first attempts and others in turns; of each tenant no more than its share, its
    /// webhooks in turns; and tenants in turns again. Whoever has much under way has had its
    /// turns, so that it holds for one delivery at a time as for many.
    ///
    /// A first attempt is always due. Another one is due at its time, or where that is so far
    /// off that somebody must have moved the clock. Which webhooks have anything waiting is
    /// found by stepping from one to the next in the queue's index, so that those without cost
    /// nothing, and a long queue costs no more than a short one.
    pub async fn claim_deliveries(
        &mut self,
        claim: Claim,
        room: DeliveryRoom,
    ) -> StoreResult<Vec<ClaimedDelivery>> {
        sqlx::raw_sql(TURN).execute(self.conn()).await?;
        let rows = sqlx::query_file_as!(
            Row,
            "src/delivery/claim.sql",
            claim.id,
            claim.lease.as_secs_f64(),
            room.all,
            room.again,
            room.per_tenant,
            DELIVERY_CAP,
            self.alive.signature(),
        )
        .fetch_all(self.conn())
        .await?;
        Ok(rows.into_iter().map(ClaimedDelivery::from).collect())
    }

    /// Gives deliveries back whose holder is gone: it does not live, or was not heard of until
    /// the lease's end. Answers how many.
    pub async fn reclaim_deliveries(&mut self) -> StoreResult<u64> {
        let back = sqlx::query!(
            "WITH living AS MATERIALIZED (
                 SELECT l.objid::bigint AS holder FROM pg_locks l
                 JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
                 WHERE l.locktype = 'advisory' AND l.classid = $1::int::oid AND l.objsubid = 2
                   AND l.granted
             )
             UPDATE webhook_delivery
             SET claim_id = NULL, lease_until = NULL, holder = NULL
             WHERE id = ANY (ARRAY(
                 SELECT id FROM webhook_delivery
                 WHERE claim_id IS NOT NULL
                   AND (lease_until < now() OR lease_until > now() + interval '1 hour'
                       -- Whoever asks is alive.
                       OR holder IS NOT NULL AND holder IS DISTINCT FROM $2
                           AND holder NOT IN (SELECT living.holder FROM living))
                 FOR UPDATE SKIP LOCKED))",
            LIVES,
            self.alive.key(),
        )
        .execute(self.conn())
        .await?;
        Ok(back.rows_affected())
    }

    /// Gives back all of claims of which nothing was begun, since nobody knew whether they had
    /// been made: others need not wait for the lease's end.
    pub async fn release_claims(&mut self, claims: &[Uuid]) -> StoreResult<u64> {
        let back = sqlx::query!(
            "UPDATE webhook_delivery SET claim_id = NULL, lease_until = NULL, holder = NULL
             WHERE claim_id IS NOT NULL AND claim_id = ANY ($1)",
            claims
        )
        .execute(self.conn())
        .await?;
        Ok(back.rows_affected())
    }
}
