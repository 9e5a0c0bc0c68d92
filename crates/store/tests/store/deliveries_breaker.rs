//! What becomes of a webhook that fails, and when it works again.

use std::time::Duration;

use mf_domain::WebhookId;
use mf_store::{SettledDelivery, WebhookPatch};

use crate::queue::{MINUTE, Queue, ROOM, settle_in};

impl Queue {
    /// Claims what can be claimed, and settles that.
    async fn attempt_all(&self, success: bool) -> usize {
        let batch = self.claim(ROOM).await;
        let settled = if success {
            batch.delivered()
        } else {
            batch.failed()
        };
        self.settle(&settled).await;
        settled.len()
    }

    /// A number of how a webhook stands.
    async fn state(&self, sql: &'static str) -> i64 {
        self.world.count(sql).await
    }

    async fn allowance(&self) -> i64 {
        let sql = "SELECT allowance::bigint FROM webhook_state";
        self.state(sql).await
    }

    /// How many seconds the webhook is blocked for. Time passes meanwhile, but little.
    async fn blocked_for(&self) -> i64 {
        let sql = "SELECT coalesce(ceil(extract(epoch FROM blocked_until - now())), 0)::bigint
                   FROM webhook_state";
        self.state(sql).await
    }

    async fn end_block(&self) {
        self.world
            .run("UPDATE webhook_state SET blocked_until = now()")
            .await;
    }
}

#[track_caller]
fn about(seconds: i64, expected: i64) {
    let range = (expected - 8)..=expected;
    assert!(range.contains(&seconds), "{seconds} s, not {expected} s");
}

/// A webhook for which much waits.
async fn scene() -> (Queue, WebhookId) {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    queue.fill(webhook, 200, true, 1.0).await;
    (queue, webhook)
}

#[tokio::test]
async fn ten_failures_in_a_row_block_a_webhook_and_nine_do_not() {
    let (queue, webhook) = scene().await;
    let mut settled = queue.claim(ROOM).await.failed();
    let last = settled.split_off(9);
    queue.settle(&settled).await;
    assert_eq!(queue.webhook(webhook).await.failure_count, 9);
    assert_eq!(queue.blocked_for().await, 0);
    assert_eq!(queue.allowance().await, 16);
    queue.settle(&last[..1]).await;
    about(queue.blocked_for().await, 30);
    assert_eq!(queue.allowance().await, 1);
    let found = queue.webhook(webhook).await;
    assert_eq!(found.failure_count, 10);
    assert_eq!(
        found.last_error.as_deref(),
        Some("The endpoint answered 500")
    );
    assert!(queue.claim(ROOM).await.claimed.is_empty());
}

#[tokio::test]
async fn a_success_among_failures_begins_the_count_anew() {
    let (queue, webhook) = scene().await;
    let batch = queue.claim(ROOM).await;
    // In the order in which they ended, and not in which they are told.
    let mut settled = batch.failed();
    settled[2] = batch.delivered()[2].clone();
    for (one, seconds) in settled.iter_mut().zip(0..) {
        one.at += Duration::from_secs(seconds);
    }
    settled[2].at += Duration::from_millis(7500);
    queue.settle(&settled).await;
    let found = queue.webhook(webhook).await;
    assert_eq!(found.failure_count, 6, "those after it");
    assert_eq!(queue.blocked_for().await, 0);
    assert!(found.last_delivery_at.is_some());
    let more = queue.claim(ROOM).await.failed();
    queue.settle(&more[..3]).await;
    assert_eq!(queue.blocked_for().await, 0);
    queue.settle(&more[3..4]).await;
    about(queue.blocked_for().await, 30);
}

#[tokio::test]
async fn failures_after_a_success_block_within_one_batch() {
    let (queue, webhook) = scene().await;
    let batch = queue.claim(ROOM).await;
    let mut settled = batch.failed();
    settled[0] = batch.delivered()[0].clone();
    for one in &mut settled[1..] {
        one.at += MINUTE;
    }
    queue.settle(&settled).await;
    let found = queue.webhook(webhook).await;
    assert_eq!((found.failure_count, found.delivered_count), (15, 1));
    about(queue.blocked_for().await, 30);
}

