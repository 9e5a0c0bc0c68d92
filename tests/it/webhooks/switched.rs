use serde_json::{Value, json};

use super::{Hook, Scene, assert_signed, pass_time};
use crate::support::Told;

#[tokio::test]
async fn an_endpoint_that_is_gone_is_switched_off_and_the_tenant_told() {
    let mut scene = Scene::set().await;
    let gone = scene.hook("/gone").await;
    let url = scene.receiver.url("/told");
    let told = Hook::on(&scene.key, &url, &["webhook.disabled"]).await;
    let neighbour = scene.app.other_tenant().await.key;
    let theirs = Hook::on(&neighbour, &scene.receiver.url("/theirs"), &["*"]).await;
    scene.receiver.answer("/gone", Told::status(410));
    scene.tell("hello").await;
    let arrivals = scene.receiver.arrived("/told", 1).await;
    assert_signed(&arrivals[0], &told.secret);
    let envelope = arrivals[0].envelope();
    assert_eq!(envelope["event"], "webhook.disabled");
    assert_eq!(envelope["data"]["webhook_id"], json!(gone.id));
    assert!(!arrivals[0].body.windows(6).any(|six| six == b"whsec_"));
    let webhook = gone.get().await;
    assert_eq!(webhook["is_active"], false);
    assert_eq!(webhook["disabled_reason"], envelope["data"]["reason"]);
    let reason = webhook["disabled_reason"].as_str().unwrap();
    assert!(reason.contains("410"), "{reason}");
    assert_ne!(webhook["disabled_at"], Value::Null);
    assert_eq!(webhook["health"]["status"], "off");
    // Nothing more is sent, nor queued.
    scene.tell("again").await;
    pass_time(&scene.app).await;
    told.attempted(1).await;
    assert_eq!(scene.receiver.arrivals("/gone").len(), 1);
    assert_eq!(gone.deliveries("").await.len(), 1);
    assert_eq!(theirs.deliveries("").await, Vec::<Value>::new());

    // Somebody brings it back: what waited is sent, and nothing is held against it.
    scene.receiver.answer("/gone", Told::status(200));
    let back = gone.patch(json!({"is_active": true})).await;
    assert_eq!(back["disabled_reason"], Value::Null);
    assert_eq!(back["disabled_at"], Value::Null);
    assert_eq!(back["failure_count"], 0);
    pass_time(&scene.app).await;
    let delivered = gone.attempted(2).await.remove(0);
    assert_eq!(delivered["status"], "delivered");
}

#[tokio::test]
async fn after_five_days_of_failure_it_is_switched_off() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    let url = scene.receiver.url("/told");
    Hook::on(&scene.key, &url, &["webhook.disabled"]).await;
    scene.receiver.answer("/hook", Told::status(500));
    scene.tell("one").await;
    hook.attempted(1).await;
    let age = async |days: i32| {
        let sql = "UPDATE webhook_state SET failing_since = now() - make_interval(days => $1)
                   WHERE failing_since IS NOT NULL";
        let query = sqlx::query(sql).bind(days);
        query.execute(scene.app.rows()).await.unwrap();
    };
    age(4).await;
    pass_time(&scene.app).await;
    hook.attempted(2).await;
    assert_eq!(hook.get().await["is_active"], true);
    age(6).await;
    pass_time(&scene.app).await;
    let arrivals = scene.receiver.arrived("/told", 1).await;
    assert_eq!(arrivals[0].envelope()["data"]["webhook_id"], json!(hook.id));
    let webhook = hook.get().await;
    assert_eq!(webhook["is_active"], false);
    let reason = webhook["disabled_reason"].as_str().unwrap();
    assert!(reason.contains("5 days"), "{reason}");
}

#[tokio::test]
async fn what_waits_goes_where_the_webhook_leads_now() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/old").await;
    scene.receiver.answer("/old", Told::status(500));
    let id = scene.tell("hello").await;
    hook.attempted(1).await;
    let moved = json!({"url": scene.receiver.url("/new"), "secret": "another secret, at once"});
    hook.patch(moved).await;
    pass_time(&scene.app).await;
    let arrivals = scene.receiver.arrived("/new", 1).await;
    assert_eq!(arrivals[0].id(), id);
    assert_signed(&arrivals[0], "another secret, at once");
    assert_eq!(scene.receiver.arrivals("/old").len(), 1);
}

#[tokio::test]
async fn what_the_old_address_says_late_is_not_held_against_the_new_one() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/old").await;
    scene.receiver.answer("/old", Told::status(410));
    let held = scene.receiver.hold("/old");
    let first = scene.tell("one").await;
    scene.receiver.arrived("/old", 1).await;
    hook.patch(json!({"url": scene.receiver.url("/new")})).await;
    held.release();
    hook.attempted(1).await;
    scene.tell("two").await;
    scene.receiver.arrived("/new", 1).await;
    pass_time(&scene.app).await;
    let arrivals = scene.receiver.arrived("/new", 2).await;
    assert_eq!(arrivals[1].id(), first);
    let webhook = hook.get().await;
    assert_eq!(webhook["is_active"], true);
    assert_eq!(webhook["failure_count"], 0);
}

#[tokio::test]
async fn what_waits_while_it_is_off_is_sent_when_it_is_on() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    let other = scene.hook("/other").await;
    scene.receiver.answer("/hook", Told::status(500));
    let id = scene.tell("waits").await;
    hook.attempted(1).await;
    hook.patch(json!({"is_active": false})).await;
    scene.receiver.answer("/hook", Told::status(200));
    scene.tell("is not meant for it").await;
    pass_time(&scene.app).await;
    other.attempted(2).await;
    let health = &hook.get().await["health"];
    assert_eq!(
        (&health["status"], &health["pending"]),
        (&json!("off"), &json!(1))
    );
    assert_eq!(scene.receiver.arrivals("/hook").len(), 1);
    hook.patch(json!({"is_active": true})).await;
    pass_time(&scene.app).await;
    let delivered = hook.attempted(2).await;
    assert_eq!(delivered.len(), 1);
    assert_eq!(delivered[0]["status"], "delivered");
    let arrivals = scene.receiver.arrivals("/hook");
    assert_eq!(arrivals[1].id(), id);
}

#[tokio::test]
async fn what_waits_is_sent_after_a_restart() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    scene.receiver.answer_once("/hook", Told::status(500));
    let id = scene.tell("hello").await;
    hook.attempted(1).await;
    scene.app.stop().await;
    sqlx::query("UPDATE webhook_delivery SET next_at = now() - interval '1 second'")
        .execute(scene.app.rows())
        .await
        .unwrap();
    scene.app.start_again().await;
    let arrivals = scene.receiver.arrived("/hook", 2).await;
    assert_eq!(arrivals[1].id(), id);
    assert_signed(&arrivals[1], &hook.secret);
    let delivered = hook.attempted(2).await.remove(0);
    assert_eq!(delivered["status"], "delivered");
}
