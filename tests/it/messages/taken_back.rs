//! Messages that wait, and that somebody does not want sent any more.

use mf_waha_sim::{Inbound, Status};
use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn a_message_that_waits_is_taken_back_without_the_engine_and_keeps_nobody_waiting() {
    let app = TestApp::start().await;
    app.sim.set_manual_acks(true);
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    app.sim
        .set_status(&session.engine, Status::Starting)
        .unwrap();
    events.status("starting").await;
    let first = session.send("15550000002", "not this one").await;
    let second = session.send("15550000002", "this one").await;
    assert_eq!(first["status"], "pending");
    let path = format!("/messages/{}", first["id"].as_str().unwrap());
    let taken_back = key.delete(&path).await.expect(200);
    assert_eq!(taken_back["status"], "failed");
    assert_eq!(
        taken_back["error"],
        "The message was taken back before it was sent."
    );
    let failed = events.named("message.failed").await;
    assert_eq!(failed.data()["message_id"], first["id"]);
    app.sim
        .set_status(&session.engine, Status::Working)
        .unwrap();
    let sent = events.named("message.sent").await;
    assert_eq!(sent.data()["message_id"], second["id"]);
    let got = session.sent(&app.sim);
    let texts: Vec<&str> = got.iter().map(|sent| sent.text.as_str()).collect();
    assert_eq!(texts, ["this one"]);
}

#[tokio::test]
async fn what_waits_is_not_sent_by_the_account_that_is_paired_next() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    app.sim
        .set_status(&session.engine, Status::Starting)
        .unwrap();
    events.status("starting").await;
    let waiting = session.send("15550000002", "from the old account").await;
    assert_eq!(waiting["status"], "pending");
    session.order("logout").await.expect(200);
    let failed = events.named("message.failed").await;
    assert_eq!(failed.data()["message_id"], waiting["id"]);
    assert_eq!(
        failed.data()["error"],
        "The session was logged out before the message was sent."
    );
    session.order("start").await.expect(200);
    events.status("qr_code").await;
    app.sim
        .scan_as(&session.engine, Some("4915112345678".to_owned()), None)
        .await
        .unwrap();
    events.status("working").await;
    session.send("15550000002", "from the new one").await;
    let got = session.sent(&app.sim);
    let texts: Vec<&str> = got.iter().map(|sent| sent.text.as_str()).collect();
    assert_eq!(texts, ["from the new one"]);
}

#[tokio::test]
async fn a_key_that_may_send_and_not_read_does_not_learn_what_others_wrote() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let inbound = Inbound::text("15550000002@c.us", "for your eyes only");
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    let received = events.named("message.received").await;
    let id = received.data()["message_id"].as_str().unwrap().to_owned();
    let path = format!("/messages/{id}/star");
    let full = app.full_key().post(&path, json!({"star": true})).await;
    assert_eq!(full.expect(200)["content"], "for your eyes only");
    let settings = json!({"chat_history_access_enabled": false});
    let owner = app.owner().await;
    owner.patch("/tenant/settings", settings).await.expect(200);
    let sender = app.key(&["messages:send"]).await;
    let shown = sender.post(&path, json!({"star": false})).await.expect(200);
    assert_eq!(shown["id"], json!(id));
    assert_eq!(shown["starred"], false);
    for field in ["content", "content_preview", "sender_phone", "sender_name"] {
        assert_eq!(shown[field], Value::Null, "{field}");
    }
}
