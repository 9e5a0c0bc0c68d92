//! A delivery is made with its event, and settled once, by whoever holds it.

use chrono::{DateTime, Utc};
use mf_domain::{DeliveryState, EventId, EventName};
use mf_store::SettledDelivery;
use mf_test_support::soon;
use serde_json::json;
use sqlx::Connection as _;

use crate::{
    queue::{Batch, MINUTE, Queue, ROOM, WAITS, news, settle_in},
    support::past_claim,
};

use DeliveryState::{Dead, Delivered, Pending};

/// The events that wait for a webhook each, in the order in which they happened.
async fn waiting(queue: &Queue) -> Vec<(u128, u128)> {
    let sql = "SELECT webhook_id, event_id FROM webhook_delivery ORDER BY event_at, webhook_id";
    let rows: Vec<(uuid::Uuid, uuid::Uuid)> = sqlx::query_as(sql)
        .fetch_all(queue.world.database.rows())
        .await
        .unwrap();
    rows.iter()
        .map(|(webhook, event)| (webhook.as_u128(), event.as_u128()))
        .collect()
}

fn pair(webhook: mf_domain::WebhookId, event: EventId) -> (u128, u128) {
    (webhook.uuid().as_u128(), event.uuid().as_u128())
}

#[tokio::test]
async fn an_event_waits_for_each_webhook_that_wants_it_and_for_no_other() {
    let queue = Queue::new().await;
    let stranger = queue.world.tenant().await;
    let all = queue.hook().await;
    let some = ["message.received", "message.sent"];
    let some = queue.hook_of(queue.tenant, &some, true).await;
    let other = queue.hook_of(queue.tenant, &["message.sent"], true).await;
    queue.hook_of(queue.tenant, &["*"], false).await;
    let theirs = queue.hook_of(stranger, &["*"], true).await;

    let received = queue.tell().await;
    let sent = queue.tell_of(queue.tenant, EventName::MessageSent).await;
    let read = queue.tell_of(queue.tenant, EventName::MessageRead).await;
    let of_strangers = queue.tell_of(stranger, EventName::MessageRead).await;
    assert_eq!(
        waiting(&queue).await,
        [
            pair(all, received),
            pair(some, received),
            pair(all, sent),
            pair(some, sent),
            pair(other, sent),
            pair(all, read),
            pair(theirs, of_strangers),
        ]
    );
}

#[tokio::test]
async fn neither_an_event_nor_its_deliveries_are_left_of_what_was_not_committed() {
    let queue = Queue::new().await;
    queue.hook().await;
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let event = news(EventName::MessageReceived);
    tx.events().append(&event).await.unwrap();
    let view = "SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM webhook_delivery)";
    assert_eq!(queue.world.count(view).await, 0, "not before the commit");
    drop(tx);
    // Behind it on the same connection: it is over.
    let told = queue.tell().await;
    assert_eq!(queue.world.count(view).await, 2);
    let batch = queue.claim(ROOM).await;
    assert_eq!(batch.claimed.len(), 1);
    assert_eq!(batch.claimed[0].event_id, told);
}

#[tokio::test]
async fn whoever_claims_a_delivery_has_all_that_is_to_be_sent_and_where() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    let event = queue.tell().await;
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let rotated = tx
        .webhooks()
        .rotate_secret(webhook, b"new", MINUTE, false)
        .await;
    rotated.unwrap().unwrap();
    tx.commit().await.unwrap();
    let batch = queue.claim_with(past_claim()).await;
    let [one] = &batch.claimed[..] else {
        panic!("{:?}", batch.claimed);
    };
    assert_eq!(one.tenant, queue.tenant);
    assert_eq!((one.webhook_id, one.event_id), (webhook, event));
    assert_eq!(one.url, "https://example.com/");
    assert_eq!(one.event_name, "message.received");
    assert_eq!(
        one.body.as_deref(),
        Some(&*format!(r#"{{"id":"{event}"}}"#))
    );
    assert_eq!((one.tries, one.fresh), (0, true));
    assert_eq!(one.secret, b"new");
    assert_eq!(one.previous_secret.as_deref(), Some(&b"sealed"[..]));
    assert!(!format!("{one:?}").contains("example"), "{one:?}");

    // What the log holds no longer cannot be sent, and an old secret counts for a while.
    queue
        .world
        .run("DELETE FROM event; UPDATE webhook SET previous_until = now()")
        .await;
    assert_eq!(queue.reclaim().await, 1);
    let batch = queue.claim(ROOM).await;
    assert_eq!(batch.claimed[0].body, None);
    assert_eq!(batch.claimed[0].previous_secret, None);
    assert_eq!(batch.claimed[0].event_id, event);
}

#[tokio::test]
async fn a_claim_that_ran_out_and_was_taken_by_another_has_nothing_to_say() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    queue.tell().await;
    queue.tell().await;
    let late = queue.claim_with(past_claim()).await;
    assert_eq!(late.claimed.len(), 2);
    assert_eq!(queue.reclaim().await, 2);
    let holds = queue.claim(ROOM).await;
    assert_eq!(late.ids(), holds.ids());

    let before = queue.rows().await;
    assert_eq!(queue.settle(&late.delivered()).await, [None, None]);
    assert_eq!(queue.settle(&late.failed()).await, [None, None]);
    release(&queue, &late).await;
    assert_eq!(queue.rows().await, before);
    let webhook = queue.webhook(webhook).await;
    assert_eq!((webhook.delivered_count, webhook.failure_count), (0, 0));

    // One batch has what the process did under a claim that it lost, and under the next.
    let mut both = late.failed();
    both.extend(holds.delivered());
    let settled = queue.settle(&both).await;
    assert_eq!(settled, [None, None, Some(Delivered), Some(Delivered)]);
    let webhook = queue.webhook(webhook.id).await;
    assert_eq!((webhook.delivered_count, webhook.failure_count), (2, 0));
}

