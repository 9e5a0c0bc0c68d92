use std::time::Duration;

use mf_waha_sim::{Config, Dialect, Status};
use reqwest::Method;
use serde_json::json;

use super::support::{KEY, heard, parts, soon, waha, waha_with};

#[tokio::test]
async fn a_session_is_started_on_creation_only_when_asked_explicitly() {
    let waha = waha(Dialect::Noweb).await;
    let (status, body) = waha.post("/api/sessions", json!({"name": "quiet"})).await;
    assert_eq!((status, &body["status"]), (201, &json!("STOPPED")));
    let (status, body) = waha
        .post("/api/sessions", json!({"name": "loud", "start": true}))
        .await;
    assert_eq!((status, &body["status"]), (201, &json!("STARTING")));
    waha.reaches("loud", Status::ScanQrCode).await;
}

#[tokio::test]
async fn a_list_hides_stopped_sessions_unless_all_are_asked_for() {
    let waha = waha(Dialect::Noweb).await;
    waha.create("stopped", json!({})).await;
    waha.scannable("running", json!({})).await;
    let (_, body) = waha.get("/api/sessions").await;
    assert_eq!(body.as_array().unwrap().len(), 1);
    assert_eq!(body[0]["name"], "running");
    let (_, body) = waha.get("/api/sessions?all=true").await;
    assert_eq!(body.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_session_goes_from_start_over_the_qr_code_to_work_and_tells_each_step() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", heard(json!({"metadata": {"tenant": "t1"}})).await)
        .await;
    let payload = waha
        .event("session.status", |payload| payload["status"] == "WORKING")
        .await;
    let statuses: Vec<_> = payload["statuses"].as_array().unwrap().iter().collect();
    let names: Vec<_> = statuses
        .iter()
        .map(|point| point["status"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["STARTING", "SCAN_QR_CODE", "WORKING"]);
    assert!(
        statuses
            .iter()
            .all(|point| point["timestamp"].as_i64().unwrap() > 1_600_000_000_000)
    );

    let (_, info) = waha.get("/api/sessions/main").await;
    let me = &info["me"];
    assert!(me["id"].as_str().unwrap().ends_with("@c.us"), "{me}");
    assert!(me["lid"].as_str().unwrap().ends_with("@lid"), "{me}");
    assert!(
        me["jid"].as_str().unwrap().ends_with("@s.whatsapp.net"),
        "{me}"
    );
    assert_eq!(info["config"]["metadata"]["tenant"], "t1");
    assert_eq!(info["engine"]["engine"], "NOWEB");
    assert!(info["timestamps"]["activity"].is_i64());
}

#[tokio::test]
async fn starting_a_running_session_is_refused() {
    let waha = waha(Dialect::Noweb).await;
    waha.scannable("main", json!({})).await;
    let (status, body) = waha.post("/api/sessions/main/start", json!({})).await;
    assert_eq!(status, 422);
    assert_eq!(body["message"], "Session 'main' is already started.");
    waha.sim.set_status("main", Status::Failed).unwrap();
    let (status, _) = waha.post("/api/sessions/main/start", json!({})).await;
    assert_eq!(status, 422, "a failed session counts as running");
}

#[tokio::test]
async fn a_paired_session_works_again_after_stop_and_start_without_a_qr_code() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", heard(json!({})).await).await;
    let (status, body) = waha.post("/api/sessions/main/stop", json!({})).await;
    assert_eq!(
        (status, &body["status"], &body["me"]),
        (201, &json!("STOPPED"), &json!(null))
    );
    let (status, _) = waha.post("/api/sessions/main/stop", json!({})).await;
    assert_eq!(status, 201, "stopping twice is fine");
    waha.post("/api/sessions/main/start", json!({})).await;
    waha.reaches("main", Status::Working).await;
    let payload = waha
        .event("session.status", |p| {
            p["status"] == "WORKING" && p["statuses"][0]["status"] == "STOPPED"
        })
        .await;
    assert_eq!(payload["statuses"][1]["status"], "STARTING");
}

#[tokio::test]
async fn logging_out_a_running_session_leads_to_a_new_qr_code() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    let (status, _) = waha.post("/api/sessions/main/logout", json!({})).await;
    assert_eq!(status, 201);
    waha.reaches("main", Status::ScanQrCode).await;
}

