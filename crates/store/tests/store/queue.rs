//! Webhooks, what waits for them, and who works at it.

use std::time::Duration;

use chrono::DateTime;
use mf_domain::{DeliveryId, DeliveryState, EventId, EventName, WebhookId};
use mf_store::{
    Claim, ClaimedDelivery, Delivery, DeliveryRoom, Hopeless, NewEvent, NewWebhook,
    SettledDelivery, Store, StoreResult, Tenant, Webhook,
};
use uuid::Uuid;

use crate::support::{World, claim, fresh};

/// Room for everything.
pub(crate) const ROOM: DeliveryRoom = DeliveryRoom {
    all: 1000,
    again: 1000,
    per_tenant: 1000,
};
pub(crate) const MINUTE: Duration = Duration::from_mins(1);
/// Whether anybody waits for somebody else's rows.
pub(crate) const WAITS: &str = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                     WHERE a.datname = current_database() AND NOT l.granted";

/// A tenant with webhooks. Others can be made in its world.
pub(crate) struct Queue {
    pub(crate) tenant: Tenant,
    pub(crate) world: World,
}

/// What was claimed together.
pub(crate) struct Batch {
    pub(crate) claim: Claim,
    pub(crate) claimed: Vec<ClaimedDelivery>,
}

impl Batch {
    pub(crate) fn ids(&self) -> Vec<DeliveryId> {
        self.claimed.iter().map(|one| one.id).collect()
    }

    /// How many are of this webhook.
    pub(crate) fn of(&self, webhook: WebhookId) -> usize {
        let ours = |one: &&ClaimedDelivery| one.webhook_id == webhook;
        self.claimed.iter().filter(ours).count()
    }

    /// How many are first attempts.
    pub(crate) fn fresh(&self) -> usize {
        self.claimed.iter().filter(|one| one.fresh).count()
    }

    /// All of them got through.
    pub(crate) fn delivered(&self) -> Vec<SettledDelivery> {
        self.each(|id, claim| attempt(id, claim, true))
    }

    /// All of them failed, and are tried again in a minute.
    pub(crate) fn failed(&self) -> Vec<SettledDelivery> {
        self.each(|id, claim| attempt(id, claim, false))
    }

    fn each(&self, attempt: impl Fn(DeliveryId, Uuid) -> SettledDelivery) -> Vec<SettledDelivery> {
        let each = self.claimed.iter();
        each.map(|one| SettledDelivery {
            generation: one.generation,
            ..attempt(one.id, self.claim.id)
        })
        .collect()
    }
}

/// An attempt that got through, or failed and is made again in a minute.
pub(crate) fn attempt(id: DeliveryId, claim: Uuid, success: bool) -> SettledDelivery {
    SettledDelivery {
        id,
        claim,
        generation: 0,
        at: DateTime::UNIX_EPOCH,
        success,
        status_code: Some(if success { 200 } else { 500 }),
        latency: Duration::from_millis(20),
        error: (!success).then(|| "The endpoint answered 500".to_owned()),
        response: Some("answer".to_owned()),
        retry_after: (!success).then_some(MINUTE),
        pause: None,
    }
}

/// Claims, as a process does in one transaction.
pub(crate) async fn claim_from(store: &Store, claim: Claim, room: DeliveryRoom) -> Batch {
    let mut tx = store.system("a test is a worker").await.unwrap();
    let claimed = tx.claim_deliveries(claim, room).await.unwrap();
    tx.commit().await.unwrap();
    Batch { claim, claimed }
}

/// Settles, as a process does in one transaction.
pub(crate) async fn settle_in(
    store: &Store,
    settled: &[SettledDelivery],
    chance: f64,
) -> StoreResult<(Vec<Option<DeliveryState>>, Vec<Hopeless>)> {
    let mut tx = store.system("a test is a worker").await?;
    let written = tx.settle_deliveries(settled, chance).await?;
    tx.commit().await?;
    Ok(written)
}

impl Queue {
    pub(crate) async fn new() -> Self {
        Self::with_connections(4).await
    }

    pub(crate) async fn with_connections(max_connections: u32) -> Self {
        let world = World::with_connections(max_connections).await;
        Self {
            tenant: world.tenant().await,
            world,
        }
    }

