use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Scene, assert_signed, pass_time};
use crate::support::{Arrival, Told};

/// Seconds from one moment of an answer to another.
fn seconds(from: &Value, to: &Value) -> f64 {
    let at = |value: &Value| -> DateTime<Utc> { value.as_str().unwrap().parse().unwrap() };
    (at(to) - at(from)).as_seconds_f64()
}

fn stamp(arrival: &Arrival) -> i64 {
    arrival.header("webhook-timestamp").parse().unwrap()
}

#[tokio::test]
async fn what_failed_is_sent_again_under_the_same_id() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    let bad = Told::status(500).body(&"oops ".repeat(1000));
    scene.receiver.answer_once("/hook", bad);
    let id = scene.tell("hello").await;
    let failed = hook.attempted(1).await.remove(0);
    assert_eq!(failed["status"], "pending");
    assert_eq!(failed["last_status_code"], 500);
    assert_eq!(failed["last_error"], "The endpoint answered 500");
    assert_eq!(failed["finished_at"], Value::Null);
    let shown = hook.delivery().await;
    let pause = seconds(&shown["attempts"][0]["at"], &failed["next_attempt_at"]);
    assert!((3.9..20.0).contains(&pause), "{pause}");
    let webhook = hook.get().await;
    assert_eq!(webhook["failure_count"], 1);
    assert_eq!(webhook["last_delivery_at"], Value::Null);
    let health = &webhook["health"];
    assert_eq!(health["status"], "failing");
    assert_eq!(health["pending"], 1);
    assert_eq!(health["oldest_pending_at"], failed["event_at"]);
    assert_eq!(health["next_attempt_at"], failed["next_attempt_at"]);
    assert_eq!(health["failed_attempt_count"], 1);
    assert_eq!(health["success_rate"], 0.0);
    assert_eq!(health["last_error"], "The endpoint answered 500");
    assert_ne!(health["failing_since"], Value::Null);

    pass_time(&scene.app).await;
    let delivered = hook.attempted(2).await.remove(0);
    assert_eq!(delivered["status"], "delivered");
    assert_eq!(delivered["attempt_count"], 2);
    let arrivals = scene.receiver.arrivals("/hook");
    assert_eq!(arrivals.len(), 2);
    for arrival in &arrivals {
        assert_eq!(arrival.id(), id);
        assert_eq!(arrival.body, arrivals[0].body);
        // Each is signed with the moment at which it was sent.
        assert_signed(arrival, &hook.secret);
    }
    assert!(stamp(&arrivals[1]) >= stamp(&arrivals[0]));
    let attempts = &hook.delivery().await["attempts"];
    assert_eq!(attempts[0]["number"], 1);
    assert_eq!(attempts[0]["status_code"], 500);
    assert!(attempts[0]["latency_ms"].as_f64().unwrap() > 0.0);
    let kept = attempts[0]["response"].as_str().unwrap();
    assert!(kept.starts_with("oops ") && kept.len() == 1024, "{kept}");
    assert_eq!(attempts[1]["number"], 2);
    assert_eq!(attempts[1]["status_code"], 200);
    assert_eq!(attempts[1]["error"], Value::Null);
    assert_eq!(attempts[1]["response"], Value::Null);
    let webhook = hook.get().await;
    assert_eq!(webhook["failure_count"], 0);
    assert_ne!(webhook["last_delivery_at"], Value::Null);
    assert_eq!(webhook["health"]["status"], "healthy");
    assert_eq!(webhook["health"]["failing_since"], Value::Null);
    assert_eq!(webhook["health"]["success_rate"], 0.5);
}

#[tokio::test]
async fn an_answer_that_cannot_be_text_is_kept_as_far_as_it_can() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    let odd = Told::status(400).body("a\0b");
    scene.receiver.answer("/hook", odd);
    scene.tell("hello").await;
    hook.attempted(1).await;
    let attempt = &hook.delivery().await["attempts"][0];
    assert_eq!(attempt["response"], "a\u{fffd}b");
    assert_eq!(attempt["error"], "The endpoint answered 400");
}

#[tokio::test]
async fn an_endpoint_can_ask_for_more_time() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    let busy = Told::status(429).header("Retry-After", "300");
    scene.receiver.answer_once("/hook", busy);
    scene.tell("one").await;
    let waiting = hook.attempted(1).await.remove(0);
    assert_eq!(waiting["last_error"], "The endpoint answered 429");
    let attempt = &hook.delivery().await["attempts"][0];
    let pause = seconds(&attempt["at"], &waiting["next_attempt_at"]);
    assert!((299.0..330.0).contains(&pause), "{pause}");
    // What comes meanwhile waits too.
    let health = &hook.get().await["health"];
    assert_eq!(health["status"], "paused");
    let blocked = seconds(&attempt["at"], &health["blocked_until"]);
    assert!((299.0..330.0).contains(&blocked), "{blocked}");
    let other = scene.hook("/other").await;
    scene.tell("two").await;
    scene.receiver.arrived("/other", 1).await;
    other.attempted(1).await;
    assert_eq!(scene.receiver.arrivals("/hook").len(), 1);
    // And says so, while there is anything to wait for.
    let health = hook.get().await["health"].clone();
    assert_eq!(health["next_attempt_at"], health["blocked_until"]);
    let fresh = &hook.deliveries("").await[0];
    assert_eq!(fresh["attempt_count"], 0);
    assert_eq!(fresh["next_attempt_at"], health["blocked_until"]);
    hook.patch(json!({"is_active": false})).await;
    assert_eq!(hook.get().await["health"]["next_attempt_at"], Value::Null);
    let waiting = &hook.deliveries("").await[0];
    assert_eq!(waiting["status"], "pending");
    assert_eq!(waiting["next_attempt_at"], Value::Null);
    assert_eq!(hook.get().await["health"]["pending"], 2);

    hook.patch(json!({"is_active": true})).await;
    pass_time(&scene.app).await;
    let delivered = hook.attempted(3).await;
    assert!(delivered.iter().all(|one| one["status"] == "delivered"));
    assert_eq!(hook.get().await["health"]["status"], "healthy");
}

