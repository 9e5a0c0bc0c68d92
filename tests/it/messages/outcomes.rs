//! An engine that does not answer may have sent the message or not. Either way it is sent
//! once, or not at all where the caller did not want to wait.

use std::time::Duration;

use mf_waha_sim::{Dialect, Failure};
use serde_json::json;

use crate::support::{Session, TestApp};

async fn impatient(dialect: Dialect) -> TestApp {
    let app = TestApp::builder().dialect(dialect);
    app.set("MOLTFLOW_ENGINE_TIMEOUT", 1).start().await
}

async fn now_or_never(session: &Session) -> crate::support::Answer {
    let body = json!({"phone": "15550000002", "message": "now or never", "queue": false});
    session.post(body).await
}

#[tokio::test]
async fn a_slow_engine_that_did_send_it_is_found_out() {
    for dialect in [Dialect::Noweb, Dialect::Webjs] {
        let app = impatient(dialect).await;
        app.sim.set_manual_acks(true);
        let (session, mut events) = app.working_session(&app.full_key()).await;
        app.wire.hold_answers("POST /api/sendText");
        let pending = session.send("15550000002", "hello").await;
        // Where the report of it was quicker than the time-out, all is known already.
        let resolved = pending["status"] != "pending";
        app.wire.release();
        if !resolved {
            let sent = events.named("message.sent").await;
            assert_eq!(sent.data()["message_id"], pending["id"], "{dialect}");
        }
        assert_eq!(
            session.message(&pending).await["status"],
            "sent",
            "{dialect}"
        );
        let got = session.sent(&app.sim);
        assert_eq!(got.len(), 1, "{dialect}: {got:?}");
        assert_eq!((got[0].deliveries, got[0].submissions), (1, 1), "{dialect}");
        assert_eq!(
            app.count("SELECT count(*) FROM message").await,
            1,
            "{dialect}"
        );
    }
}

#[tokio::test]
async fn a_slow_engine_that_did_not_send_it_is_asked_again() {
    let app = impatient(Dialect::Noweb).await;
    app.sim.set_manual_acks(true);
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim.set_slow(Duration::from_secs(3));
    let pending = session.send("15550000002", "hello").await;
    assert_eq!(pending["status"], "pending");
    app.sim.set_slow(Duration::ZERO);
    let sent = events.named("message.sent").await;
    assert_eq!(sent.data()["message_id"], pending["id"]);
    let got = session.sent(&app.sim);
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!(got[0].deliveries, 1);
    // Under the id that it was given first.
    assert_eq!(json!(got[0].id), pending["wa_message_id"]);
}

#[tokio::test]
async fn where_nothing_can_be_found_out_nothing_is_sent_twice() {
    let app = TestApp::builder().dialect(Dialect::Webjs).start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    // Broken off before it did anything, which nobody can know.
    app.sim.fail_next(Failure::new(0).on("/api/sendText"));
    let pending = session.send("15550000002", "hello").await;
    assert_eq!(pending["status"], "pending");
    let failed = events.named("message.failed").await;
    assert_eq!(failed.data()["message_id"], pending["id"]);
    assert!(failed.data()["error"].as_str().unwrap().contains("unknown"));
    assert_eq!(session.sent(&app.sim), []);
}

#[tokio::test]
async fn who_does_not_want_to_wait_is_told_at_once_that_the_engine_is_away() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.wire.cut().await;
    let answer = now_or_never(&session).await;
    let sentence = answer.refused(502);
    assert!(sentence.contains("WhatsApp engine"), "{sentence}");
    assert!(
        !sentence.contains("127.0.0.1") && !sentence.contains("http"),
        "{sentence}"
    );
    events.named("message.failed").await;
    app.wire.mend().await;
    never_sent(&app, &session).await;
}

#[tokio::test]
async fn who_does_not_want_to_wait_is_told_that_the_engine_is_slow() {
    let app = impatient(Dialect::Noweb).await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim.set_slow(Duration::from_secs(3));
    let sentence = now_or_never(&session).await.refused(504);
    assert!(sentence.contains("in time"), "{sentence}");
    app.sim.set_slow(Duration::ZERO);
    events.named("message.failed").await;
    never_sent(&app, &session).await;
}

#[tokio::test]
async fn who_did_not_want_to_wait_learns_that_it_was_sent_after_all() {
    let app = impatient(Dialect::Noweb).await;
    app.sim.set_manual_acks(true);
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.wire.hold_answers("POST /api/sendText");
    now_or_never(&session).await.refused(504);
    app.wire.release();
    let sent = events.named("message.sent").await;
    assert_eq!(sent.status(), "sent");
    let got = session.sent(&app.sim);
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!((got[0].deliveries, got[0].submissions), (1, 1));
}

/// What comes next is sent, and what did not wait is not.
async fn never_sent(app: &TestApp, session: &Session) {
    session.send("15550000002", "the next").await;
    let texts: Vec<String> = session
        .sent(&app.sim)
        .into_iter()
        .map(|sent| sent.text)
        .collect();
    assert_eq!(texts, ["the next"]);
    let failed = "SELECT count(*) FROM message
                  WHERE status = 'failed' AND content = 'now or never'";
    assert_eq!(app.count(failed).await, 1);
}
