//! Webhooks themselves: what a tenant says of them, and what the server finds out.

use std::time::Duration;

use mf_domain::{MAX_WEBHOOKS, WebhookId};
use mf_store::{NewWebhook, Store, StoreResult, Tenant, Webhook, WebhookPatch};
use mf_test_support::soon;

use crate::{
    queue::{Queue, WAITS},
    support::{World, fresh},
};

const DAY: Duration = Duration::from_hours(24);

async fn add(store: &Store, tenant: Tenant) -> StoreResult<Option<WebhookId>> {
    let mut tx = store.begin(tenant).await?;
    let new = NewWebhook {
        id: fresh(),
        name: "Webhook",
        url: "https://example.com/",
        events: &["*".to_owned()],
        is_active: true,
        secret: b"first",
    };
    let added = tx.webhooks().add(&new).await?;
    tx.commit().await?;
    Ok(added.map(|webhook| webhook.id))
}

async fn rotate(queue: &Queue, webhook: WebhookId, secret: &[u8]) -> Webhook {
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let rotated = tx
        .webhooks()
        .rotate_secret(webhook, secret, DAY, false)
        .await;
    tx.commit().await.unwrap();
    rotated.unwrap().unwrap()
}

fn secrets(webhook: &Webhook) -> (&[u8], Option<&[u8]>) {
    (&webhook.secret, webhook.previous_secret.as_deref())
}

#[tokio::test]
async fn a_webhook_is_as_it_was_made_and_others_see_nothing_of_it() {
    let queue = Queue::new().await;
    let first = queue.hook_of(queue.tenant, &["message.sent"], false).await;
    let second = queue.hook().await;
    let stranger = queue.world.tenant().await;

    let found = queue.webhook(first).await;
    assert_eq!(
        (&*found.name, &*found.url),
        ("Webhook", "https://example.com/")
    );
    assert_eq!(
        (&*found.events, found.is_active),
        (&["message.sent".to_owned()][..], false)
    );
    assert_eq!(secrets(&found), (&b"sealed"[..], None));
    assert_eq!((found.failure_count, found.delivered_count), (0, 0));
    assert_eq!((found.last_delivery_at, found.latency_ms), (None, None));
    let text = format!("{found:?}");
    assert!(
        !text.contains("example") && !text.contains("secret"),
        "{text}"
    );

    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let all = tx.webhooks().list().await.unwrap();
    let ids: Vec<_> = all.iter().map(|webhook| webhook.id).collect();
    assert_eq!(ids, [second, first]);
    drop(tx);

    let mut tx = queue.world.store.begin(stranger).await.unwrap();
    assert!(tx.webhooks().list().await.unwrap().is_empty());
    assert!(tx.webhooks().lookup(first).await.unwrap().is_none());
    let patch = WebhookPatch::default();
    assert!(tx.webhooks().update(first, &patch).await.unwrap().is_none());
    let rotated = tx
        .webhooks()
        .rotate_secret(first, b"theirs", DAY, true)
        .await;
    assert!(rotated.unwrap().is_none());
    assert!(
        tx.webhooks()
            .activate_secret(first)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        tx.webhooks()
            .switch_off(second, "", 0)
            .await
            .unwrap()
            .is_none()
    );
    assert!(!tx.webhooks().delete(first).await.unwrap());
    let counts = tx.deliveries().counts(first).await.unwrap();
    assert_eq!((counts.pending, counts.dead), (0, 0));
    tx.commit().await.unwrap();
    assert_eq!(secrets(&queue.webhook(first).await).0, b"sealed");
}

