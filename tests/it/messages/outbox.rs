use mf_waha_sim::Status;
use serde_json::{Value, json};

use crate::support::{EventStream, TestApp};

fn ids(sent: &[Value]) -> Vec<&Value> {
    sent.iter().map(|sent| &sent["id"]).collect()
}

/// The next messages that are told to be sent, in that order.
async fn sent_next(events: &mut EventStream, count: usize) -> Vec<Value> {
    let mut sent = Vec::new();
    for _ in 0..count {
        sent.push(events.named("message.sent").await.data()["message_id"].clone());
    }
    sent
}

#[tokio::test]
async fn while_the_engine_is_away_messages_wait_and_then_leave_in_order() {
    let app = TestApp::start().await;
    app.sim.set_manual_acks(true);
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.wire.cut().await;
    let mut sent = Vec::new();
    for text in ["one", "two", "three", "four"] {
        let pending = session.send("15550000002", text).await;
        assert_eq!(pending["status"], "pending", "{pending}");
        assert_eq!(pending["success"], true);
        assert_eq!(pending["sent_at"], Value::Null);
        sent.push(pending);
    }
    app.wire.mend().await;
    assert_eq!(
        sent_next(&mut events, 4).await.iter().collect::<Vec<_>>(),
        ids(&sent)
    );
    let got = session.sent(&app.sim);
    let texts: Vec<&str> = got.iter().map(|sent| sent.text.as_str()).collect();
    assert_eq!(texts, ["one", "two", "three", "four"]);
    assert!(got.iter().all(|sent| sent.deliveries == 1), "{got:?}");
}

#[tokio::test]
async fn what_is_sent_meanwhile_does_not_overtake_what_waits() {
    let app = TestApp::start().await;
    app.sim.set_manual_acks(true);
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.wire.cut().await;
    let first = session.send("15550000002", "one").await;
    app.wire.mend().await;
    // The engine is back; the first message may still wait for its turn.
    let second = session.send("15550000002", "two").await;
    let order = sent_next(&mut events, 2).await;
    assert_eq!(order, [first["id"].clone(), second["id"].clone()]);
}

#[tokio::test]
async fn while_a_session_is_on_its_way_back_messages_wait() {
    let app = TestApp::start().await;
    app.sim.set_manual_acks(true);
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim
        .set_status(&session.engine, Status::Starting)
        .unwrap();
    events.status("starting").await;
    let mut sent = Vec::new();
    for text in ["one", "two"] {
        sent.push(session.send("15550000002", text).await);
        assert_eq!(sent.last().unwrap()["status"], "pending");
    }
    let body = json!({"phone": "15550000002", "message": "now or never", "queue": false});
    let answer = session.post(body).await;
    assert!(answer.refused(502).contains("reconnecting"), "{answer}");
    assert_eq!(session.sent(&app.sim), []);

    app.sim
        .set_status(&session.engine, Status::Working)
        .unwrap();
    assert_eq!(
        sent_next(&mut events, 2).await.iter().collect::<Vec<_>>(),
        ids(&sent)
    );
    assert_eq!(session.sent(&app.sim).len(), 2);
    assert_eq!(app.count("SELECT count(*) FROM message").await, 2);
}

#[tokio::test]
async fn a_message_that_waited_too_long_fails_and_is_never_sent() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.sim
        .set_status(&session.engine, Status::Starting)
        .unwrap();
    events.status("starting").await;
    let pending = session.send("15550000002", "hello").await;
    sqlx::query("UPDATE message SET outbox_expires_at = now()")
        .execute(app.rows())
        .await
        .unwrap();
    let failed = events.named("message.failed").await;
    assert_eq!(failed.data()["message_id"], pending["id"]);
    assert!(failed.data()["error"].as_str().unwrap().contains("in time"));
    app.sim
        .set_status(&session.engine, Status::Working)
        .unwrap();
    events.status("working").await;
    session.send("15550000002", "the next").await;
    let texts: Vec<String> = session
        .sent(&app.sim)
        .into_iter()
        .map(|sent| sent.text)
        .collect();
    assert_eq!(texts, ["the next"]);
}

#[tokio::test]
async fn messages_that_wait_survive_a_restart_of_the_server() {
    let mut app = TestApp::start().await;
    let key = app.full_key();
    let (session, _) = app.working_session(&key).await;
    app.wire.cut().await;
    let pending = session.send("15550000002", "hello").await;
    assert_eq!(pending["status"], "pending");
    app.stop().await;
    app.wire.mend().await;
    app.start_again().await;
    let mut events = session.events().await;
    let status = session.message(&pending).await["status"].clone();
    if status == "pending" {
        events
            .until(|event| event.data()["message_id"] == pending["id"])
            .await;
    }
    let got = session.sent(&app.sim);
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!(got[0].deliveries, 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_has_sent_all_the_same() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    app.wire.hold_answers("POST /api/sendText");
    let sending = tokio::spawn({
        let session = session.clone();
        async move { session.send("15550000002", "hello").await }
    });
    app.wire.held(1).await;
    sending.abort();
    assert!(sending.await.unwrap_err().is_cancelled());
    app.wire.release();
    events.named("message.read").await;
    let got = session.sent(&app.sim);
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!((got[0].deliveries, got[0].submissions), (1, 1));
    let unclaimed = "SELECT count(*) FROM message WHERE outbox_claim_id IS NULL";
    crate::support::soon(async { while app.count(unclaimed).await != 1 {} }).await;
}
