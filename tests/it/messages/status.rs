use serde_json::{Value, json};

use crate::support::{Session, TestApp};

/// Acknowledges, and waits until the server has taken it.
async fn ack(app: &TestApp, session: &Session, sent: &Value, level: i8) {
    let id = sent["wa_message_id"].as_str().unwrap();
    let fits = |record: &mf_waha_sim::CallbackRecord| {
        record.event == "message.ack" && record.body.contains(id) && record.status == Some(200)
    };
    let before = app.sim.callbacks().iter().filter(|r| fits(r)).count();
    app.sim.ack(&session.engine, id, level).unwrap();
    let more = |sim: &mf_waha_sim::Sim| {
        let now = sim.callbacks().iter().filter(|r| fits(r)).count();
        (now > before).then_some(())
    };
    crate::support::soon(app.sim.until(more)).await;
}

#[tokio::test]
async fn a_message_goes_from_sent_to_delivered_to_read() {
    let app = TestApp::start().await;
    app.sim.set_manual_acks(true);
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let sent = session.send("15550000002", "hello").await;
    assert_eq!(sent["status"], "sent");
    events.named("message.sent").await;

    ack(&app, &session, &sent, 2).await;
    let delivered = session.message(&sent).await;
    assert_eq!(delivered["status"], "delivered");
    assert_eq!(delivered["sent_at"], sent["sent_at"]);
    assert_ne!(delivered["delivered_at"], Value::Null);
    assert_eq!(delivered["read_at"], Value::Null);
    let told = events.named("message.delivered").await;
    assert_eq!(told.data()["message_id"], sent["id"]);

    ack(&app, &session, &sent, 3).await;
    let read = session.message(&sent).await;
    assert_eq!(read["status"], "read");
    assert_eq!(read["delivered_at"], delivered["delivered_at"]);
    assert_ne!(read["read_at"], Value::Null);
    let told = events.named("message.read").await;
    assert_eq!(told.status(), "read");

    ack(&app, &session, &sent, 4).await;
    assert_eq!(session.message(&sent).await["status"], "played");
}

#[tokio::test]
async fn by_themselves_acknowledgements_end_at_read() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let sent = session.send("15550000002", "hello").await;
    events.named("message.read").await;
    let read = session.message(&sent).await;
    for time in ["sent_at", "delivered_at", "read_at"] {
        assert_ne!(read[time], Value::Null, "{read}");
    }
}

#[tokio::test]
async fn acknowledgements_that_come_late_or_twice_change_nothing() {
    let app = TestApp::start().await;
    app.sim.set_manual_acks(true);
    let (session, _events) = app.working_session(&app.full_key()).await;
    let sent = session.send("15550000002", "hello").await;
    ack(&app, &session, &sent, 3).await;
    let read = session.message(&sent).await;
    assert_eq!(read["status"], "read");
    // Whoever read it has it.
    assert_ne!(read["delivered_at"], Value::Null);
    let told = app.count("SELECT count(*) FROM event").await;
    for level in [3, 2, 1, 0, 2, 3, -1] {
        ack(&app, &session, &sent, level).await;
        assert_eq!(session.message(&sent).await, read, "{level}");
    }
    assert_eq!(app.count("SELECT count(*) FROM event").await, told);
}

#[tokio::test]
async fn an_acknowledgement_of_failure_fails_the_message() {
    let app = TestApp::start().await;
    app.sim.set_manual_acks(true);
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let sent = session.send("15550000002", "hello").await;
    app.reported(sent["wa_message_id"].as_str().unwrap()).await;
    ack(&app, &session, &sent, -1).await;
    let failed = session.message(&sent).await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["error"], "WhatsApp could not deliver the message.");
    let told = events.named("message.failed").await;
    assert_eq!(told.data()["message_id"], sent["id"]);
    assert_eq!(told.data()["error"], failed["error"]);
}

#[tokio::test]
async fn in_a_group_one_readers_acknowledgement_counts() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let body = json!({"chat_id": "120363000000000001@g.us", "message": "hello"});
    let sent = session.post(body).await.expect(201);
    let told = events.named("message.read").await;
    assert_eq!(told.data()["message_id"], sent["id"]);
    assert_eq!(told.data()["is_group"], true);
}

#[tokio::test]
async fn a_failure_that_is_told_before_the_engine_answers_stands() {
    let app = TestApp::start().await;
    app.sim.set_manual_acks(true);
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.wire.hold_answers("POST /api/sendText");
    let sending = tokio::spawn({
        let session = session.clone();
        async move { session.send("15559990001", "hello").await }
    });
    app.wire.held(1).await;
    let record = app.taken(|record| record.event == "message.any").await;
    let report: Value = serde_json::from_str(&record.body).unwrap();
    let id = report["payload"]["id"].as_str().unwrap();
    app.sim.ack(&session.engine, id, -1).unwrap();
    events.named("message.failed").await;
    app.wire.release();
    assert_eq!(sending.await.unwrap()["status"], "failed");
}

#[tokio::test]
async fn a_failure_that_overtakes_the_report_of_its_message_stands() {
    let app = TestApp::start().await;
    app.sim.set_manual_acks(true);
    let (session, _events) = app.working_session(&app.full_key()).await;
    let sent = session.send("15559990001", "hello").await;
    let id = sent["wa_message_id"].as_str().unwrap();
    app.reported(id).await;
    ack(&app, &session, &sent, -1).await;
    // The same report once more stands for one that comes late.
    let late = app
        .taken(|r| r.event == "message.any" && r.body.contains(id))
        .await;
    let again = mf_waha_sim::Replay::Index(late.index);
    app.sim.replay_callback(again).await.unwrap();
    assert_eq!(session.message(&sent).await["status"], "failed");
}