#[tokio::test]
async fn nobody_gets_more_webhooks_than_there_may_be_however_many_ask_at_once() {
    let world = World::with_connections(8).await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let fill = "INSERT INTO webhook (id, tenant_id, name, url, events, secret)
                SELECT gen_random_uuid(), $1, 'Webhook', 'https://example.com/', '{*}', ''
                FROM generate_series(1, $2)";
    sqlx::query(fill)
        .bind(tenant.id().uuid())
        .bind(MAX_WEBHOOKS - 2)
        .execute(world.database.rows())
        .await
        .unwrap();
    let one = || add(&world.store, tenant);
    let (one, two, three, four) = tokio::join!(one(), one(), one(), one());
    let added = [one, two, three, four].map(|added| added.unwrap().is_some());
    assert_eq!(added.iter().filter(|added| **added).count(), 2);
    let count = world.count("SELECT count(*) FROM webhook").await;
    assert_eq!(count, MAX_WEBHOOKS);
    assert!(add(&world.store, other).await.unwrap().is_some());
}

#[tokio::test]
async fn a_change_is_of_what_it_names_and_the_rest_stays() {
    let queue = Queue::new().await;
    let id = queue.hook().await;
    let before = queue.webhook(id).await;
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let nothing = WebhookPatch::default();
    let same = tx.webhooks().update(id, &nothing).await.unwrap().unwrap();
    assert_eq!((&same.name, &same.url), (&before.name, &before.url));
    assert_eq!((&same.events, same.is_active), (&before.events, true));
    let events = ["message.read".to_owned()];
    let patch = WebhookPatch {
        name: Some("Other"),
        url: Some("https://example.org/"),
        events: Some(&events),
        is_active: Some(false),
        secret: Some(b"other"),
    };
    let changed = tx.webhooks().update(id, &patch).await.unwrap().unwrap();
    assert_eq!(
        (&*changed.name, &*changed.url),
        ("Other", "https://example.org/")
    );
    assert_eq!((&*changed.events, changed.is_active), (&events[..], false));
    assert_eq!(secrets(&changed), (&b"other"[..], None));
    assert!(
        tx.webhooks()
            .update(fresh(), &patch)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn both_secrets_count_until_the_rotation_is_over() {
    let queue = Queue::new().await;
    let id = queue.hook().await;
    let rotated = rotate(&queue, id, b"second").await;
    assert_eq!(secrets(&rotated), (&b"second"[..], Some(&b"sealed"[..])));
    assert!(rotated.previous_until.is_some());
    // Whoever rotates again takes neither from receivers: some have the first, some the second.
    let again = rotate(&queue, id, b"third").await;
    assert_eq!(secrets(&again), (&b"second"[..], Some(&b"sealed"[..])));
    assert_eq!(again.previous_until, rotated.previous_until);
    // Unless they say so: nobody has the second.
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let replaced = tx.webhooks().rotate_secret(id, b"third", DAY, true).await;
    tx.commit().await.unwrap();
    let replaced = replaced.unwrap().unwrap();
    assert_eq!(secrets(&replaced), (&b"third"[..], Some(&b"sealed"[..])));
    assert!(replaced.previous_until > rotated.previous_until);
    // When the time is over, all have the third.
    queue
        .world
        .run("UPDATE webhook SET previous_until = now()")
        .await;
    let over = queue.webhook(id).await;
    assert_eq!(secrets(&over), (&b"third"[..], None));
    assert_eq!(over.previous_until, None);
    let next = rotate(&queue, id, b"fourth").await;
    assert_eq!(secrets(&next), (&b"fourth"[..], Some(&b"third"[..])));
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let activated = tx.webhooks().activate_secret(id).await.unwrap().unwrap();
    assert_eq!(secrets(&activated), (&b"fourth"[..], None));
    assert_eq!(activated.previous_until, None);
    tx.commit().await.unwrap();

    // One that is given counts alone.
    rotate(&queue, id, b"fifth").await;
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let given = WebhookPatch {
        secret: Some(b"given"),
        ..WebhookPatch::default()
    };
    let given = tx.webhooks().update(id, &given).await.unwrap().unwrap();
    assert_eq!(secrets(&given), (&b"given"[..], None));
}

#[tokio::test]
async fn a_webhook_is_switched_off_once_and_says_why_until_it_is_switched_on() {
    let queue = Queue::new().await;
    let id = queue.hook().await;
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let off = tx
        .webhooks()
        .switch_off(id, "gone", 0)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (off.is_active, off.disabled_reason.as_deref()),
        (false, Some("gone"))
    );
    assert!(off.disabled_at.is_some());
    assert!(
        tx.webhooks()
            .switch_off(id, "again", 0)
            .await
            .unwrap()
            .is_none()
    );
    let rename = WebhookPatch {
        name: Some("Other"),
        ..WebhookPatch::default()
    };
    let renamed = tx.webhooks().update(id, &rename).await.unwrap().unwrap();
    assert_eq!(renamed.disabled_reason.as_deref(), Some("gone"));
    let on = WebhookPatch {
        is_active: Some(true),
        ..WebhookPatch::default()
    };
    let on = tx.webhooks().update(id, &on).await.unwrap().unwrap();
    assert_eq!((on.is_active, on.disabled_reason), (true, None));
    assert_eq!(on.disabled_at, None);
}

/// Each of the two waits for the other's row.
#[tokio::test]
async fn a_webhook_that_is_switched_on_while_the_server_switches_it_off_begins_anew() {
    let queue = Queue::new().await;
    let id = queue.hook().await;
    let held = "UPDATE webhook_state SET failure_count = 30, block_count = 5,
                    failing_since = now() - interval '6 days',
                    blocked_until = now() + interval '5 minutes'";
    queue.world.run(held).await;
    let mut switching = queue.world.store.begin(queue.tenant).await.unwrap();
    let off = switching.webhooks().switch_off(id, "hopeless", 0).await;
    assert!(off.unwrap().is_some());
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let on = WebhookPatch {
        is_active: Some(true),
        ..WebhookPatch::default()
    };
    let (on, ()) = tokio::join!(tx.webhooks().update(id, &on), async {
        soon(async { while queue.world.count(WAITS).await == 0 {} }).await;
        switching.commit().await.unwrap();
    });
    tx.commit().await.unwrap();
    let on = on.unwrap().unwrap();
    assert!(on.is_active);
    assert_eq!((on.failure_count, on.failing_since), (0, None));
    assert_eq!(on.blocked_until, None);

    // What the same reason says once more is of before.
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let late = tx.webhooks().switch_off(id, "hopeless", 0).await.unwrap();
    assert!(late.is_none());
    let now = tx.webhooks().switch_off(id, "gone", 1).await.unwrap();
    assert!(now.is_some());
}

/// Whoever waits for something to send is woken by what makes it so.
#[tokio::test]
async fn who_delivers_is_woken_by_an_event_a_replay_and_a_webhook_that_is_on_again() {
    let queue = Queue::new().await;
    let silent = queue.hook_of(queue.tenant, &["message.sent"], true).await;
    let wake = queue.world.store.wake();
    let rung = async || {
        let bell = tokio::time::timeout(Duration::ZERO, wake.deliveries());
        bell.await.is_ok()
    };
    queue.tell().await;
    assert!(!rung().await, "nobody wants it");
    let webhook = queue.hook().await;
    queue.tell().await;
    assert!(rung().await);
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let off = tx.webhooks().switch_off(webhook, "gone", 0).await.unwrap();
    tx.commit().await.unwrap();
    assert!(off.is_some() && !rung().await);
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let on = WebhookPatch {
        is_active: Some(true),
        ..WebhookPatch::default()
    };
    tx.webhooks().update(webhook, &on).await.unwrap();
    assert!(!rung().await, "not before the commit");
    tx.commit().await.unwrap();
    assert!(rung().await);
    let mut tx = queue.world.store.begin(queue.tenant).await.unwrap();
    let range = mf_store::ReplayRange {
        since: chrono::DateTime::UNIX_EPOCH,
        until: None,
        all: true,
    };
    tx.deliveries()
        .replay_range(silent, range, 10)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(rung().await);
}
