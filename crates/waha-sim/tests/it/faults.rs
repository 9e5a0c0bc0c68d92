use std::time::{Duration, Instant};

use mf_waha_sim::{Dialect, Failure};
use serde_json::json;

use super::support::{FRIEND, KEY, Waha, soon, waha};

async fn try_send(waha: &Waha, id: &str) -> reqwest::Result<reqwest::Response> {
    let body = json!({"session": "main", "chatId": FRIEND, "text": "hi", "id": id});
    let url = format!("{}/api/sendText", waha.base);
    soon(
        waha.http
            .post(url)
            .header("X-Api-Key", KEY)
            .json(&body)
            .send(),
    )
    .await
}

#[tokio::test]
async fn a_failure_before_leaves_no_trace_and_is_used_up() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    waha.sim
        .fail_next(Failure::new(500).on("POST /api/sendText"));
    assert_eq!(
        waha.get("/api/sessions").await.0,
        200,
        "other routes are not hit"
    );
    assert_eq!(try_send(&waha, "3EB0AA").await.unwrap().status(), 500);
    assert!(waha.sim.sent("main").is_empty());
    assert_eq!(try_send(&waha, "3EB0AA").await.unwrap().status(), 201);
}

#[tokio::test]
async fn an_answer_can_be_lost_after_the_message_went_out() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    let order = json!({"route": "/api/sendText", "status": 0, "when": "after"});
    assert_eq!(waha.post("/sim/fail-next", order).await.0, 200);
    assert!(try_send(&waha, "3EB0AA").await.is_err());
    assert_eq!(waha.sim.sent("main").len(), 1);
    assert_eq!(try_send(&waha, "3EB0AA").await.unwrap().status(), 201);
    assert_eq!(waha.sim.sent("main")[0].deliveries, 1);
}

#[tokio::test]
async fn a_failure_can_have_its_own_body_and_last_several_requests() {
    let waha = waha(Dialect::Noweb).await;
    let body = json!({"message": "rate-overlimit"});
    waha.sim
        .fail_next(Failure::new(429).body(body.clone()).times(2));
    for _ in 0..2 {
        assert_eq!(waha.get("/api/sessions").await, (429, body.clone()));
    }
    assert_eq!(waha.get("/api/sessions").await.0, 200);
}

#[tokio::test]
async fn offline_nothing_answers_but_the_remote_control() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    assert_eq!(
        waha.post("/sim/offline", json!({"offline": true})).await.0,
        200
    );
    assert!(try_send(&waha, "3EB0AA").await.is_err());
    let ping = soon(waha.http.get(format!("{}/ping", waha.base)).send()).await;
    assert!(ping.is_err());
    assert_eq!(
        waha.post("/sim/offline", json!({"offline": false})).await.0,
        200
    );
    assert_eq!(try_send(&waha, "3EB0AA").await.unwrap().status(), 201);
    assert_eq!(waha.sim.sent("main")[0].submissions, 1);
}

#[tokio::test]
async fn a_slow_server_takes_at_least_as_long_as_ordered() {
    let waha = waha(Dialect::Noweb).await;
    assert_eq!(waha.post("/sim/slow", json!({"millis": 50})).await.0, 200);
    let begun = Instant::now();
    waha.get("/api/sessions").await;
    assert!(begun.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_reset_forgets_everything() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    try_send(&waha, "3EB0AA").await.unwrap();
    waha.sim.fail_next(Failure::new(500));
    assert_eq!(waha.post("/sim/reset", json!({})).await.0, 200);
    assert_eq!(waha.get("/api/sessions?all=true").await, (200, json!([])));
    assert!(waha.sim.sent("main").is_empty());
}

#[tokio::test]
async fn a_wrong_order_is_refused() {
    let waha = waha(Dialect::Noweb).await;
    assert_eq!(
        waha.post("/sim/slow", json!({"millis": "long"})).await.0,
        400
    );
    assert_eq!(waha.post("/sim/sessions/x/scan", json!({})).await.0, 404);
    waha.create("main", json!({})).await;
    assert_eq!(waha.post("/sim/sessions/main/scan", json!({})).await.0, 422);
    let hello = json!({"from": FRIEND, "text": "hi"});
    assert_eq!(waha.post("/sim/sessions/main/inbound", hello).await.0, 422);
}

#[tokio::test]
async fn a_success_can_be_made_to_say_nothing() {
    let waha = waha(Dialect::Webjs).await;
    waha.working("main", json!({})).await;
    waha.sim
        .fail_next(Failure::new(201).on("/api/sendText").after());
    let answer = try_send(&waha, "ignored").await.unwrap();
    assert_eq!(answer.status(), 201);
    assert!(answer.bytes().await.unwrap().is_empty());
    assert_eq!(waha.sim.sent("main").len(), 1);
}
