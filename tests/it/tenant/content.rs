use mf_waha_sim::Inbound;
use serde_json::{Value, json};

use crate::support::TestApp;

const FRIEND: &str = "15550000002@c.us";

#[tokio::test]
async fn who_keeps_previews_only_is_told_whole_texts_and_keeps_their_beginning() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    let preview = json!({"store_message_content": "preview"});
    key.patch("/tenant/settings", preview).await.expect(200);
    let long = "a long story. ".repeat(50);
    let inbound = Inbound::text(FRIEND, &long);
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    let told = events.named("message.received").await;
    assert_eq!(told.data()["message"], json!(long));
    let shown = session
        .message(&json!({"id": told.data()["message_id"]}))
        .await;
    assert_eq!(shown["content"], Value::Null);
    let beginning: String = long.chars().take(500).collect();
    assert_eq!(shown["content_preview"], json!(beginning));

    // What is sent goes out whole.
    let sent = session.send("15550000002", &long).await;
    assert_eq!(session.sent(&app.sim)[0].text, long);
    events.named("message.read").await;
    let shown = session.message(&sent).await;
    assert_eq!(shown["content"], Value::Null);
    assert_eq!(shown["content_preview"], json!(beginning));

    // And from the next message on everything is kept again.
    let full = json!({"store_message_content": "full"});
    key.patch("/tenant/settings", full).await.expect(200);
    let inbound = Inbound::text(FRIEND, &long);
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    let told = events.named("message.received").await;
    let shown = session
        .message(&json!({"id": told.data()["message_id"]}))
        .await;
    assert_eq!(shown["content"], json!(long));
}