#[tokio::test]
async fn each_block_is_twice_as_long_up_to_five_minutes_until_something_gets_through() {
    let (queue, webhook) = scene().await;
    assert_eq!(queue.attempt_all(false).await, 16);
    about(queue.blocked_for().await, 30);
    for seconds in [60, 120, 240, 300, 300] {
        queue.end_block().await;
        // One is let through to see.
        assert_eq!(queue.attempt_all(false).await, 1);
        about(queue.blocked_for().await, seconds);
    }
    queue.end_block().await;
    assert_eq!(queue.attempt_all(true).await, 1);
    assert_eq!(queue.blocked_for().await, 0);
    let found = queue.webhook(webhook).await;
    assert_eq!(found.failure_count, 0);
    assert_eq!((found.last_error, found.failing_since), (None, None));

    // Then more, with each that gets through, and not all at once.
    let mut under_way = 2;
    while under_way < 16 {
        let more = queue.attempt_all(true).await;
        assert_eq!(more, under_way);
        under_way = (under_way * 2).min(16);
    }
    // And the next block is short again.
    assert_eq!(queue.attempt_all(false).await, 16);
    about(queue.blocked_for().await, 30);
}

#[tokio::test]
async fn what_was_under_way_together_blocks_once() {
    let (queue, _) = scene().await;
    let settled = queue.claim(ROOM).await.failed();
    for batch in [&settled[..10], &settled[10..12], &settled[12..]] {
        queue.settle(batch).await;
        about(queue.blocked_for().await, 30);
    }
    let blocks = "SELECT block_count::bigint FROM webhook_state";
    assert_eq!(queue.state(blocks).await, 1);
    assert_eq!(queue.allowance().await, 1);
}

#[tokio::test]
async fn blocks_differ_by_chance_so_that_endpoints_are_not_tried_all_at_once() {
    let mut lengths = Vec::new();
    for chance in [0.0, 1.0] {
        let (queue, _) = scene().await;
        let settled = queue.claim(ROOM).await.failed();
        let store = &queue.world.store;
        settle_in(store, &settled, chance).await.unwrap();
        lengths.push(queue.blocked_for().await);
    }
    about(lengths[0], 24);
    about(lengths[1], 36);
}

#[tokio::test]
async fn an_endpoint_that_asks_for_a_pause_gets_it_and_half_as_much_after() {
    let (queue, webhook) = scene().await;
    let batch = queue.claim(ROOM).await;
    let mut settled = batch.failed();
    for one in &mut settled {
        one.status_code = Some(429);
        one.pause = Some(MINUTE);
    }
    let asked = |range: std::ops::Range<usize>| settled[range].to_vec();
    queue.settle(&asked(0..1)).await;
    about(queue.blocked_for().await, 60);
    assert_eq!(queue.allowance().await, 8);
    // The others were under way when it asked. The longest counts.
    let mut longer = asked(1..4);
    longer[1].pause = Some(MINUTE * 5);
    queue.settle(&longer).await;
    about(queue.blocked_for().await, 300);
    queue.settle(&asked(4..9)).await;
    about(queue.blocked_for().await, 300);
    assert_eq!(queue.allowance().await, 8);
    // Nor does one that got through, from before the pause, end it.
    queue.settle(&batch.delivered()[9..11]).await;
    about(queue.blocked_for().await, 300);
    assert!(queue.claim(ROOM).await.claimed.is_empty());
    assert_eq!(queue.webhook(webhook).await.failure_count, 0);

    queue.end_block().await;
    queue.settle(&batch.delivered()[11..]).await;
    queue
        .world
        .run("UPDATE webhook_state SET allowance = 1")
        .await;
    let mut one = queue.claim(ROOM).await.failed();
    one[0].pause = Some(Duration::from_secs(1));
    queue.settle(&one).await;
    assert_eq!(queue.allowance().await, 1);
}

