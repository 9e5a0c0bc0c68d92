use serde_json::{Value, json};

use super::{Hook, Scene, assert_signed, delivery, start, write};
use crate::support::{Receiver, TestApp, Told};

#[tokio::test]
async fn a_webhook_that_works_is_shown_to_work() {
    let app = start().await;
    let key = app.full_key();
    let receiver = Receiver::open().await;
    let hook = Hook::on(&key, &receiver.url("/hook"), &["message.received"]).await;
    let others = Hook::on(&key, &receiver.url("/others"), &["*"]).await;
    receiver.answer("/hook", Told::status(201).body("thanks"));
    let tried = hook.order("/test").await.expect(200);
    let expected = json!({
        "success": true, "status_code": 201, "latency_ms": tried["latency_ms"], "error": null,
        "delivery_id": tried["delivery_id"],
    });
    assert_eq!(tried, expected);
    assert!(tried["latency_ms"].as_f64().unwrap() > 0.0, "{tried}");
    let arrivals = receiver.arrivals("/hook");
    assert_eq!(arrivals.len(), 1);
    assert_signed(&arrivals[0], &hook.secret);
    let envelope = arrivals[0].envelope();
    assert_eq!(envelope["event"], "webhook.test");
    assert_eq!(envelope["data"]["webhook_id"], json!(hook.id));
    // It stands in the log, and counts for nothing.
    let logged = hook.delivery().await;
    assert_eq!(logged["id"], tried["delivery_id"]);
    assert_eq!(logged["status"], "delivered");
    assert_eq!(logged["attempts"][0]["response"], "thanks");
    assert_eq!(logged["payload"], envelope);
    let webhook = hook.get().await;
    assert_eq!(webhook["health"]["delivered_count"], 0);
    assert_eq!(webhook["last_delivery_at"], Value::Null);
    // And nobody else is told.
    assert_eq!(others.deliveries("").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_failure_is_answered_and_not_repeated() {
    let app = start().await;
    let key = app.full_key();
    let receiver = Receiver::open().await;
    let hook = Hook::on(&key, &receiver.url("/hook"), &["*"]).await;
    receiver.answer("/hook", Told::status(500).body("oops"));
    let tried = hook.order("/test").await.expect(200);
    let expected = json!({
        "success": false, "status_code": 500, "latency_ms": tried["latency_ms"],
        "error": "The endpoint answered 500", "delivery_id": tried["delivery_id"],
    });
    assert_eq!(tried, expected);
    let logged = delivery(&key, &json!({"id": tried["delivery_id"]})).await;
    assert_eq!(logged["status"], "dead");
    assert_eq!(logged["attempts"][0]["response"], "oops");
    let webhook = hook.get().await;
    assert_eq!(webhook["failure_count"], 0);
    assert_eq!(webhook["health"]["status"], "healthy");
    // A trial that says "gone" switches nothing off.
    receiver.answer("/hook", Told::status(410));
    let tried = hook.order("/test").await.expect(200);
    assert_eq!(tried["success"], false);
    assert_eq!(hook.get().await["is_active"], true);
    // No replay of what failed repeats it.
    let replayed = hook.order("/replay?since=2026-01-01T00:00:00Z").await;
    assert_eq!(replayed.expect(200), json!({"replayed": 0}));
    assert_eq!(receiver.arrivals("/hook").len(), 2);
}

#[tokio::test]
async fn a_webhook_that_is_off_can_be_tried_out() {
    let app = start().await;
    let receiver = Receiver::open().await;
    let body = json!({
        "url": receiver.url("/hook"), "events": ["*"], "is_active": false,
    });
    let hook = Hook::make(&app.full_key(), body).await;
    let tried = hook.order("/test").await.expect(200);
    assert_eq!(tried["success"], true);
    assert_eq!(receiver.arrivals("/hook").len(), 1);
    assert_eq!(hook.get().await["is_active"], false);
}

#[tokio::test]
async fn an_address_that_cannot_be_reached_is_answered_with_a_sentence() {
    let app = TestApp::builder()
        .set("MOLTFLOW_WEBHOOK_ALLOW_HTTP", "true")
        .start()
        .await;
    // The name is judged when it is dialled.
    let hook = Hook::on(&app.full_key(), "http://nowhere.invalid/", &["*"]).await;
    let tried = hook.order("/test").await.expect(200);
    assert_eq!(tried["success"], false);
    assert_eq!(tried["status_code"], Value::Null);
    let error = tried["error"].as_str().unwrap();
    assert!(error.starts_with("The "), "{error}");
}

#[tokio::test]
async fn a_trial_is_not_told_on_any_stream() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    hook.order("/test").await.expect(200);
    write(&scene.app, &scene.session, "hello").await;
    let next = scene.events.next().await;
    assert_eq!(next.name, "message.received");
}

/// They are beyond what limits deliveries.
#[tokio::test]
async fn a_tenant_tries_out_four_webhooks_at_a_time_and_nobody_elses_waits() {
    let app = start().await;
    let key = app.full_key();
    let receiver = Receiver::open().await;
    let hook = Hook::on(&key, &receiver.url("/hook"), &["*"]).await;
    let held = receiver.hold("/hook");
    let mut trials = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let hook = hook.clone();
        trials.spawn(async move { hook.order("/test").await });
    }
    receiver.arrived("/hook", 4).await;
    let fifth = hook.order("/test").await;
    assert!(fifth.refused(429).contains("Try again"), "{fifth}");
    assert!(fifth.header("retry-after").is_some());
    let neighbour = app.other_tenant().await.key;
    let theirs = Hook::on(&neighbour, &receiver.url("/theirs"), &["*"]).await;
    assert_eq!(theirs.order("/test").await.expect(200)["success"], true);
    held.release();
    for tried in trials.join_all().await {
        assert_eq!(tried.expect(200)["success"], true);
    }
    assert_eq!(hook.order("/test").await.expect(200)["success"], true);
    assert_eq!(hook.deliveries("").await.len(), 5);
}

#[tokio::test]
async fn a_trial_that_is_under_way_arrives_once_although_it_is_replayed() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    let held = scene.receiver.hold("/hook");
    let (tried, ()) = tokio::join!(hook.order("/test"), async {
        scene.receiver.arrived("/hook", 1).await;
        let listed = hook.deliveries("").await.remove(0);
        let id = listed["id"].as_str().unwrap();
        let path = format!("/webhooks/deliveries/{id}/replay");
        scene.key.order(&path).await.expect(200);
        held.release();
    });
    assert_eq!(tried.expect(200)["success"], true);
    assert_eq!(hook.delivery().await["status"], "delivered");
    scene.tell("hello").await;
    let arrivals = scene.receiver.arrived("/hook", 2).await;
    assert_eq!(arrivals[1].header("x-webhook-event"), "message.received");
}
