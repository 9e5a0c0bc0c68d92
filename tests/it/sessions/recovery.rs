//! A session that shall run comes back by itself, as far as no person is needed.

use std::sync::Arc;

use mf_waha_sim::Status;
use serde_json::{Value, json};

use super::steps;
use crate::support::{Event, TestApp};

/// Failed sessions are brought back at once.
async fn impatient() -> TestApp {
    let app = TestApp::builder().set("MOLTFLOW_RECOVERY_BASE_SECONDS", 0);
    app.start().await
}

fn reasons(events: &[Event], status: &str) -> Vec<String> {
    events
        .iter()
        .filter(|event| event.name == "session.status" && event.status() == status)
        .map(|event| event.data()["reason"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_session_that_failed_comes_back_and_nobody_hears_of_a_disconnection() {
    let app = impatient().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim.set_status(&session.engine, Status::Failed).unwrap();
    let told = events
        .collect_until(|event| event.status() == "working")
        .await;
    let expected = [
        "session.status failed",
        "session.status starting",
        "session.status working",
    ];
    assert_eq!(steps(&told), expected);
    assert!(reasons(&told, "failed")[0].contains("being restarted"));
    assert_eq!(session.get().await["last_error"], Value::Null);
}

#[tokio::test]
async fn a_session_that_goes_on_failing_is_tried_again_and_says_what_may_help() {
    let app = impatient().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim.fail_starts(&session.engine, 2).unwrap();
    app.sim.set_status(&session.engine, Status::Failed).unwrap();
    let told = events
        .collect_until(|event| event.status() == "working")
        .await;
    let reasons = reasons(&told, "failed");
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(reasons[1].contains("failed again"), "{reasons:?}");
    assert!(reasons[2].contains("pair it anew"), "{reasons:?}");
    assert_eq!(session.get().await["status"], "working");
}

#[tokio::test]
async fn a_phone_that_logs_the_device_out_leads_to_a_code_with_the_reason() {
    let app = impatient().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim.unlink(&session.engine).unwrap();
    let lost = events.named("session.disconnected").await;
    assert_eq!(lost.status(), "qr_code");
    let reason = lost.data()["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("logged this device out"), "{reason}");
    let shown = session.get().await;
    assert_eq!(shown["status"], "qr_code");
    assert_eq!(shown["last_error"], json!(reason));

    app.sim.scan(&session.engine).await.unwrap();
    let back = events.named("session.connected").await;
    assert_eq!(back.data()["reason"], Value::Null);
    assert_eq!(session.get().await["last_error"], Value::Null);
}

#[tokio::test]
async fn a_code_that_nobody_scanned_waits_for_a_person() {
    let app = TestApp::builder()
        .set("MOLTFLOW_RECOVERY_BASE_SECONDS", 0)
        .engine(|engine| {
            engine.qr_first = std::time::Duration::from_millis(300);
            engine.qr_next = std::time::Duration::from_millis(20);
        });
    let app = app.start().await;
    let (session, mut events) = app.scannable_session(&app.full_key()).await;
    events.status("failed").await;
    let services = Arc::clone(app.services());
    app.within(async move {
        services.recover_sessions().await.unwrap();
        services.reconcile_sessions().await.unwrap();
    })
    .await;
    let due = "SELECT count(*) FROM wa_session WHERE recovery_next_at IS NOT NULL";
    assert_eq!(app.count(due).await, 0);
    assert_eq!(session.get().await["status"], "failed");
    assert_eq!(app.sim.status(&session.engine), Some(Status::Failed));
}

#[tokio::test]
async fn a_session_that_stays_away_is_disconnected_once_and_connected_once() {
    let app = TestApp::builder()
        .set("MOLTFLOW_DISCONNECT_GRACE_SECONDS", 1)
        .start()
        .await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim
        .set_status(&session.engine, Status::Starting)
        .unwrap();
    let mut told = events
        .collect_until(|event| event.name == "session.disconnected")
        .await;
    assert_eq!(told.last().unwrap().status(), "starting");
    let shown = session.get().await;
    assert_eq!(shown["last_error"], told.last().unwrap().data()["reason"]);
    assert!(shown["last_error"].is_string(), "{shown}");
    app.sim
        .set_status(&session.engine, Status::Working)
        .unwrap();
    told.extend(
        events
            .collect_until(|event| event.name == "session.connected")
            .await,
    );
    let count = |name: &str| told.iter().filter(|event| event.name == name).count();
    assert_eq!(count("session.disconnected"), 1);
    assert_eq!(count("session.connected"), 1);
    assert_eq!(session.get().await["last_error"], Value::Null);
}

#[tokio::test]
async fn a_session_that_the_engine_stopped_is_started_again_without_a_disconnection() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim
        .set_status(&session.engine, Status::Stopped)
        .unwrap();
    let mut told = events
        .collect_until(|event| event.status() == "starting")
        .await;
    let services = Arc::clone(app.services());
    app.within(async move { services.reconcile_sessions().await })
        .await
        .unwrap();
    told.extend(
        events
            .collect_until(|event| event.status() == "working")
            .await,
    );
    let expected = ["session.status starting", "session.status working"];
    assert_eq!(steps(&told), expected);
}

#[tokio::test]
async fn an_order_to_stop_ends_the_attempts() {
    let app = TestApp::builder()
        .set("MOLTFLOW_RECOVERY_BASE_SECONDS", 600)
        .start()
        .await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim.set_status(&session.engine, Status::Failed).unwrap();
    events.status("failed").await;
    let due = "SELECT count(*) FROM wa_session WHERE recovery_next_at IS NOT NULL";
    assert_eq!(app.count(due).await, 1);
    session.order("stop").await.expect(200);
    assert_eq!(app.count(due).await, 0);
    let services = Arc::clone(app.services());
    app.within(async move { services.recover_sessions().await })
        .await
        .unwrap();
    assert_eq!(session.get().await["status"], "stopped");
}

#[tokio::test]
async fn sessions_at_the_engine_that_nobody_here_has_are_left_alone() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    // As if the database had been restored to an older state.
    sqlx::query("DELETE FROM wa_session")
        .execute(app.rows())
        .await
        .unwrap();
    let services = Arc::clone(app.services());
    app.within(async move { services.reconcile_sessions().await })
        .await
        .unwrap();
    assert_eq!(app.sim.status(&session.engine), Some(Status::Working));
}