#[tokio::test]
async fn after_five_days_of_nothing_but_failure_there_is_no_hope() {
    let (queue, webhook) = scene().await;
    let hopeless = async |settled: &[SettledDelivery]| {
        let written = settle_in(&queue.world.store, settled, 0.5).await;
        let (_, hopeless) = written.unwrap();
        let all: Vec<_> = hopeless
            .iter()
            .map(|one| (one.webhook_id, one.tenant))
            .collect();
        all
    };
    let age = "UPDATE webhook_state SET failing_since = failing_since - interval '119 hours'";
    let batch = queue.claim(ROOM).await;
    let failed = batch.failed();
    assert_eq!(hopeless(&failed[..1]).await, []);
    let first = queue.webhook(webhook).await.failing_since.unwrap();
    queue.world.run(age).await;
    assert_eq!(hopeless(&failed[1..2]).await, []);
    let since = queue.webhook(webhook).await.failing_since.unwrap();
    assert!(since < first, "the first failure counts");

    // Something got through: it begins anew.
    assert_eq!(hopeless(&batch.delivered()[2..3]).await, []);
    assert_eq!(queue.webhook(webhook).await.failing_since, None);
    assert_eq!(hopeless(&failed[3..4]).await, []);
    queue.world.run(age).await;
    assert_eq!(hopeless(&failed[4..5]).await, []);
    queue
        .world
        .run("UPDATE webhook_state SET failing_since = failing_since - interval '61 minutes'")
        .await;
    // Within a batch, too.
    let mut both = batch.delivered()[5..6].to_vec();
    both.extend_from_slice(&failed[6..7]);
    both[1].at += MINUTE;
    assert_eq!(hopeless(&both).await, []);
    queue
        .world
        .run("UPDATE webhook_state SET failing_since = failing_since - interval '121 hours'")
        .await;
    assert_eq!(hopeless(&failed[7..9]).await, [(webhook, queue.tenant)]);
    // Until somebody switches it off, it is said each time.
    assert_eq!(hopeless(&failed[9..10]).await, [(webhook, queue.tenant)]);
}

#[tokio::test]
async fn a_webhook_that_is_switched_on_again_or_moves_begins_anew_and_slowly() {
    let (queue, webhook) = scene().await;
    let patches = [
        WebhookPatch {
            is_active: Some(true),
            ..WebhookPatch::default()
        },
        WebhookPatch {
            url: Some("https://example.com/moved"),
            ..WebhookPatch::default()
        },
    ];
    for (patch, count) in patches.iter().zip([16, 1]) {
        assert_eq!(queue.attempt_all(false).await, count);
        let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
        if patch.is_active.is_some() {
            tx.webhooks().switch_off(webhook, "gone", 0).await.unwrap();
        }
        let found = tx.webhooks().update(webhook, patch).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!((found.failure_count, found.failing_since), (0, None));
        assert_eq!((found.blocked_until, found.disabled_reason), (None, None));
        assert_eq!((found.last_error, found.is_active), (None, true));
        assert_eq!(queue.allowance().await, 1);
        let spent = "UPDATE webhook_state SET failure_count = 9";
        queue.world.run(spent).await;
    }
    // What does not change is held against it still.
    queue.attempt_all(false).await;
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let same = WebhookPatch {
        url: Some("https://example.com/moved"),
        is_active: Some(true),
        name: Some("Other"),
        ..WebhookPatch::default()
    };
    let found = tx.webhooks().update(webhook, &same).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert_eq!(found.failure_count, 10);
    assert!(found.blocked_until.is_some());
}