    /// A webhook that wants everything.
    pub(crate) async fn hook(&self) -> WebhookId {
        self.hook_of(self.tenant, &["*"], true).await
    }

    pub(crate) async fn hook_of(&self, tenant: Tenant, events: &[&str], on: bool) -> WebhookId {
        let id = fresh();
        let events: Vec<String> = events.iter().map(|&name| name.to_owned()).collect();
        let mut tx = self.world.store.begin(tenant).await.unwrap();
        let new = NewWebhook {
            id,
            name: "Webhook",
            url: "https://example.com/",
            events: &events,
            is_active: on,
            secret: b"sealed",
        };
        tx.webhooks().add(&new).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        id
    }

    pub(crate) async fn webhook(&self, id: WebhookId) -> Webhook {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        let webhook = tx.webhooks().lookup(id).await.unwrap();
        tx.commit().await.unwrap();
        webhook.expect("the webhook is there")
    }

    /// Something happens to the tenant.
    pub(crate) async fn tell(&self) -> EventId {
        self.tell_of(self.tenant, EventName::MessageReceived).await
    }

    pub(crate) async fn tell_of(&self, tenant: Tenant, name: EventName) -> EventId {
        let event = news(name);
        let mut tx = self.world.store.begin(tenant).await.unwrap();
        tx.events().append(&event).await.unwrap();
        tx.commit().await.unwrap();
        event.id
    }

    /// So much waits for a webhook, for so many seconds already: first attempts, or others.
    /// Without the events, which nobody has to send here.
    pub(crate) async fn fill(&self, webhook: WebhookId, count: i32, first: bool, seconds: f64) {
        let sql = "INSERT INTO webhook_delivery (tenant_id, webhook_id, event_id, event_at,
                       event_name, fresh, tries, next_at)
                   SELECT w.tenant_id, w.id, gen_random_uuid(), now(), 'message.received', $3,
                       (NOT $3)::int, now() - make_interval(secs => $4 + 1 - n / $2::float8)
                   FROM webhook w, generate_series(1, $2) AS n WHERE w.id = $1";
        let mut rows = self.world.database.rows().begin().await.unwrap();
        // Without looking up each row's webhook.
        sqlx::raw_sql("SET LOCAL session_replication_role = replica")
            .execute(&mut *rows)
            .await
            .unwrap();
        sqlx::query(sql)
            .bind(webhook.uuid())
            .bind(count)
            .bind(first)
            .bind(seconds)
            .execute(&mut *rows)
            .await
            .unwrap();
        rows.commit().await.unwrap();
    }

    pub(crate) async fn claim(&self, room: DeliveryRoom) -> Batch {
        claim_from(&self.world.store, claim(), room).await
    }

    pub(crate) async fn claim_with(&self, claim: Claim) -> Batch {
        claim_from(&self.world.store, claim, ROOM).await
    }

    /// Settles, and says how the deliveries stand: `None` where the claim was lost.
    pub(crate) async fn settle(&self, settled: &[SettledDelivery]) -> Vec<Option<DeliveryState>> {
        let written = settle_in(&self.world.store, settled, 0.5).await;
        written.unwrap().0
    }

    pub(crate) async fn reclaim(&self) -> u64 {
        let mut tx = self.world.store.system("a test is a worker").await.unwrap();
        let back = tx.reclaim_deliveries().await.unwrap();
        tx.commit().await.unwrap();
        back
    }

    pub(crate) async fn delivery(&self, id: DeliveryId) -> Delivery {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        let delivery = tx.deliveries().lookup(id).await.unwrap();
        tx.commit().await.unwrap();
        delivery.expect("the delivery is there")
    }

    /// Rows of the queue, as text, by id: to see that nothing has changed.
    pub(crate) async fn rows(&self) -> Vec<String> {
        let sql = "SELECT d::text FROM webhook_delivery d ORDER BY id";
        let rows = sqlx::query_scalar(sql).fetch_all(self.world.database.rows());
        rows.await.unwrap()
    }
}

/// An event to be told.
pub(crate) fn news(name: EventName) -> NewEvent {
    let id: EventId = fresh();
    NewEvent {
        id,
        session_id: None,
        name,
        body: format!(r#"{{"id":"{id}"}}"#),
    }
}
