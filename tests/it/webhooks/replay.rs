use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Hook, Scene, assert_signed, pass_time};
use crate::support::{Arrival, Told};

/// Everything that waits has failed for the last time.
async fn give_up(scene: &Scene) {
    sqlx::query(
        "UPDATE webhook_delivery SET state = 'dead', finished_at = now()
         WHERE state = 'pending'",
    )
    .execute(scene.app.rows())
    .await
    .unwrap();
}

fn ids(arrivals: &[Arrival]) -> Vec<&str> {
    arrivals.iter().map(Arrival::id).collect()
}

#[tokio::test]
async fn a_dead_delivery_is_replayed_with_all_its_retries_before_it() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    scene.receiver.answer("/hook", Told::status(500));
    let id = scene.tell("hello").await;
    hook.attempted(1).await;
    give_up(&scene).await;
    let dead = hook.deliveries("status=dead").await.remove(0);
    let path = format!(
        "/webhooks/deliveries/{}/replay",
        dead["id"].as_str().unwrap()
    );
    let replayed = scene.key.order(&path).await.expect(200);
    assert_eq!(replayed["id"], dead["id"]);
    assert_eq!(replayed["status"], "pending");
    assert_eq!(replayed["finished_at"], Value::Null);
    assert_ne!(replayed["next_attempt_at"], Value::Null);
    let failed = hook.attempted(2).await.remove(0);
    assert_eq!(failed["status"], "pending", "it has retries again");
    scene.receiver.answer("/hook", Told::status(200));
    pass_time(&scene.app).await;
    let delivered = hook.attempted(3).await.remove(0);
    assert_eq!(delivered["status"], "delivered");
    assert_eq!(delivered["id"], dead["id"]);
    let arrivals = scene.receiver.arrivals("/hook");
    assert_eq!(ids(&arrivals), [id.as_str(); 3]);
    assert_signed(&arrivals[2], &hook.secret);
    let numbers: Vec<Value> = hook.delivery().await["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["number"].clone())
        .collect();
    assert_eq!(json!(numbers), json!([1, 2, 3]));
}

#[tokio::test]
async fn a_delivery_that_arrived_can_be_replayed_too() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    scene.tell("hello").await;
    let delivered = hook.attempted(1).await.remove(0);
    let id = delivered["id"].as_str().unwrap();
    let path = format!("/webhooks/deliveries/{id}/replay");
    scene.key.order(&path).await.expect(200);
    let again = hook.attempted(2).await.remove(0);
    assert_eq!(again["status"], "delivered");
    let arrivals = scene.receiver.arrivals("/hook");
    assert_eq!(arrivals[0].body, arrivals[1].body);
    assert_eq!(arrivals[0].id(), arrivals[1].id());
}

#[tokio::test]
async fn all_that_failed_since_a_moment_is_replayed() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    scene.receiver.answer("/hook", Told::status(500));
    let mut told = Vec::new();
    for text in ["one", "two", "three"] {
        told.push(scene.tell(text).await);
    }
    hook.attempted(3).await;
    give_up(&scene).await;
    scene.receiver.answer("/hook", Told::status(200));
    let fine = scene.tell("four").await;
    hook.attempted(4).await;
    let since = hook.deliveries("status=dead").await[1]["event_at"].clone();
    let since = since.as_str().unwrap();
    let replayed = hook
        .order(&format!("/replay?since={since}&what=failed"))
        .await;
    assert_eq!(replayed.expect(200), json!({"replayed": 2}));
    hook.attempted(6).await;
    let arrivals = scene.receiver.arrivals("/hook");
    let again: BTreeSet<&str> = arrivals[4..].iter().map(Arrival::id).collect();
    assert_eq!(again, BTreeSet::from([told[1].as_str(), told[2].as_str()]));
    assert_eq!(arrivals[3].id(), fine);
    // What was before is still dead, and is replayed up to a moment of its own.
    let dead = hook.deliveries("status=dead").await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0]["event_id"], json!(told[0]));
    let before = "/replay?since=2026-01-01T00:00:00Z";
    let none = hook
        .order(&format!("{before}&until=2026-01-02T00:00:00Z"))
        .await;
    assert_eq!(none.expect(200), json!({"replayed": 0}));
    let rest = hook.order(&format!("{before}&until={since}")).await;
    assert_eq!(rest.expect(200), json!({"replayed": 1}));
    hook.attempted(7).await;
    assert_eq!(hook.deliveries("status=dead").await, Vec::<Value>::new());
    let nothing = hook.order(before).await;
    assert_eq!(nothing.expect(200), json!({"replayed": 0}));
}