/// Attempts take a while, and meanwhile the address is corrected.
#[tokio::test]
async fn what_the_old_address_answers_is_counted_and_not_held_against_the_new_one() {
    let (queue, webhook) = scene().await;
    let old = queue.claim(ROOM).await;
    assert_eq!(old.claimed.len(), 16);
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let moved = WebhookPatch {
        url: Some("https://example.com/moved"),
        ..WebhookPatch::default()
    };
    tx.webhooks().update(webhook, &moved).await.unwrap();
    tx.commit().await.unwrap();
    let mut settled = old.failed();
    for one in &mut settled {
        one.pause = Some(MINUTE);
    }
    for one in &mut settled[10..12] {
        one.success = true;
    }
    queue.settle(&settled[..12]).await;
    let found = queue.webhook(webhook).await;
    assert_eq!((found.failure_count, found.failing_since), (0, None));
    assert_eq!((found.last_error, found.blocked_until), (None, None));
    assert_eq!((found.last_delivery_at, found.latency_ms), (None, None));
    assert_eq!((found.delivered_count, found.failed_attempt_count), (2, 10));
    assert_eq!(queue.allowance().await, 1);

    // Both in one batch, each for its own.
    let room = "UPDATE webhook_state SET allowance = 6";
    queue.world.run(room).await;
    let new = queue.claim(ROOM).await;
    assert_eq!(new.claimed.len(), 2);
    assert_eq!(new.claimed[0].url, "https://example.com/moved");
    let mut both = new.failed();
    both.extend_from_slice(&settled[12..]);
    queue.settle(&both).await;
    let found = queue.webhook(webhook).await;
    assert_eq!((found.failure_count, found.failed_attempt_count), (2, 16));
    assert_eq!(found.blocked_until, None);
}

/// The database's clock was two days ahead for a while, or was two days behind.
#[tokio::test]
async fn nothing_hangs_when_the_clock_is_moved_by_days_and_back() {
    for days in ["2 days", "-2 days"] {
        let (queue, _) = scene().await;
        queue.attempt_all(false).await;
        queue.end_block().await;
        let held = queue.claim(ROOM).await;
        assert_eq!(held.claimed.len(), 1);
        queue
            .world
            .run("UPDATE webhook_state SET blocked_until = now() + interval '30 seconds'")
            .await;
        let move_clock = format!(
            "UPDATE webhook_delivery SET next_at = next_at + interval '{days}',
                 lease_until = lease_until + interval '{days}';
             UPDATE webhook_state SET blocked_until = blocked_until + interval '{days}',
                 failing_since = failing_since + interval '{days}', allowance = 16"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(move_clock))
            .execute(queue.world.database.rows())
            .await
            .unwrap();
        // What somebody held, and what failed and was to be tried in a minute.
        assert_eq!(queue.reclaim().await, 1, "{days}");
        let batch = queue.claim(ROOM).await;
        assert_eq!((batch.claimed.len(), batch.fresh()), (16, 8), "{days}");
        // A block that is none does not keep the breaker from opening.
        queue.settle(&batch.failed()).await;
        about(queue.blocked_for().await, 60);
        let future = "SELECT count(*) FROM webhook_state WHERE failing_since > now()";
        assert_eq!(queue.state(future).await, 0);
    }
}

/// A pause that an endpoint may ask for, and the longest of ours, are waited for all the same.
#[tokio::test]
async fn a_pause_of_a_day_is_no_fault_of_the_clock() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    queue.fill(webhook, 3, true, 1.0).await;
    let mut settled = queue.claim(ROOM).await.failed();
    for (one, hours) in settled.iter_mut().zip([1, 24, 29]) {
        one.retry_after = Some(Duration::from_hours(hours));
    }
    queue.settle(&settled).await;
    assert!(queue.claim(ROOM).await.claimed.is_empty());
    queue
        .world
        .run("UPDATE webhook_delivery SET next_at = next_at - interval '1 hour'")
        .await;
    assert_eq!(queue.claim(ROOM).await.ids(), [settled[0].id]);
}