async fn release(queue: &Queue, batch: &Batch) {
    let mut tx = queue.world.store.system("a test").await.unwrap();
    tx.release_claims(&[batch.claim.id]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_claim_that_ran_out_has_nothing_to_say_even_if_nobody_took_it() {
    let queue = Queue::new().await;
    queue.hook().await;
    queue.tell().await;
    let late = queue.claim_with(past_claim()).await;
    assert_eq!(queue.reclaim().await, 1);
    let before = queue.rows().await;
    assert_eq!(queue.settle(&late.delivered()).await, [None]);
    assert_eq!(queue.settle(&late.failed()).await, [None]);
    assert_eq!(queue.rows().await, before);
    // And it is still a first attempt.
    let next = queue.claim(ROOM).await;
    assert_eq!((next.ids(), next.fresh()), (late.ids(), 1));
}

#[tokio::test]
async fn an_attempt_counts_once_however_often_it_is_written_down() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    queue.tell().await;
    let batch = queue.claim(ROOM).await;
    let settled = batch.delivered();
    assert_eq!(queue.settle(&settled).await, [Some(Delivered)]);
    let before = queue.rows().await;
    assert_eq!(queue.settle(&settled).await, [None]);
    assert_eq!(queue.settle(&batch.failed()).await, [None]);
    assert_eq!(queue.rows().await, before);
    let webhook = queue.webhook(webhook).await;
    assert_eq!(webhook.delivered_count, 1);
    assert_eq!(
        (webhook.failure_count, webhook.failed_attempt_count),
        (0, 0)
    );
}

/// As where the answer to a commit was lost.
#[tokio::test]
async fn what_was_not_begun_goes_back_and_is_claimed_again_at_once() {
    let queue = Queue::new().await;
    queue.hook().await;
    queue.tell().await;
    queue.claim(ROOM).await;
    queue.tell().await;
    let batch = queue.claim(ROOM).await;
    assert!(queue.claim(ROOM).await.claimed.is_empty());
    assert_eq!(queue.reclaim().await, 0, "its lease has not run out");
    release(&queue, &batch).await;
    let next = queue.claim(ROOM).await;
    assert_eq!((next.ids(), next.fresh()), (batch.ids(), 1));
}

/// As in a process that is stopped, or cut off, with its transaction open.
#[tokio::test]
async fn whoever_stops_in_the_middle_of_a_claim_holds_nobody_up_for_long() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    queue.fill(webhook, 10, true, 1.0).await;
    let some = mf_store::DeliveryRoom { all: 4, ..ROOM };
    let mut stopped = queue.world.store.system("a test").await.unwrap();
    let held = stopped.claim_deliveries(past_claim(), some).await.unwrap();
    assert_eq!(held.len(), 4);
    let batch = soon(queue.claim(ROOM)).await;
    assert_eq!(
        batch.claimed.len(),
        6,
        "the others are not lost, nor told twice"
    );
    drop(stopped);
    assert_eq!(queue.claim(ROOM).await.claimed.len(), 4);
}