#[tokio::test]
async fn everything_since_a_moment_is_replayed_also_from_before_the_webhook() {
    let mut scene = Scene::set().await;
    let mut told = vec![scene.tell("before it was there").await];
    let hook = scene.hook("/hook").await;
    told.push(scene.tell("while it was on").await);
    hook.attempted(1).await;
    hook.patch(json!({"is_active": false})).await;
    told.push(scene.tell("while it was off").await);
    hook.patch(json!({"is_active": true})).await;
    let since = "2026-01-01T00:00:00Z";
    let replayed = hook.order(&format!("/replay?since={since}&what=all")).await;
    // Not the session's own events, which it does not want.
    assert_eq!(replayed.expect(200), json!({"replayed": 3}));
    let arrivals = scene.receiver.arrived("/hook", 4).await;
    let again: BTreeSet<&str> = arrivals[1..].iter().map(Arrival::id).collect();
    assert_eq!(again, told.iter().map(String::as_str).collect());
    for arrival in &arrivals {
        assert_eq!(arrival.header("x-webhook-event"), "message.received");
        assert_signed(arrival, &hook.secret);
    }
    hook.attempted(4).await;
    let deliveries = hook.deliveries("status=delivered").await;
    assert_eq!(deliveries.len(), 3, "{deliveries:?}");
}

/// Their endpoint may be anybody's.
#[tokio::test]
async fn whoever_may_not_read_messages_replays_what_failed_and_nothing_else() {
    let mut scene = Scene::set().await;
    scene.tell("for some eyes only").await;
    let manager = scene.app.key(&["webhooks:read", "webhooks:manage"]).await;
    let url = scene.receiver.url("/hook");
    let hook = Hook::on(&manager, &url, &["message.received"]).await;
    let since = "/replay?since=2026-01-01T00:00:00Z";
    let all = format!("{since}&what=all");
    let sentence = hook.order(&all).await.refused(403);
    assert!(sentence.contains("messages:read"), "{sentence}");
    assert_eq!(hook.order(since).await.expect(200), json!({"replayed": 0}));

    let scopes = ["webhooks:manage", "messages:read"];
    let reader = scene.app.key(&scopes).await;
    let owner = scene.app.owner().await;
    let path = hook.path(&all);
    for open in [false, true] {
        let setting = json!({"chat_history_access_enabled": open});
        owner.patch("/tenant/settings", setting).await.expect(200);
        let replayed = reader.order(&path).await;
        if open {
            assert_eq!(replayed.expect(200), json!({"replayed": 1}));
        } else {
            replayed.refused(403);
        }
    }
    assert_eq!(owner.order(&path).await.status, 200);
}

#[tokio::test]
async fn nothing_of_another_tenant_is_replayed() {
    let mut scene = Scene::set().await;
    scene.tell("ours").await;
    let neighbour = scene.app.other_tenant().await.key;
    let hook = Hook::on(&neighbour, &scene.receiver.url("/theirs"), &["*"]).await;
    let replayed = hook
        .order("/replay?since=2026-01-01T00:00:00Z&what=all")
        .await;
    assert_eq!(replayed.expect(200), json!({"replayed": 0}));
    assert_eq!(hook.deliveries("").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_webhook_that_is_off_replays_nothing() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    scene.receiver.answer("/hook", Told::status(500));
    scene.tell("hello").await;
    hook.attempted(1).await;
    give_up(&scene).await;
    hook.patch(json!({"is_active": false})).await;
    let dead = hook.deliveries("").await.remove(0);
    let one = format!(
        "/webhooks/deliveries/{}/replay",
        dead["id"].as_str().unwrap()
    );
    let all = hook.path("/replay?since=2026-01-01T00:00:00Z");
    for path in [one, all] {
        let sentence = scene.key.order(&path).await.refused(400);
        assert!(sentence.contains("The webhook is off"), "{sentence}");
    }
    assert_eq!(hook.deliveries("").await, [dead]);
}

#[tokio::test]
async fn a_long_past_is_replayed_once_however_quick_the_endpoint_is() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    scene.tell("hello").await;
    hook.attempted(1).await;
    // More than are taken in one step, and delivered again before the next.
    for sql in [
        "INSERT INTO event (id, tenant_id, session_id, name, body, created_at)
         SELECT gen_random_uuid(), tenant_id, session_id, name, body,
             created_at - make_interval(secs => n)
         FROM event, generate_series(1, 2100) AS n WHERE name = 'message.received'",
        "INSERT INTO webhook_delivery (tenant_id, webhook_id, event_id, event_at, event_name,
             state, fresh, finished_at)
         SELECT e.tenant_id, w.id, e.id, e.created_at, e.name, 'delivered', false, now()
         FROM event e JOIN webhook w USING (tenant_id)
         WHERE e.name = 'message.received'
           AND NOT EXISTS (SELECT FROM webhook_delivery d WHERE d.event_id = e.id)",
    ] {
        sqlx::query(sql).execute(scene.app.rows()).await.unwrap();
    }
    let replayed = hook
        .order("/replay?since=2026-01-01T00:00:00Z&what=all")
        .await;
    assert_eq!(replayed.expect(200), json!({"replayed": 2101}));
    let arrivals = scene.receiver.arrived("/hook", 2102).await;
    let distinct: BTreeSet<&str> = arrivals[1..].iter().map(Arrival::id).collect();
    assert_eq!(distinct.len(), 2101);
    let waiting = "SELECT count(*) FROM webhook_delivery WHERE state <> 'delivered'";
    super::soon(super::eventually(async || {
        (scene.app.count(waiting).await == 0).then_some(())
    }))
    .await;
    assert_eq!(scene.receiver.arrivals("/hook").len(), 2102);
}
