//! Many who claim at once, some of whom die.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mf_domain::{DeliveryId, DeliveryState};
use mf_store::{Claim, DeliveryRoom, SettledDelivery, Store, Tenant};
use mf_test_support::soon;
use sqlx::PgPool;
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    dice::Dice,
    queue::{Batch, Queue, attempt, claim_from, settle_in},
    support::{claim, past_claim},
};

const WORKERS: u64 = 8;
const SHARE: i64 = 20;
/// By webhook: two of one tenant, which could have more under way than its share, and one of
/// another.
const WAITING: [i32; 3] = [120, 120, 80];

/// What one worker has done.
#[derive(Default)]
struct Done {
    /// How often an attempt counted, by delivery, and how often it was the last.
    counted: BTreeMap<DeliveryId, (usize, usize)>,
    claims: usize,
    lost: usize,
}

/// Nothing beyond what is allowed, at any moment.
const TOO_MUCH: &str = "SELECT
    (SELECT count(*) FROM (SELECT webhook_id FROM webhook_delivery WHERE claim_id IS NOT NULL
         GROUP BY webhook_id HAVING count(*) > 16) AS webhooks)
    + (SELECT count(*) FROM (SELECT tenant_id FROM webhook_delivery WHERE claim_id IS NOT NULL
         GROUP BY tenant_id HAVING count(*) > 20) AS tenants)";

struct Worker {
    store: Store,
    rows: PgPool,
    dice: Dice,
    done: Done,
    /// What was begun under a claim that may have run out.
    late: Vec<SettledDelivery>,
}

impl Worker {
    /// Works until nothing is left to do.
    async fn work(mut self) -> Done {
        let mut idle = 0;
        while idle < 3 {
            let batch = self.claim().await;
            let too_much: i64 = sqlx::query_scalar(TOO_MUCH)
                .fetch_one(&self.rows)
                .await
                .unwrap();
            assert_eq!(too_much, 0, "more is under way than may be");
            if batch.claimed.is_empty() {
                let left = "SELECT count(*) FROM webhook_delivery WHERE state = 'pending'";
                let left: i64 = sqlx::query_scalar(left)
                    .fetch_one(&self.rows)
                    .await
                    .unwrap();
                idle = if left == 0 { idle + 1 } else { 0 };
                self.reclaim().await;
            }
            self.finish(batch).await;
        }
        self.done
    }

    async fn claim(&mut self) -> Batch {
        let all = 1 + self.dice.below(12);
        let room = DeliveryRoom {
            all: i64::try_from(all).unwrap(),
            again: i64::try_from(self.dice.below(all + 1)).unwrap(),
            per_tenant: SHARE,
        };
        // One in five dies with what it claimed: the lease is over at once.
        let dies = self.dice.below(5) == 0;
        let claim: Claim = if dies { past_claim() } else { claim() };
        let batch = claim_from(&self.store, claim, room).await;
        self.done.claims += usize::from(!batch.claimed.is_empty());
        batch
    }

    async fn reclaim(&self) {
        let mut tx = self.store.system("a test is a worker").await.unwrap();
        tx.reclaim_deliveries().await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Attempts it: some get through, some do not, and some are heard of when it is too late.
    async fn finish(&mut self, batch: Batch) {
        let mut settled = std::mem::take(&mut self.late);
        for one in &batch.claimed {
            let success = one.tries > 1 || self.dice.below(3) > 0;
            let mut attempt = attempt(one.id, batch.claim.id, success);
            attempt.retry_after = (!success).then_some(std::time::Duration::ZERO);
            if batch.claim.lease.is_zero() {
                self.late.push(attempt);
            } else {
                settled.push(attempt);
            }
        }
        if self.dice.below(4) == 0 {
            self.reclaim().await;
        }
        self.dice.shuffle(&mut settled);
        let (states, _) = settle_in(&self.store, &settled, 0.5).await.unwrap();
        for (one, state) in settled.iter().zip(states) {
            let Some(state) = state else {
                self.done.lost += 1;
                continue;
            };
            let counted = self.done.counted.entry(one.id).or_default();
            counted.0 += 1;
            counted.1 += usize::from(state == DeliveryState::Delivered);
        }
    }
}

async fn fill(queue: &Queue, other: Tenant) {
    for (number, count) in WAITING.into_iter().enumerate() {
        let tenant = if number == 2 { other } else { queue.tenant };
        let webhook = queue.hook_of(tenant, &["*"], true).await;
        queue.fill(webhook, count, true, 1.0).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_claims_and_whoever_dies_each_delivery_is_settled_once() {
    let queue = Queue::with_connections(12).await;
    let other = queue.world.tenant().await;
    fill(&queue, other).await;
    let begin = Arc::new(Barrier::new(usize::try_from(WORKERS).unwrap()));
    let mut workers = JoinSet::new();
    for seed in 0..WORKERS {
        let worker = Worker {
            store: queue.world.store.clone(),
            rows: queue.world.database.rows().clone(),
            dice: Dice::new(seed),
            done: Done::default(),
            late: Vec::new(),
        };
        let begin = Arc::clone(&begin);
        workers.spawn(async move {
            begin.wait().await;
            worker.work().await
        });
    }
    let mut counted: BTreeMap<DeliveryId, (usize, usize)> = BTreeMap::new();
    let (mut claims, mut lost) = (0, 0);
    for done in soon(workers.join_all()).await {
        claims += done.claims;
        lost += done.lost;
        for (id, (attempts, last)) in done.counted {
            let sum = counted.entry(id).or_default();
            *sum = (sum.0 + attempts, sum.1 + last);
        }
    }
    let sql = "SELECT id, jsonb_array_length(attempts)::bigint FROM webhook_delivery
               WHERE state = 'delivered' AND claim_id IS NULL";
    let rows: Vec<(uuid::Uuid, i64)> = sqlx::query_as(sql)
        .fetch_all(queue.world.database.rows())
        .await
        .unwrap();
    let all = usize::try_from(WAITING.iter().sum::<i32>()).unwrap();
    assert_eq!(rows.len(), all, "deliveries were lost");
    for (id, attempts) in &rows {
        let counted = counted.get(&DeliveryId::from(*id));
        let once = (usize::try_from(*attempts).unwrap(), 1);
        assert_eq!(counted, Some(&once), "{id}");
    }
    let ids: BTreeSet<_> = counted.keys().collect();
    assert_eq!(ids.len(), all);
    let attempts: usize = counted.values().map(|one| one.0).sum();
    let sums = "SELECT sum(delivered_count + failed_attempt_count)::bigint FROM webhook_state";
    let sums = queue.world.count(sums).await;
    assert_eq!(usize::try_from(sums).unwrap(), attempts);
    assert!(lost > 0, "nobody was too late");
    println!(
        r#"{{"test": "delivery_claims", "workers": {WORKERS}, "deliveries": {all}, "claims": {claims}, "attempts": {attempts}, "refused_late": {lost}, "lost": 0, "settled_twice": 0, "beyond_room": 0}}"#
    );
}
