//! Who is served when there is more to do than can be done.

use mf_domain::WebhookId;
use mf_store::DeliveryRoom;

use crate::queue::{Batch, Queue, ROOM};

const ONE: DeliveryRoom = DeliveryRoom { all: 1, ..ROOM };

impl Queue {
    async fn hooks(&self, count: usize) -> Vec<WebhookId> {
        let mut hooks = Vec::new();
        for _ in 0..count {
            hooks.push(self.hook().await);
        }
        hooks
    }

    /// Claims one at a time, so many times.
    async fn one_by_one(&self, times: usize, room: DeliveryRoom) -> Vec<Batch> {
        let mut batches = Vec::new();
        for _ in 0..times {
            batches.push(self.claim(DeliveryRoom { all: 1, ..room }).await);
        }
        batches
    }

    async fn allow(&self, webhook: WebhookId, allowance: i32) {
        sqlx::query("UPDATE webhook_state SET allowance = $1 WHERE webhook_id = $2")
            .bind(allowance)
            .bind(webhook.uuid())
            .execute(self.world.database.rows())
            .await
            .unwrap();
    }
}

fn of(batches: &[Batch], webhook: WebhookId) -> usize {
    batches.iter().map(|batch| batch.of(webhook)).sum()
}

#[tokio::test]
async fn ten_webhooks_with_one_each_do_not_wait_behind_one_with_fifty_thousand() {
    let queue = Queue::new().await;
    let much = queue.hook().await;
    queue.fill(much, 50_000, true, 600.0).await;
    let little = queue.hooks(10).await;
    for webhook in &little {
        queue.fill(*webhook, 1, true, 1.0).await;
    }
    let first = queue.claim(DeliveryRoom { all: 11, ..ROOM }).await;
    assert_eq!(first.claimed.len(), 11);
    for webhook in &little {
        assert_eq!(first.of(*webhook), 1);
    }
    // With nobody else there, it gets what it may have.
    let rest = queue.claim(ROOM).await;
    assert_eq!((rest.claimed.len(), rest.of(much)), (15, 15));
    assert!(queue.claim(ROOM).await.claimed.is_empty());
}

#[tokio::test]
async fn nor_do_they_where_one_can_be_claimed_at_a_time() {
    let queue = Queue::new().await;
    let much = queue.hook().await;
    queue.fill(much, 500, true, 600.0).await;
    let little = queue.hooks(10).await;
    for webhook in &little {
        queue.fill(*webhook, 1, true, 1.0).await;
    }
    let batches = queue.one_by_one(11, ROOM).await;
    assert_eq!(of(&batches, much), 1);
    for webhook in little {
        assert_eq!(of(&batches, webhook), 1);
    }
}

#[tokio::test]
async fn a_webhook_never_has_more_under_way_than_it_may() {
    let queue = Queue::new().await;
    let [any, slow] = queue.hooks(2).await[..] else {
        unreachable!()
    };
    queue.allow(slow, 3).await;
    for webhook in [any, slow] {
        queue.fill(webhook, 50, true, 1.0).await;
        queue.fill(webhook, 50, false, 1.0).await;
    }
    let batch = queue.claim(ROOM).await;
    assert_eq!((batch.of(any), batch.of(slow)), (16, 3));
    assert!(queue.claim(ROOM).await.claimed.is_empty());
    // Whatever somebody wrote there: never more than that.
    queue.allow(any, 100).await;
    assert!(queue.claim(ROOM).await.claimed.is_empty());
    // What is over makes room for as much.
    let over: Vec<_> = batch.delivered().into_iter().take(5).collect();
    queue.settle(&over).await;
    queue.allow(slow, 3).await;
    assert_eq!(queue.claim(ROOM).await.claimed.len(), 5);
}

#[tokio::test]
async fn a_tenant_never_has_more_under_way_than_its_share_whose_last_quarter_is_for_idle_webhooks()
{
    let queue = Queue::new().await;
    for webhook in queue.hooks(6).await {
        queue.fill(webhook, 20, true, 1.0).await;
    }
    let room = DeliveryRoom {
        per_tenant: 20,
        ..ROOM
    };
    let some = queue.claim(DeliveryRoom { all: 7, ..room }).await;
    assert_eq!(some.claimed.len(), 7);
    let rest = queue.claim(room).await;
    assert_eq!(rest.claimed.len(), 8);
    assert!(queue.claim(room).await.claimed.is_empty());
    for webhook in queue.hooks(6).await {
        queue.fill(webhook, 20, true, 1.0).await;
    }
    let idle = queue.claim(room).await;
    assert_eq!(idle.claimed.len(), 5);
    assert!(queue.claim(room).await.claimed.is_empty());
    queue.settle(&some.delivered()).await;
    queue.settle(&idle.delivered()).await;
    // One of each that has nothing under way, up to the whole share.
    assert_eq!(queue.claim(room).await.claimed.len(), 7);
}