#[tokio::test]
async fn no_endpoint_can_ask_for_less_time() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    let hasty = Told::status(503).header("Retry-After", "0");
    scene.receiver.answer_once("/hook", hasty);
    scene.tell("hello").await;
    let waiting = hook.attempted(1).await.remove(0);
    let attempt = &hook.delivery().await["attempts"][0];
    let pause = seconds(&attempt["at"], &waiting["next_attempt_at"]);
    assert!(pause > 3.9, "{pause}");
}

#[tokio::test]
async fn after_seven_failures_it_is_dead_and_kept() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    scene.receiver.answer("/hook", Told::status(503));
    let id = scene.tell("hello").await;
    let pauses = [5.0, 60.0, 600.0, 3600.0, 21_600.0, 86_400.0];
    for (made, expected) in (1..).zip(pauses) {
        let waiting = hook.attempted(made).await.remove(0);
        assert_eq!(waiting["status"], "pending");
        let shown = hook.delivery().await;
        let attempts = shown["attempts"].as_array().unwrap();
        let pause = seconds(&attempts.last().unwrap()["at"], &waiting["next_attempt_at"]);
        let (least, most) = (expected * 0.79, expected * 1.21 + 15.0);
        assert!((least..most).contains(&pause), "{made}: {pause}");
        pass_time(&scene.app).await;
    }
    let dead = hook.attempted(7).await.remove(0);
    assert_eq!(dead["status"], "dead");
    assert_eq!(dead["attempt_count"], 7);
    assert_eq!(dead["next_attempt_at"], Value::Null);
    assert_ne!(dead["finished_at"], Value::Null);
    let shown = hook.delivery().await;
    let numbers: Vec<&Value> = shown["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["number"])
        .collect();
    assert_eq!(json!(numbers), json!([1, 2, 3, 4, 5, 6, 7]));
    assert_eq!(shown["payload"]["id"], json!(id));
    let webhook = hook.get().await;
    assert_eq!(webhook["health"]["dead"], 1);
    assert_eq!(webhook["health"]["pending"], 0);
    assert_eq!(webhook["is_active"], true);
    pass_time(&scene.app).await;
    scene.tell("another").await;
    scene.receiver.arrived("/hook", 8).await;
    assert_eq!(hook.deliveries("status=dead").await.len(), 1);
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_not_followed() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    let elsewhere = scene.receiver.url("/elsewhere");
    for (count, status) in (1..).zip([301, 302, 307, 308]) {
        let moved = Told::status(status).header("Location", &elsewhere);
        scene.receiver.answer("/hook", moved);
        scene.tell("hello").await;
        scene.receiver.arrived("/hook", count).await;
    }
    let failed = hook.attempted(4).await;
    for one in failed {
        assert_eq!(one["status"], "pending");
        let error = one["last_error"].as_str().unwrap();
        assert!(error.ends_with("redirects are not followed"), "{error}");
    }
    assert_eq!(scene.receiver.arrivals("/elsewhere").len(), 0);
}

#[tokio::test]
async fn an_endpoint_that_nobody_is_at_fails_with_a_sentence() {
    let mut scene = Scene::set().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let hook = super::Hook::on(&scene.key, &url, &["message.received"]).await;
    scene.tell("hello").await;
    let failed = hook.attempted(1).await.remove(0);
    assert_eq!(failed["last_status_code"], Value::Null);
    assert_eq!(failed["last_error"], "The connection was refused");
    assert_eq!(failed["status"], "pending");
}

#[tokio::test]
async fn a_webhook_that_fails_ten_times_in_a_row_is_left_alone_for_a_while() {
    let mut scene = Scene::set().await;
    let hook = scene.hook("/hook").await;
    scene.receiver.answer("/hook", Told::status(500));
    for _ in 0..10 {
        scene.tell("hello").await;
    }
    hook.attempted(10).await;
    let webhook = hook.get().await;
    assert!(webhook["failure_count"].as_i64() >= Some(10), "{webhook}");
    assert_eq!(webhook["health"]["status"], "paused");
    assert_ne!(webhook["health"]["blocked_until"], Value::Null);
    let until_then = scene.receiver.arrivals("/hook").len();
    let other = scene.hook("/other").await;
    scene.tell("one more").await;
    scene.receiver.arrived("/other", 1).await;
    other.attempted(1).await;
    assert_eq!(scene.receiver.arrivals("/hook").len(), until_then);
    // It comes back by itself, and everything arrives.
    scene.receiver.answer("/hook", Told::status(200));
    pass_time(&scene.app).await;
    let arrivals = scene.receiver.arrived("/hook", until_then + 11).await;
    hook.attempted(i64::try_from(arrivals.len()).unwrap()).await;
    assert_eq!(hook.deliveries("status=delivered").await.len(), 11);
    let health = &hook.get().await["health"];
    assert_eq!(health["status"], "healthy");
    let rate = health["success_rate"].as_f64().unwrap();
    assert!((0.4..0.6).contains(&rate), "{health}");
}