/// A process shows that it lives by a lock, which PostgreSQL takes from the dead.
#[tokio::test]
async fn what_a_dead_process_held_is_given_back_at_once_and_what_a_living_one_holds_is_not() {
    let queue = Queue::new().await;
    queue.hook().await;
    for _ in 0..3 {
        queue.tell().await;
    }
    let mut batches = Vec::new();
    for _ in 0..3 {
        let one = mf_store::DeliveryRoom { all: 1, ..ROOM };
        batches.push(queue.claim(one).await);
    }
    let mut living = sqlx::PgConnection::connect(&queue.world.database.url())
        .await
        .unwrap();
    sqlx::raw_sql("SELECT pg_advisory_lock(x'6d66'::int, 7)")
        .execute(&mut living)
        .await
        .unwrap();
    // The first is unsigned, and has its lease.
    for (batch, holder) in batches[1..].iter().zip([7, 8]) {
        sqlx::query("UPDATE webhook_delivery SET holder = $1 WHERE id = $2")
            .bind(holder)
            .bind(batch.ids()[0].uuid())
            .execute(queue.world.database.rows())
            .await
            .unwrap();
    }
    assert_eq!(queue.reclaim().await, 1);
    assert_eq!(queue.claim(ROOM).await.ids(), batches[2].ids());
    assert_eq!(
        queue.settle(&batches[1].delivered()).await,
        [Some(Delivered)]
    );
    assert_eq!(queue.settle(&batches[2].delivered()).await, [None]);
}

#[tokio::test]
async fn a_process_signs_its_claims_and_never_takes_back_its_own() {
    let queue = Queue::new().await;
    queue.hook().await;
    queue.tell().await;
    queue.tell().await;
    let signed = "SELECT count(*) FROM webhook_delivery WHERE holder IS NOT NULL";
    let peers = queue.world.store.join_peers().await.unwrap();
    let one = mf_store::DeliveryRoom { all: 1, ..ROOM };
    let batch = queue.claim(one).await;
    assert_eq!(queue.world.count(signed).await, 1);
    drop(peers);
    // Its lock is lost. It lives all the same, and signs nothing until it has it again.
    assert_eq!(queue.reclaim().await, 0);
    queue.claim(one).await;
    assert_eq!(queue.world.count(signed).await, 1);
    assert_eq!(queue.settle(&batch.delivered()).await, [Some(Delivered)]);
    assert_eq!(queue.world.count(signed).await, 0);
}

#[tokio::test]
async fn the_log_of_a_delivery_keeps_its_newest_attempts_under_their_numbers() {
    let queue = Queue::new().await;
    queue.hook().await;
    queue.tell().await;
    let mut id = None;
    for number in 1..=25 {
        // As if it were due.
        queue
            .world
            .run(
                "UPDATE webhook_delivery SET next_at = now();
                 UPDATE webhook_state SET blocked_until = NULL",
            )
            .await;
        let batch = queue.claim(ROOM).await;
        assert_eq!(batch.claimed[0].tries, number - 1);
        let mut settled = batch.failed();
        settled[0].response = Some(format!("answer {number}"));
        assert_eq!(queue.settle(&settled).await, [Some(Pending)]);
        id = Some(batch.ids()[0]);
    }
    let id = id.unwrap();
    let delivery = queue.delivery(id).await;
    let numbers: Vec<i32> = delivery.attempts.iter().map(|one| one.number).collect();
    assert_eq!(numbers, (6..=25).collect::<Vec<_>>());
    let last = delivery.attempts.last().unwrap();
    assert_eq!(last.response.as_deref(), Some("answer 25"));
    assert_eq!(last.error.as_deref(), Some("The endpoint answered 500"));
    assert_eq!(
        (last.status_code, last.at),
        (Some(500), DateTime::<Utc>::UNIX_EPOCH)
    );
    assert!((last.latency_ms - 20.0).abs() < 0.01);
    assert!(delivery.next_at.is_some());

    // A replay has its retries before it again, and goes on counting.
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    assert!(tx.deliveries().replay(id).await.unwrap());
    tx.commit().await.unwrap();
    queue
        .world
        .run("UPDATE webhook_state SET blocked_until = NULL")
        .await;
    let batch = queue.claim(ROOM).await;
    assert_eq!((batch.claimed[0].tries, batch.claimed[0].fresh), (0, false));
    assert_eq!(queue.settle(&batch.delivered()).await, [Some(Delivered)]);
    let delivery = queue.delivery(id).await;
    assert_eq!((delivery.attempts.len(), delivery.tries), (20, 1));
    assert_eq!(delivery.attempts.last().unwrap().number, 26);
    assert_eq!(delivery.next_at, None);
    assert!(delivery.finished_at.is_some());
}