#[tokio::test]
async fn what_is_tried_again_takes_no_more_than_its_share_and_leaves_the_rest_to_first_attempts() {
    let queue = Queue::new().await;
    for webhook in queue.hooks(4).await {
        queue.fill(webhook, 20, false, 600.0).await;
        queue.fill(webhook, 20, true, 1.0).await;
    }
    let none = DeliveryRoom { again: 0, ..ROOM };
    let batch = queue.claim(DeliveryRoom { all: 8, ..none }).await;
    assert_eq!((batch.claimed.len(), batch.fresh()), (8, 8));
    let few = DeliveryRoom {
        all: 40,
        again: 3,
        ..ROOM
    };
    let batch = queue.claim(few).await;
    assert_eq!((batch.claimed.len(), batch.fresh()), (40, 37));
}

/// In a claim of many; and one by one, where each time the same could win.
#[tokio::test]
async fn first_attempts_and_others_are_made_in_turns() {
    let queue = Queue::new().await;
    let [one, two] = queue.hooks(2).await[..] else {
        unreachable!()
    };
    for (webhook, older) in [(one, true), (two, false)] {
        queue.fill(webhook, 50, older, 600.0).await;
        queue.fill(webhook, 50, !older, 1.0).await;
    }
    let batch = queue.claim(ROOM).await;
    for webhook in [one, two] {
        assert_eq!(batch.of(webhook), 16);
    }
    assert_eq!(batch.fresh(), 16);
    // Of those that are over, others take the places, whichever they were.
    for _ in 0..3 {
        let over: Vec<_> = batch.delivered().into_iter().take(10).collect();
        queue.settle(&over).await;
        queue.claim(ROOM).await;
        assert_eq!(under_way(&queue, one).await, (8, 8));
        assert_eq!(under_way(&queue, two).await, (8, 8));
    }
}

/// How many first attempts of a webhook are under way, and how many others.
async fn under_way(queue: &Queue, webhook: WebhookId) -> (i64, i64) {
    let sql = "SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh)
               FROM webhook_delivery WHERE webhook_id = $1 AND claim_id IS NOT NULL";
    let counts = sqlx::query_as(sql).bind(webhook.uuid());
    counts.fetch_one(queue.world.database.rows()).await.unwrap()
}

#[tokio::test]
async fn where_there_is_room_for_one_it_is_for_what_has_waited_longest() {
    for older in [true, false] {
        let queue = Queue::new().await;
        let webhook = queue.hook().await;
        queue.allow(webhook, 1).await;
        queue.fill(webhook, 50, older, 600.0).await;
        queue.fill(webhook, 50, !older, 1.0).await;
        let batch = queue.claim(ROOM).await;
        assert_eq!(batch.claimed.len(), 1);
        assert_eq!(batch.claimed[0].fresh, older);
        // And room for two is for one of each.
        queue.allow(webhook, 2).await;
        let batch = queue.claim(ROOM).await;
        assert_eq!(batch.claimed[0].fresh, !older);
    }
}

#[tokio::test]
async fn a_tenant_with_nine_tenths_of_the_queue_gets_no_more_than_another() {
    let queue = Queue::new().await;
    let other = queue.world.tenant().await;
    for webhook in queue.hooks(9).await {
        queue.fill(webhook, 100, true, 600.0).await;
    }
    let modest = queue.hook_of(other, &["*"], true).await;
    queue.fill(modest, 100, true, 1.0).await;
    let batch = queue.claim(DeliveryRoom { all: 20, ..ROOM }).await;
    assert_eq!((batch.claimed.len(), batch.of(modest)), (20, 10));
    // One at a time as well.
    let batches = queue.one_by_one(10, ROOM).await;
    assert_eq!(of(&batches, modest), 5);
    // And when all that was under way is over.
    queue.settle(&batch.delivered()).await;
    let batch = queue.claim(DeliveryRoom { all: 10, ..ROOM }).await;
    assert_eq!(batch.of(modest), 5);
}

#[tokio::test]
async fn what_waits_for_a_webhook_that_is_off_or_blocked_is_not_claimed() {
    let queue = Queue::new().await;
    let [off, blocked, on] = queue.hooks(3).await[..] else {
        unreachable!()
    };
    for webhook in [off, blocked, on] {
        queue.fill(webhook, 20, true, 600.0).await;
    }
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    tx.webhooks().switch_off(off, "gone", 0).await.unwrap();
    tx.commit().await.unwrap();
    sqlx::query(
        "UPDATE webhook_state SET blocked_until = now() + interval '1 minute'
         WHERE webhook_id = $1",
    )
    .bind(blocked.uuid())
    .execute(queue.world.database.rows())
    .await
    .unwrap();
    let batch = queue.claim(ROOM).await;
    assert_eq!((batch.claimed.len(), batch.of(on)), (16, 16));
}

/// The order among first attempts of a webhook is the order in which it came to be.
#[tokio::test]
async fn first_attempts_are_made_in_the_order_of_events() {
    let queue = Queue::new().await;
    queue.hook().await;
    let mut told = Vec::new();
    for _ in 0..6 {
        told.push(queue.tell().await);
    }
    let batches = queue.one_by_one(6, ONE).await;
    let claimed: Vec<_> = batches.iter().map(|one| one.claimed[0].event_id).collect();
    assert_eq!(claimed, told);
}
