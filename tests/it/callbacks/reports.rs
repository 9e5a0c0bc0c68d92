use mf_waha_sim::{Dialect, Failure};
use serde_json::{Value, json};

use super::{report, text};
use crate::support::TestApp;

fn status(status: &str, at: u64) -> Value {
    json!({"status": status, "statuses": [{"status": status, "timestamp": at}]})
}

const TOLD: &str = "SELECT count(*) FROM event";

#[tokio::test]
async fn of_statuses_that_overtake_each_other_the_latest_stands() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    // Far ahead of the engine's own clock.
    let later = 4_000_000_000_000;
    report(&app, &session, "session.status", status("STARTING", later))
        .await
        .expect(200);
    assert_eq!(session.get().await["status"], "starting");
    events.status("starting").await;
    let told = app.count(TOLD).await;
    for (word, at) in [
        ("WORKING", later - 1),
        ("FAILED", later - 1000),
        ("STOPPED", 1),
    ] {
        report(&app, &session, "session.status", status(word, at))
            .await
            .expect(200);
        assert_eq!(session.get().await["status"], "starting", "{word}");
    }
    assert_eq!(app.count(TOLD).await, told);
    report(
        &app,
        &session,
        "session.status",
        status("WORKING", later + 1),
    )
    .await
    .expect(200);
    assert_eq!(session.get().await["status"], "working");
    events.status("working").await;
}

#[tokio::test]
async fn a_status_without_a_word_of_ours_is_a_reason_and_no_change() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let told = app.count(TOLD).await;
    let body = status("DREAMING", 4_000_000_000_000);
    report(&app, &session, "session.status", body)
        .await
        .expect(200);
    let shown = session.get().await;
    assert_eq!(shown["status"], "working");
    assert!(
        shown["last_error"].as_str().unwrap().contains("DREAMING"),
        "{shown}"
    );
    assert_eq!(app.count(TOLD).await, told);
}

#[tokio::test]
async fn a_text_that_the_database_could_not_store_is_stored_all_the_same() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let body = text("NUL", "before \u{0} after");
    report(&app, &session, "message.any", body)
        .await
        .expect(200);
    let received = events.named("message.received").await;
    assert_eq!(received.data()["message"], "before \u{fffd} after");
}

#[tokio::test]
async fn an_acknowledgement_of_what_nobody_sent_changes_nothing() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let told = app.count(TOLD).await;
    for (id, from_me) in [
        ("true_15550000002@c.us_3EB0UNKNOWN", true),
        ("false_15550000002@c.us_AAAA", false),
    ] {
        let ack = json!({
            "id": id, "from": "15550000002@c.us", "to": null, "participant": null,
            "fromMe": from_me, "ack": 3, "ackName": "READ",
        });
        report(&app, &session, "message.ack", ack).await.expect(200);
    }
    assert_eq!(app.count(TOLD).await, told);
    assert_eq!(app.count("SELECT count(*) FROM message").await, 0);
}

#[tokio::test]
async fn a_report_may_be_larger_than_a_request() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let mut large = text("LARGE", "with a picture");
    large["_data"] = json!({"thumbnail": "x".repeat(2 << 20)});
    report(&app, &session, "message.any", large)
        .await
        .expect(200);
    events.named("message.received").await;
}

#[tokio::test]
async fn an_acknowledgement_may_overtake_the_report_that_tells_the_id() {
    // An engine that chooses ids itself, and whose answer did not tell which.
    let app = TestApp::builder().dialect(Dialect::Webjs).start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    app.sim.fail_next(Failure::new(201).on("/api/sendText"));
    let sent = session.send("15550000002", "hello").await;
    assert_eq!(sent["wa_message_id"], Value::Null);

    let ack = json!({
        "id": "true_15550000002@c.us_3EB0CHOSEN", "from": "15550000002@c.us", "to": null,
        "participant": null, "fromMe": true, "ack": 3, "ackName": "READ",
    });
    report(&app, &session, "message.ack", ack).await.expect(200);
    let mut told = text("3EB0CHOSEN", "hello");
    told["id"] = json!("true_15550000002@c.us_3EB0CHOSEN");
    told["fromMe"] = json!(true);
    report(&app, &session, "message.any", told)
        .await
        .expect(200);
    let shown = session.message(&sent).await;
    assert_eq!(shown["wa_message_id"], "3EB0CHOSEN");
    assert_eq!(shown["status"], "read");
}