#[tokio::test]
async fn logging_out_a_stopped_session_leaves_it_stopped_and_unpaired() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    waha.post("/api/sessions/main/stop", json!({})).await;
    let (_, body) = waha.post("/api/sessions/main/logout", json!({})).await;
    assert_eq!(body["status"], "STOPPED");
    waha.post("/api/sessions/main/start", json!({})).await;
    waha.reaches("main", Status::ScanQrCode).await;
}

#[tokio::test]
async fn changing_the_config_replaces_all_of_it_and_restarts_a_running_session() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({"debug": true, "metadata": {"a": "b"}}))
        .await;
    let config = json!({"config": {"metadata": {"c": "d"}, "unheard": "of"}});
    let (status, body) = waha.put("/api/sessions/main", config).await;
    assert_eq!((status, &body["status"]), (200, &json!("STARTING")));
    assert_eq!(body["config"], json!({"metadata": {"c": "d"}}));
    waha.reaches("main", Status::Working).await;
}

#[tokio::test]
async fn deleting_answers_with_nothing_however_often() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    for _ in 0..2 {
        let response = waha.call(Method::DELETE, "/api/sessions/main", None).await;
        assert_eq!(response.status(), 200);
        assert!(!response.headers().contains_key("content-type"));
        assert!(response.bytes().await.unwrap().is_empty());
    }
    assert_eq!(waha.get("/api/sessions/main").await.0, 404);
}

#[tokio::test]
async fn me_is_empty_before_pairing_and_the_account_after() {
    let waha = waha(Dialect::Noweb).await;
    waha.scannable("main", json!({})).await;
    let response = waha.call(Method::GET, "/api/sessions/main/me", None).await;
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.unwrap().is_empty());
    waha.sim
        .scan_as("main", Some("4915112345678".to_owned()), None)
        .await
        .unwrap();
    let (_, me) = waha.get("/api/sessions/main/me").await;
    assert_eq!(me["id"], "4915112345678@c.us");
}

#[tokio::test]
async fn a_dropped_connection_comes_back_by_itself() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", heard(json!({})).await).await;
    let (status, _) = waha.post("/sim/sessions/main/disconnect", json!({})).await;
    assert_eq!(status, 200);
    waha.event("session.status", |p| {
        p["status"] == "WORKING" && p["statuses"][0]["status"] == "WORKING"
    })
    .await;
}

#[tokio::test]
async fn lifecycle_calls_on_one_session_take_turns() {
    let mut config = Config::quick(KEY);
    config.start_delay = Duration::from_millis(50);
    let waha = waha_with(config).await;
    waha.working("main", json!({})).await;
    let (stop, start) = tokio::join!(waha.post("/api/sessions/main/stop", json!({})), async {
        waha.reaches("main", Status::Stopped).await;
        waha.post("/api/sessions/main/start", json!({})).await
    },);
    assert_eq!((stop.0, &stop.1["status"]), (201, &json!("STOPPED")));
    assert_eq!((start.0, &start.1["status"]), (201, &json!("STARTING")));
}

#[tokio::test]
async fn a_nameless_session_gets_a_name() {
    let waha = waha(Dialect::Noweb).await;
    let response = waha
        .call(Method::POST, "/api/sessions", Some(&json!({})))
        .await;
    let (status, body) = soon(parts(response)).await;
    assert_eq!(status, 201);
    assert!(
        body["name"].as_str().unwrap().starts_with("session_"),
        "{body}"
    );
}
