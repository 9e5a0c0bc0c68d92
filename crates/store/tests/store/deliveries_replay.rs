//! What is sent again, and what is not.

use chrono::{DateTime, Utc};
use mf_domain::{DeliveryId, DeliveryState, EventId, EventName, WebhookId};
use mf_store::{DeliveryFilter, DeliveryRoom, ReplayRange, Replayed, Store, StoreResult, Tenant};

use crate::{
    queue::{Queue, ROOM, attempt, news},
    support::claim,
};

use DeliveryState::{Dead, Delivered, Pending};

const FAILED: ReplayRange = ReplayRange {
    since: DateTime::UNIX_EPOCH,
    until: None,
    all: false,
};
const ALL: ReplayRange = ReplayRange {
    all: true,
    ..FAILED
};

async fn replay(
    store: &Store,
    tenant: Tenant,
    webhook: WebhookId,
    range: ReplayRange,
    limit: i64,
) -> StoreResult<Replayed> {
    let mut tx = store.begin(tenant).await?;
    let replayed = tx.deliveries().replay_range(webhook, range, limit).await?;
    tx.commit().await?;
    Ok(replayed)
}

impl Queue {
    /// Replays a range in one step, and answers how much of it there was.
    async fn replay(&self, webhook: WebhookId, range: ReplayRange) -> u64 {
        let step = replay(&self.world.store, self.tenant, webhook, range, 1000);
        let step = step.await.unwrap();
        assert_eq!(step.next, None);
        step.count
    }

    async fn replay_one(&self, id: DeliveryId) -> bool {
        let mut tx = self.world.store.begin(self.tenant).await.unwrap();
        let found = tx.deliveries().replay(id).await.unwrap();
        tx.commit().await.unwrap();
        found
    }

    /// Events that stand so, each with a delivery.
    async fn told(&self, count: usize, state: DeliveryState) -> Vec<EventId> {
        let mut events = Vec::new();
        for _ in 0..count {
            events.push(self.tell().await);
        }
        let batch = self.claim(ROOM).await;
        assert_eq!(batch.claimed.len(), count);
        let mut settled = batch.delivered();
        for one in &mut settled {
            one.success = state == Delivered;
        }
        assert_eq!(self.settle(&settled).await, vec![Some(state); count]);
        self.world
            .run("UPDATE webhook_state SET blocked_until = NULL, allowance = 16")
            .await;
        events
    }

    /// The events whose deliveries stand so, in their order.
    async fn events(&self, state: DeliveryState) -> Vec<EventId> {
        let sql = "SELECT event_id FROM webhook_delivery WHERE state = $1 ORDER BY event_at, id";
        let rows: Vec<uuid::Uuid> = sqlx::query_scalar(sql)
            .bind(state.as_str())
            .fetch_all(self.world.database.rows())
            .await
            .unwrap();
        rows.into_iter().map(EventId::from).collect()
    }

    async fn event_at(&self, event: EventId) -> DateTime<Utc> {
        let sql = "SELECT created_at FROM event WHERE id = $1";
        let at = sqlx::query_scalar(sql).bind(event.uuid());
        at.fetch_one(self.world.database.rows()).await.unwrap()
    }
}