/// What strangers answer may be anything. It never keeps others' answers from being written down.
#[tokio::test]
async fn whatever_an_endpoint_answers_is_written_down_as_far_as_it_can_be() {
    let queue = Queue::new().await;
    queue.hook().await;
    let answers = [
        "\0",
        "a\0b\0",
        r#"\u0000 \ud800 "quoted" \"#,
        "\u{feff}\u{202e}\u{ffff}\u{10ffff}",
        "{\"a\": [",
        "",
    ];
    for _ in answers {
        queue.tell().await;
    }
    let batch = queue.claim(ROOM).await;
    let mut settled = batch.failed();
    for (one, answer) in settled.iter_mut().zip(answers) {
        one.response = Some(answer.to_owned());
        one.error = Some(format!("error {answer}"));
    }
    // A status that PostgreSQL's smaller integers could not hold.
    settled[0].status_code = Some(u16::MAX);
    assert_eq!(queue.settle(&settled).await, [Some(Pending); 6]);
    for (one, answer) in settled.iter().zip(answers) {
        let delivery = queue.delivery(one.id).await;
        let kept = answer.replace('\0', "\u{fffd}");
        assert_eq!(delivery.attempts[0].response.as_ref(), Some(&kept));
        let kept = format!("error {kept}");
        assert_eq!(delivery.attempts[0].error, Some(kept));
    }
    let first = queue.delivery(settled[0].id).await;
    assert_eq!(first.attempts[0].status_code, Some(u16::MAX));
}

#[tokio::test]
async fn of_a_last_attempt_that_failed_a_delivery_is_dead_and_kept() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    let event = queue.tell().await;
    let batch = queue.claim(ROOM).await;
    let mut settled = batch.failed();
    settled[0].retry_after = None;
    assert_eq!(queue.settle(&settled).await, [Some(Dead)]);
    let delivery = queue.delivery(settled[0].id).await;
    assert_eq!((delivery.event_id, delivery.next_at), (event, None));
    assert!(delivery.finished_at.is_some());
    assert!(queue.claim(ROOM).await.claimed.is_empty());
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let counts = tx.deliveries().counts(webhook).await.unwrap();
    assert_eq!((counts.pending, counts.dead), (0, 1));
    assert_eq!(counts.oldest_pending_at, None);
    let body = tx.deliveries().body(settled[0].id).await.unwrap();
    assert_eq!(body, Some(json!({ "id": event }).to_string()));
}

#[tokio::test]
async fn the_queue_says_how_much_waits_and_for_how_long() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    queue.fill(webhook, 3, true, 99.0).await;
    queue.fill(webhook, 2, false, -600.0).await;
    queue.tell().await;
    let claimed = queue.claim(mf_store::DeliveryRoom { all: 1, ..ROOM }).await;
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let counts = tx.deliveries().counts(webhook).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((counts.pending, counts.dead), (6, 0));
    let oldest = queue.delivery(claimed.ids()[0]).await;
    assert_eq!(counts.next_attempt_at, oldest.next_at);
    let mut tx = queue.world.store.system("a test").await.unwrap();
    let depth = tx.delivery_queue_depth(100).await.unwrap();
    assert_eq!((depth.fresh, depth.again, depth.claimed), (3, 2, 1));
    assert!((90.0..900.0).contains(&depth.lag_seconds), "{depth:?}");

    // Of all webhooks together no more than so much, and still the oldest of all.
    for seconds in [9.0, 2000.0] {
        let other = queue.hook().await;
        queue.fill(other, 30, true, seconds).await;
        queue.fill(other, 30, false, 1.0).await;
    }
    let depth = tx.delivery_queue_depth(40).await.unwrap();
    assert_eq!((depth.fresh, depth.again, depth.claimed), (40, 40, 1));
    assert!((1990.0..2900.0).contains(&depth.lag_seconds), "{depth:?}");
}

#[tokio::test]
async fn a_webhook_that_is_deleted_under_way_takes_everything_with_it() {
    let queue = Queue::new().await;
    let gone = queue.hook().await;
    let stays = queue.hook().await;
    queue.tell().await;
    let batch = queue.claim(ROOM).await;
    assert_eq!(batch.claimed.len(), 2);
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    assert!(tx.webhooks().delete(gone).await.unwrap());
    tx.commit().await.unwrap();
    let settled = queue.settle(&batch.delivered()).await;
    let expected = batch.claimed.iter().map(|one| {
        let counts = one.webhook_id == stays;
        counts.then_some(Delivered)
    });
    assert_eq!(settled, expected.collect::<Vec<_>>());
    let left = "SELECT (SELECT count(*) FROM webhook_delivery) * 10
                    + (SELECT count(*) FROM webhook_state)";
    assert_eq!(queue.world.count(left).await, 11);
}

