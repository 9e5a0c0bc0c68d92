//! A session that is shown `working` has proved it lately.

use std::sync::Arc;

use mf_waha_sim::{Dialect, Failure, Inbound, Status};
use serde_json::{Value, json};

use super::steps;
use crate::support::{Event, TestApp, soon};

/// What a session is asked, to see whether WhatsApp answers.
const QUESTION: &str = "/api/contacts/check-exists";

/// Nothing was heard of any session for an hour.
async fn silence(app: &TestApp) {
    let long_ago = "UPDATE wa_session
         SET last_seen_at = now() - interval '1 hour', status_since = now() - interval '1 hour',
             probed_at = NULL";
    sqlx::query(long_ago).execute(app.rows()).await.unwrap();
}

/// Looks at the silent sessions, as the watchdog does.
async fn look(app: &TestApp) {
    let services = Arc::clone(app.services());
    let look = async move { services.probe_silent_sessions().await };
    app.within(look).await.unwrap();
}

fn reason(event: &Event) -> &str {
    event.data()["reason"].as_str().unwrap_or_default()
}

async fn a_dead_session_is_found_and_works_again(dialect: Dialect) {
    let app = TestApp::builder()
        .dialect(dialect)
        .set("MOLTFLOW_WATCHDOG_SECONDS", 5)
        .start()
        .await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim.set_zombie(&session.engine, true).unwrap();
    silence(&app).await;
    let mut told = events
        .collect_until(|event| event.status() == "starting")
        .await;
    let found = told.last().unwrap();
    assert_eq!(found.data()["previous_status"], "working");
    assert!(reason(found).contains("did not answer"), "{found:?}");
    told.extend(
        events
            .collect_until(|event| event.status() == "working")
            .await,
    );
    let expected = ["session.status starting", "session.status working"];
    assert_eq!(steps(&told), expected);
    assert_eq!(session.get().await["last_error"], Value::Null);

    let inbound = Inbound::text("15550000002@c.us", "anybody there?");
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    events.named("message.received").await;
    session.send("15550000003", "yes").await;
    events.named("message.sent").await;
}

#[tokio::test]
async fn a_dead_session_is_found_and_works_again_on_noweb() {
    a_dead_session_is_found_and_works_again(Dialect::Noweb).await;
}

#[tokio::test]
async fn a_dead_session_is_found_and_works_again_on_gows() {
    a_dead_session_is_found_and_works_again(Dialect::Gows).await;
}

#[tokio::test]
async fn a_dead_session_is_found_and_works_again_on_webjs() {
    a_dead_session_is_found_and_works_again(Dialect::Webjs).await;
}

#[tokio::test]
async fn a_quiet_session_that_answers_is_left_alone() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    silence(&app).await;
    let told = app.count("SELECT count(*) FROM event").await;
    look(&app).await;
    let heard = "SELECT count(*) FROM wa_session WHERE last_seen_at > now() - interval '1 minute'";
    assert_eq!(app.count(heard).await, 1);
    assert_eq!(session.get().await["status"], "working");
    assert_eq!(app.count("SELECT count(*) FROM event").await, told);
}

#[tokio::test]
async fn an_engine_that_is_away_says_nothing_about_its_sessions() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    silence(&app).await;
    app.wire.cut().await;
    look(&app).await;
    assert_eq!(session.get().await["status"], "working");
    app.wire.mend().await;
}

#[tokio::test]
async fn a_session_that_a_restart_does_not_cure_is_shown_as_failed_and_tried_again_later() {
    let app = TestApp::builder()
        .set("MOLTFLOW_WATCHDOG_SECONDS", 5)
        .set("MOLTFLOW_RECOVERY_BASE_SECONDS", 600)
        .start()
        .await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim.set_zombie(&session.engine, true).unwrap();
    silence(&app).await;
    look(&app).await;
    events.status("starting").await;
    events.status("working").await;
    app.sim.set_zombie(&session.engine, true).unwrap();
    silence(&app).await;
    look(&app).await;
    let failed = events.status("failed").await;
    assert!(reason(&failed).contains("restarted"), "{failed:?}");
    // The engine goes on calling it working: that alone proves nothing.
    assert_eq!(app.sim.status(&session.engine), Some(Status::Working));
    let services = Arc::clone(app.services());
    app.within(async move { services.reconcile_sessions().await })
        .await
        .unwrap();
    assert_eq!(session.get().await["status"], "failed");
    let planned = "SELECT count(*) FROM wa_session WHERE recovery_next_at > now()";
    assert_eq!(app.count(planned).await, 1);

    // Nothing was to be done but to wait: it is heard of again.
    app.sim.set_zombie(&session.engine, false).unwrap();
    let services = Arc::clone(app.services());
    app.within(async move { services.reconcile_sessions().await })
        .await
        .unwrap();
    events.status("working").await;
}

#[tokio::test]
async fn what_only_whatsapp_can_have_caused_is_proof_of_life() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    silence(&app).await;
    let inbound = Inbound::text("15550000002@c.us", "hello");
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    events.named("message.received").await;
    let heard = "SELECT count(*) FROM wa_session WHERE last_seen_at > now() - interval '1 minute'";
    assert_eq!(app.count(heard).await, 1);
}

#[tokio::test]
async fn a_restricted_account_is_named_once_and_cleared_when_it_may_write_again() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    for _ in 0..2 {
        session.try_send("15550000463", "hello").await.refused(400);
    }
    let restricted = events
        .until(|event| reason(event).contains("restricted this account"))
        .await;
    assert_eq!(restricted.name, "session.status");
    assert_eq!(restricted.status(), "working");
    let shown = session.get().await["last_error"].clone();
    assert_eq!(shown, json!(reason(&restricted)));
    let told = "SELECT count(*) FROM event WHERE name = 'session.status'
                AND body::json #>> '{data,reason}' LIKE '%restricted%'";
    assert_eq!(app.count(told).await, 1);

    session.send("15550000002", "hello").await;
    let cleared = events
        .until(|event| event.name == "session.status" && event.status() == "working")
        .await;
    assert_eq!(reason(&cleared), "");
    assert_eq!(session.get().await["last_error"], Value::Null);
}

#[tokio::test]
async fn a_session_that_did_not_answer_once_is_asked_again_and_left_alone() {
    let app = TestApp::builder()
        .set("MOLTFLOW_WATCHDOG_SECONDS", 5)
        .start()
        .await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let told = app.count("SELECT count(*) FROM event").await;
    app.sim.fail_next(Failure::new(500).on(QUESTION));
    silence(&app).await;
    look(&app).await;
    let heard = "SELECT count(*) FROM wa_session WHERE last_seen_at > now() - interval '1 minute'";
    soon(async { while app.count(heard).await == 0 {} }).await;
    assert_eq!(session.get().await["status"], "working");
    assert_eq!(app.count("SELECT count(*) FROM event").await, told);
}

#[tokio::test]
async fn a_session_that_did_not_answer_twice_is_restarted_once() {
    let app = TestApp::builder()
        .set("MOLTFLOW_WATCHDOG_SECONDS", 5)
        .start()
        .await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim.fail_next(Failure::new(500).on(QUESTION).times(2));
    silence(&app).await;
    look(&app).await;
    let told = events
        .collect_until(|event| event.status() == "working")
        .await;
    let expected = ["session.status starting", "session.status working"];
    assert_eq!(steps(&told), expected);
    look(&app).await;
    assert_eq!(session.get().await["status"], "working");
}