#[tokio::test]
async fn one_delivery_is_sent_again_with_its_retries_before_it() {
    let queue = Queue::new().await;
    queue.hook().await;
    let event = queue.tell().await;
    let id = queue.claim(ROOM).await.ids()[0];
    assert!(queue.replay_one(id).await, "it is under way");
    assert!(queue.claim(ROOM).await.claimed.is_empty());
    assert!(!queue.replay_one(DeliveryId::from(uuid::Uuid::nil())).await);
    queue
        .world
        .run("UPDATE webhook_delivery SET lease_until = now()")
        .await;
    queue.reclaim().await;
    for success in [false, true, false] {
        // What was never tried stays a first attempt.
        assert!(queue.replay_one(id).await);
        let batch = queue.claim(ROOM).await;
        let fresh = queue.delivery(id).await.attempts.is_empty();
        assert_eq!(batch.claimed[0].event_id, event);
        assert_eq!((batch.claimed[0].fresh, batch.claimed[0].tries), (fresh, 0));
        let mut settled = batch.delivered();
        settled[0].success = success;
        queue.settle(&settled).await;
    }
    let delivery = queue.delivery(id).await;
    assert_eq!((delivery.state, delivery.tries), (Dead, 1));
    let numbers: Vec<i32> = delivery.attempts.iter().map(|one| one.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    // Another tenant's never was.
    let stranger = queue.world.tenant().await;
    let mut tx = queue.world.store.begin(stranger).await.unwrap();
    assert!(!tx.deliveries().replay(id).await.unwrap());
    assert!(tx.deliveries().lookup(id).await.unwrap().is_none());
    assert!(tx.deliveries().body(id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_replay_of_what_failed_takes_that_and_nothing_else() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    queue.told(2, Delivered).await;
    let dead = queue.told(4, Dead).await;
    let since = queue.event_at(dead[1]).await;
    let until = queue.event_at(dead[3]).await;
    let middle = ReplayRange {
        since,
        until: Some(until),
        all: false,
    };
    assert_eq!(queue.replay(webhook, middle).await, 2);
    assert_eq!(queue.events(Pending).await, dead[1..3]);
    assert_eq!(queue.replay(webhook, middle).await, 0);
    let batch = queue.claim(ROOM).await;
    assert_eq!((batch.claimed.len(), batch.fresh()), (2, 0));
    // What is under way is left alone, and the rest goes with it.
    assert_eq!(queue.replay(webhook, FAILED).await, 2);
    queue.settle(&batch.delivered()).await;
    let batch = queue.claim(ROOM).await;
    let mut events: Vec<_> = batch.claimed.iter().map(|one| one.event_id).collect();
    events.sort();
    assert_eq!(events, [dead[0], dead[3]]);
}

#[tokio::test]
async fn a_replay_of_everything_includes_what_a_webhook_has_missed() {
    let queue = Queue::new().await;
    // From before there was a webhook.
    let early = queue.tell().await;
    let webhook = queue
        .hook_of(queue.tenant, &["message.received"], true)
        .await;
    let stranger = queue.world.tenant().await;
    queue.tell_of(stranger, EventName::MessageReceived).await;
    queue.tell_of(queue.tenant, EventName::MessageSent).await;
    let delivered = queue.told(1, Delivered).await;
    let dead = queue.told(1, Dead).await;
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    tx.webhooks().switch_off(webhook, "gone", 0).await.unwrap();
    tx.commit().await.unwrap();
    let missed = queue.tell().await;
    assert_eq!(queue.events(Pending).await, []);

    assert_eq!(queue.replay(webhook, ALL).await, 4);
    let expected = [early, delivered[0], dead[0], missed];
    assert_eq!(queue.events(Pending).await, expected);
    assert_eq!(queue.replay(webhook, ALL).await, 0, "all of it is waiting");
    queue.world.run("UPDATE webhook SET is_active = true").await;
    let batch = queue.claim(ROOM).await;
    assert_eq!((batch.claimed.len(), batch.fresh()), (4, 0));
    for one in &batch.claimed {
        let body = format!(r#"{{"id":"{}"}}"#, one.event_id);
        assert_eq!(one.body.as_deref(), Some(&*body));
    }
}

/// What is replayed is delivered while the replay goes on, and would fit it once more.
#[tokio::test]
async fn a_replay_in_steps_sends_each_event_once_however_quick_it_is_delivered() {
    let queue = Queue::new().await;
    let before = queue.tell().await;
    let webhook = queue.hook().await;
    let mut events = vec![before];
    events.extend(queue.told(3, Delivered).await);
    events.extend(queue.told(1, Dead).await);
    // Two of one moment stay together.
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    for _ in 0..2 {
        let event = news(EventName::MessageReceived);
        tx.events().append(&event).await.unwrap();
        events.push(event.id);
    }
    tx.commit().await.unwrap();
    let batch = queue.claim(ROOM).await;
    queue.settle(&batch.delivered()).await;
    let mut range = ALL;
    let mut sent = Vec::new();
    let mut counts = Vec::new();
    loop {
        let step = replay(&queue.world.store, queue.tenant, webhook, range, 2);
        let step = step.await.unwrap();
        counts.push(step.count);
        let batch = queue.claim(ROOM).await;
        sent.extend(batch.claimed.iter().map(|one| one.event_id));
        queue.settle(&batch.delivered()).await;
        match step.next {
            Some(rest) => range = rest,
            None => break,
        }
    }
    assert_eq!(counts, [2, 2, 3, 0]);
    sent.sort();
    assert_eq!(sent, events);
}

/// Whatever the clock of the process says, and whoever asks for more than has happened yet.
#[tokio::test]
async fn a_replay_ends_where_it_began_by_the_clock_that_events_have_their_times_from() {
    let queue = Queue::new().await;
    let webhook = queue.hook_of(queue.tenant, &["*"], false).await;
    let before = [queue.tell().await, queue.tell().await, queue.tell().await];
    let range = ReplayRange {
        // Beyond any day on which this is run.
        until: DateTime::from_timestamp(99_999_999_999, 0),
        ..ALL
    };
    let (store, tenant) = (&queue.world.store, queue.tenant);
    let step = replay(store, tenant, webhook, range, 2).await.unwrap();
    let rest = step.next.unwrap();
    assert!(rest.until < range.until && rest.all);
    queue.tell().await;
    let step = replay(store, tenant, webhook, rest, 2).await.unwrap();
    assert_eq!((step.count, step.next), (1, None));
    assert_eq!(queue.events(Pending).await, before);
}

/// Nobody is to be told the same by a trial and a replay beside it.
#[tokio::test]
async fn a_trial_that_is_under_way_is_not_sent_again_and_one_that_broke_off_can_be() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    let try_out = async || {
        let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
        let event = news(EventName::WebhookTest);
        let id = tx.deliveries().try_out(webhook, &event).await.unwrap();
        tx.commit().await.unwrap();
        id
    };
    let tried_out = async |id, success| {
        let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
        let tried = attempt(id, claim().id, success);
        tx.deliveries().tried_out(id, &tried).await.unwrap();
        tx.commit().await.unwrap();
    };
    let id = try_out().await;
    assert!(queue.replay_one(id).await);
    assert!(queue.claim(ROOM).await.claimed.is_empty());
    tried_out(id, true).await;
    assert_eq!(queue.delivery(id).await.state, Delivered);

    let late = try_out().await;
    let age = "UPDATE webhook_delivery SET finished_at = finished_at - interval '2 minutes'";
    queue.world.run(age).await;
    assert!(queue.replay_one(late).await);
    // What is heard of it now changes nothing, before and after somebody has taken it.
    let waits = queue.rows().await;
    tried_out(late, true).await;
    assert_eq!(queue.rows().await, waits);
    let batch = queue.claim(ROOM).await;
    assert_eq!(batch.ids(), [late]);
    let held = queue.rows().await;
    tried_out(late, false).await;
    assert_eq!(queue.rows().await, held);
    assert_eq!(queue.settle(&batch.delivered()).await, [Some(Delivered)]);
    let settled = queue.rows().await;
    tried_out(late, false).await;
    assert_eq!(queue.rows().await, settled);
}

#[tokio::test]
async fn two_replays_at_once_make_no_twins() {
    let queue = Queue::with_connections(8).await;
    let mut events = Vec::new();
    for _ in 0..20 {
        events.push(queue.tell().await);
    }
    let webhook = queue.hook().await;
    events.extend(queue.told(5, Dead).await);
    let (store, tenant) = (&queue.world.store, queue.tenant);
    let one = || replay(store, tenant, webhook, ALL, 1000);
    let (one, two, three, four) = tokio::join!(one(), one(), one(), one());
    let counts = [one, two, three, four].map(|step| step.unwrap().count);
    assert_eq!(counts.iter().sum::<u64>(), 25, "{counts:?}");
    assert_eq!(queue.events(Pending).await, events);
}

/// An event that is being told is in the log with its delivery, or not at all.
#[tokio::test]
async fn a_replay_beside_an_event_that_is_just_being_told_makes_no_twin() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    let mut telling = queue.world.store.begin(queue.tenant).await.unwrap();
    let event = news(EventName::MessageReceived);
    telling.events().append(&event).await.unwrap();
    assert_eq!(queue.replay(webhook, ALL).await, 0);
    telling.commit().await.unwrap();
    assert_eq!(queue.replay(webhook, ALL).await, 0);
    assert_eq!(queue.events(Pending).await, [event.id]);
}

#[tokio::test]
async fn a_test_is_in_the_log_and_never_part_of_a_replay() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    let other = queue.hook().await;
    let mut tests = Vec::new();
    for success in [false, true] {
        let event = news(EventName::WebhookTest);
        let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
        let id = tx.deliveries().try_out(webhook, &event).await.unwrap();
        tx.commit().await.unwrap();
        // Until it is known better it has failed, and nobody else tries it.
        assert_eq!(queue.delivery(id).await.state, Dead);
        let mut tried = attempt(id, claim().id, success);
        tried.response = Some("an\0swer".to_owned());
        let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
        tx.deliveries().tried_out(id, &tried).await.unwrap();
        tx.commit().await.unwrap();
        tests.push((id, event.id));
    }
    for (number, all) in [(0, ALL), (1, FAILED)] {
        assert_eq!(queue.replay(webhook, all).await, 0);
        assert_eq!(queue.replay(other, all).await, 0);
        let (id, event) = tests[number];
        let delivery = queue.delivery(id).await;
        let state = if number == 1 { Delivered } else { Dead };
        assert_eq!((delivery.state, delivery.event_id), (state, event));
        assert_eq!(delivery.attempts.len(), 1);
        let answer = delivery.attempts[0].response.as_deref();
        assert_eq!(answer, Some("an\u{fffd}swer"));
    }
    assert!(queue.claim(ROOM).await.claimed.is_empty());
    let found = queue.webhook(webhook).await;
    assert_eq!((found.failure_count, found.delivered_count), (0, 0));
    // One by one, somebody may want it.
    assert!(queue.replay_one(tests[0].0).await);
    assert_eq!(queue.claim(ROOM).await.claimed[0].event_id, tests[0].1);
}

#[tokio::test]
async fn the_log_is_read_newest_first_and_by_what_one_looks_for() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    let other = queue.hook_of(queue.tenant, &["message.sent"], true).await;
    let delivered = queue.told(3, Delivered).await;
    let dead = queue.told(2, Dead).await;
    let sent = queue.tell_of(queue.tenant, EventName::MessageSent).await;
    let list = async |webhook, filter, limit, offset| {
        let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
        let page = tx.deliveries().list(webhook, filter, limit, offset).await;
        let (page, total) = page.unwrap();
        let events: Vec<EventId> = page.iter().map(|one| one.event_id).collect();
        (events, total)
    };
    let every = DeliveryFilter::default();
    let newest = vec![sent, dead[1], dead[0], delivered[2]];
    assert_eq!(list(webhook, every, 4, 0).await, (newest, 6));
    let oldest = vec![delivered[1], delivered[0]];
    assert_eq!(list(webhook, every, 4, 4).await, (oldest, 6));
    assert_eq!(list(other, every, 10, 0).await, (vec![sent], 1));
    let failed = DeliveryFilter {
        state: Some(Dead),
        ..every
    };
    let both = vec![dead[1], dead[0]];
    assert_eq!(list(webhook, failed, 10, 0).await, (both, 2));
    let named = DeliveryFilter {
        event: Some(EventName::MessageSent),
        ..every
    };
    assert_eq!(list(webhook, named, 10, 0).await, (vec![sent], 1));
    let between = DeliveryFilter {
        since: Some(queue.event_at(delivered[1]).await),
        until: Some(queue.event_at(dead[0]).await),
        ..every
    };
    let middle = vec![delivered[2], delivered[1]];
    assert_eq!(list(webhook, between, 10, 0).await, (middle, 2));
}

#[tokio::test]
async fn what_is_replayed_waits_behind_nothing_but_its_share() {
    let queue = Queue::new().await;
    let webhook = queue.hook().await;
    let dead = queue.told(8, Dead).await;
    assert_eq!(queue.replay(webhook, FAILED).await, 8);
    for _ in 0..4 {
        queue.tell().await;
    }
    let room = DeliveryRoom { all: 8, ..ROOM };
    let batch = queue.claim(room).await;
    assert_eq!((batch.claimed.len(), batch.fresh()), (8, 4));
    let first = batch.claimed.iter().filter(|one| !one.fresh);
    let mut first: Vec<_> = first.map(|one| one.event_id).collect();
    first.sort();
    assert_eq!(first.len(), 4);
    assert!(first.iter().all(|event| dead.contains(event)));
}