/// Each waits for the other's rows in the order in which the other takes them.
#[tokio::test]
async fn who_deletes_webhooks_and_who_settles_for_them_do_not_stop_each_other() {
    let queue = Queue::with_connections(8).await;
    for _ in 0..10 {
        let webhook = queue.hook().await;
        queue.fill(webhook, 12, true, 1.0).await;
        let batch = queue.claim(ROOM).await;
        assert_eq!(batch.claimed.len(), 12);
        let mut settled = batch.delivered();
        // Not in the order in which the rows are deleted.
        settled.reverse();
        let (store, tenant) = (queue.world.store.clone(), queue.tenant);
        let delete = tokio::spawn(async move {
            let mut tx = store.begin(tenant).await?;
            let gone = tx.webhooks().delete(webhook).await?;
            tx.commit().await?;
            Ok::<_, mf_store::StoreError>(gone)
        });
        let halves: Vec<&[SettledDelivery]> = settled.chunks(4).collect();
        let store = &queue.world.store;
        let (one, two, three) = tokio::join!(
            settle_in(store, halves[0], 0.5),
            settle_in(store, halves[1], 0.5),
            settle_in(store, halves[2], 0.5),
        );
        for written in [one, two, three] {
            // All of it, or nothing.
            let (states, _) = written.unwrap();
            assert!(
                states == [Some(Delivered); 4] || states == [None; 4],
                "{states:?}"
            );
        }
        assert!(delete.await.unwrap().unwrap());
    }
    assert_eq!(
        queue
            .world
            .count("SELECT count(*) FROM webhook_delivery")
            .await,
        0
    );
}

/// The same, one step at a time, whoever comes first.
#[tokio::test]
async fn a_deletion_and_a_settlement_wait_for_each_other() {
    for deletes_first in [true, false] {
        let queue = Queue::new().await;
        let webhook = queue.hook().await;
        queue.fill(webhook, 3, true, 1.0).await;
        let settled = queue.claim(ROOM).await.delivered();
        let mut deleting = queue.world.store.begin(queue.tenant).await.unwrap();
        let mut settling = queue.world.store.system("a test").await.unwrap();
        let waits = async { while queue.world.count(WAITS).await == 0 {} };
        let states = if deletes_first {
            assert!(deleting.webhooks().delete(webhook).await.unwrap());
            let (states, ()) = tokio::join!(settling.settle_deliveries(&settled, 0.5), async {
                soon(waits).await;
                deleting.commit().await.unwrap();
            });
            let states = states.unwrap().0;
            settling.commit().await.unwrap();
            states
        } else {
            let states = settling.settle_deliveries(&settled, 0.5).await.unwrap().0;
            let (gone, ()) = tokio::join!(deleting.webhooks().delete(webhook), async {
                soon(waits).await;
                settling.commit().await.unwrap();
            });
            assert!(gone.unwrap());
            deleting.commit().await.unwrap();
            states
        };
        let state = (!deletes_first).then_some(Delivered);
        assert_eq!(states, [state; 3]);
        assert_eq!(queue.settle(&settled).await, [None; 3]);
        assert_eq!(queue.rows().await, [""; 0]);
    }
}

/// What an event tells of is not lost because somebody removes a webhook at that moment.
#[tokio::test]
async fn an_event_that_is_told_while_a_webhook_is_deleted_waits_for_the_others_only() {
    let queue = Queue::new().await;
    let gone = queue.hook().await;
    let stays = queue.hook().await;
    let mut deleting = queue.world.store.begin(queue.tenant).await.unwrap();
    assert!(deleting.webhooks().delete(gone).await.unwrap());
    let waits = async { while queue.world.count(WAITS).await == 0 {} };
    let (event, ()) = tokio::join!(queue.tell(), async {
        soon(waits).await;
        deleting.commit().await.unwrap();
    });
    assert_eq!(waiting(&queue).await, [pair(stays, event)]);
}

#[tokio::test]
async fn an_event_that_is_told_while_a_webhook_is_switched_off_waits_for_it_or_not_at_all() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    let mut telling = queue.world.store.begin(queue.tenant).await.unwrap();
    let before = news(EventName::MessageReceived);
    telling.events().append(&before).await.unwrap();
    // Neither waits for the other.
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let off = tx.webhooks().switch_off(webhook, "gone", 0);
    assert!(soon(off).await.unwrap().is_some());
    tx.commit().await.unwrap();
    let after = news(EventName::MessageReceived);
    telling.events().append(&after).await.unwrap();
    telling.commit().await.unwrap();
    assert_eq!(waiting(&queue).await, [pair(webhook, before.id)]);
    assert!(queue.claim(ROOM).await.claimed.is_empty());
}
