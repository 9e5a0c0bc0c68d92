use mf_waha_sim::{Dialect, Status};
use serde_json::json;

use crate::support::{Session, TestApp};

#[tokio::test]
async fn neither_chat_nor_phone_is_the_documented_fault() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    let answer = session.post(json!({"message": "hello"})).await;
    let fault = json!({
        "detail": [
            {"loc": ["body", "phone"], "msg": "field required", "type": "value_error.missing"},
        ],
    });
    assert_eq!(answer.expect(422), fault);
}

#[tokio::test]
async fn what_would_have_to_be_guessed_is_no_recipient() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    for phone in [
        "",
        "+",
        "1 555 000 0002",
        "(555)0000002",
        "555-0002",
        "call me",
        "123456",
        "1234567890123456",
        "15550000002@g.us",
    ] {
        let answer = session
            .post(json!({"phone": phone, "message": "hello"}))
            .await;
        let faults = answer.faults();
        assert_eq!(faults.len(), 1, "{phone}: {faults:?}");
        assert!(faults[0].starts_with("body.phone: "), "{phone}: {faults:?}");
    }
    for chat in [
        "",
        "@c.us",
        "friend@c.us",
        "15550000002@example.com",
        "15550000002@c.us ",
        "a@g.us",
        "status@broadcast",
        "1@broadcast",
        "15550000002@g.us@c.us",
        "1555 0000002",
    ] {
        let answer = session
            .post(json!({"chat_id": chat, "message": "hello"}))
            .await;
        let faults = answer.faults();
        assert_eq!(faults.len(), 1, "{chat}: {faults:?}");
        assert!(
            faults[0].starts_with("body.chat_id: "),
            "{chat}: {faults:?}"
        );
    }
    assert_eq!(app.count("SELECT count(*) FROM message").await, 0);
    assert_eq!(session.sent(&app.sim), []);
}

#[tokio::test]
async fn a_message_needs_a_text() {
    let app = TestApp::start().await;
    let (session, _events) = app.working_session(&app.full_key()).await;
    for body in [
        json!({"phone": "15550000002"}),
        json!({"phone": "15550000002", "message": ""}),
        json!({"phone": "15550000002", "message": null}),
        json!({"phone": "15550000002", "message": 5}),
        json!({"phone": "15550000002", "message": "nul \u{0} inside"}),
    ] {
        let faults = session.post(body.clone()).await.faults();
        assert_eq!(faults.len(), 1, "{body}: {faults:?}");
        assert!(
            faults[0].starts_with("body.message: "),
            "{body}: {faults:?}"
        );
    }
}

#[tokio::test]
async fn a_session_that_will_not_come_back_by_itself_says_where_it_stands() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let stopped = Session::create(&key).await;
    let (unpaired, _events) = app.scannable_session(&key).await;
    let (failed, mut events) = app.working_session(&key).await;
    app.sim.set_status(&failed.engine, Status::Failed).unwrap();
    events.status("failed").await;
    for (session, word) in [
        (stopped, "stopped"),
        (unpaired, "qr_code"),
        (failed, "failed"),
    ] {
        let answer = session.try_send("15550000002", "hello").await;
        assert!(answer.refused(400).contains(word), "{answer}");
    }
    assert_eq!(app.count("SELECT count(*) FROM message").await, 0);
}

#[tokio::test]
async fn an_unknown_session_or_chat_is_not_found() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let unknown = "0197f000-0000-7000-8000-000000000000";
    let body = json!({"session_id": unknown, "phone": "15550000002", "message": "hello"});
    let answer = key.post("/messages/send", body).await;
    assert_eq!(answer.refused(404), "Session not found");

    let (session, _events) = app.working_session(&key).await;
    let answer = session
        .post(json!({"chat_id": unknown, "message": "hello"}))
        .await;
    assert_eq!(answer.refused(404), "Chat not found");
    // Another session's chat is as little there.
    let sent = session.send("15550000002", "hello").await;
    let (other, _events) = app.working_session(&key).await;
    let answer = other
        .post(json!({"chat_id": sent["chat_id"], "message": "hello"}))
        .await;
    assert_eq!(answer.refused(404), "Chat not found");
}

#[tokio::test]
async fn an_account_that_may_not_write_to_strangers_is_told_so() {
    for dialect in [Dialect::Noweb, Dialect::Gows] {
        let app = TestApp::builder().dialect(dialect).start().await;
        let (session, mut events) = app.working_session(&app.full_key()).await;
        let answer = session.try_send("15550000463", "hello").await;
        let sentence = answer.refused(400);
        assert!(sentence.contains("restricted"), "{dialect}: {sentence}");
        let failed = events.named("message.failed").await;
        assert_eq!(failed.status(), "failed");
        let error = failed.data()["error"].as_str().unwrap();
        assert!(error.contains("restricted"), "{dialect}: {error}");
        assert_eq!(session.sent(&app.sim), []);
        let sent_later = "SELECT count(*) FROM message WHERE status <> 'failed'";
        assert_eq!(app.count(sent_later).await, 0);
    }
}

#[tokio::test]
async fn a_number_without_whatsapp_is_refused_where_the_engine_knows_at_once() {
    let app = TestApp::builder().dialect(Dialect::Gows).start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let answer = session.try_send("15559990001", "hello").await;
    assert_eq!(answer.refused(400), "The recipient is not on WhatsApp");
    let failed = events.named("message.failed").await;
    assert_eq!(failed.data()["chat_id"], "15559990001@c.us");
}

#[tokio::test]
async fn a_number_without_whatsapp_fails_later_where_the_engine_learns_it_later() {
    let app = TestApp::start().await;
    app.sim.set_manual_acks(true);
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let sent = session.send("15559990001", "hello").await;
    assert_eq!(sent["status"], "sent");
    let id = sent["wa_message_id"].as_str().unwrap();
    app.reported(id).await;
    app.sim.ack(&session.engine, id, -1).unwrap();
    let failed = events.named("message.failed").await;
    assert_eq!(failed.data()["message_id"], sent["id"]);
    let shown = session.message(&sent).await;
    assert_eq!(shown["status"], "failed");
    assert_ne!(shown["error"], json!(null));
    assert_eq!(session.sent(&app.sim), []);
}

#[tokio::test]
async fn a_key_may_read_what_came_in_only_where_the_tenant_allows_it() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    session.send("15550000001", "ping").await;
    let received = events.named("message.received").await;
    let path = format!(
        "/messages/{}",
        received.data()["message_id"].as_str().unwrap()
    );
    assert_eq!(key.get(&path).await.expect(200)["content"], "echo: ping");
    sqlx::query("UPDATE tenant SET chat_history_access_enabled = false")
        .execute(app.rows())
        .await
        .unwrap();
    let sentence = key.get(&path).await.refused(403);
    assert!(
        sentence.contains("chat_history_access_enabled"),
        "{sentence}"
    );
    // People may, and what oneself sent is no history.
    app.owner().await.get(&path).await.expect(200);
    let sent = session.send("15550000002", "hello").await;
    session.message(&sent).await;
}
