use mf_waha_sim::{Dialect, Inbound};
use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn the_echo_arrives_with_the_documented_fields() {
    for dialect in [Dialect::Noweb, Dialect::Gows, Dialect::Webjs] {
        let app = TestApp::builder().dialect(dialect).start().await;
        let (session, mut events) = app.working_session(&app.full_key()).await;
        let sent = session.send("15550000001", "ping").await;
        let received = events.named("message.received").await;
        assert_eq!(received.envelope["event"], "message.received");
        assert_eq!(received.envelope["id"], json!(received.id.clone().unwrap()));
        assert!(
            received.envelope["timestamp"]
                .as_str()
                .unwrap()
                .ends_with('Z')
        );
        let data = received.data();
        assert_eq!(data["session_id"], json!(session.id), "{dialect}");
        assert_eq!(data["chat_id"], "15550000001@c.us", "{dialect}");
        assert_eq!(data["message"], "echo: ping", "{dialect}");
        assert_eq!(data["direction"], "inbound", "{dialect}");
        assert_eq!(data["sender_phone"], "15550000001", "{dialect}");
        assert_eq!(data["sender_name"], "Echo", "{dialect}");
        assert_eq!(data["message_type"], "text", "{dialect}");
        assert_eq!(data["is_group"], false, "{dialect}");
        let shown = session.message(&json!({"id": data["message_id"]})).await;
        assert_eq!(shown["chat_id"], sent["chat_id"], "{dialect}");
        assert_eq!(shown["content"], "echo: ping", "{dialect}");
        assert_eq!(shown["direction"], "inbound", "{dialect}");
    }
}

#[tokio::test]
async fn in_a_group_the_writer_is_told_apart_from_the_chat() {
    for dialect in [Dialect::Noweb, Dialect::Gows, Dialect::Webjs] {
        let app = TestApp::builder().dialect(dialect).start().await;
        let (session, mut events) = app.working_session(&app.full_key()).await;
        let inbound = Inbound {
            chat_id: "120363000000000001@g.us".to_owned(),
            participant: Some("15550000007@c.us".to_owned()),
            text: "hi all".to_owned(),
            push_name: Some("Grace".to_owned()),
            ..Inbound::default()
        };
        app.sim.inbound(&session.engine, inbound).await.unwrap();
        let received = events.named("message.received").await;
        let data = received.data();
        assert_eq!(data["chat_id"], "120363000000000001@g.us", "{dialect}");
        assert_eq!(data["is_group"], true, "{dialect}");
        assert_eq!(data["sender_phone"], "15550000007", "{dialect}");
        assert_eq!(data["sender_name"], "Grace", "{dialect}");
    }
}

#[tokio::test]
async fn what_was_written_on_the_phone_itself_is_in_the_history_as_sent() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let inbound = Inbound {
        from_me: true,
        ..Inbound::text("15550000002@c.us", "from the phone")
    };
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    let told = events.named("message.sent").await;
    assert_eq!(told.data()["direction"], "outbound");
    assert_eq!(told.data()["message"], "from the phone");
    assert_eq!(told.data()["sender_phone"], Value::Null);
    assert_eq!(app.count("SELECT count(*) FROM message").await, 1);
    assert_eq!(session.sent(&app.sim), []);
}

#[tokio::test]
async fn a_hidden_number_stays_hidden() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let inbound = Inbound::text("123456789012345@lid", "guess who");
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    let received = events.named("message.received").await;
    assert_eq!(received.data()["chat_id"], "123456789012345@lid");
    assert_eq!(received.data()["sender_phone"], Value::Null);
    // And can be answered.
    let body = json!({"chat_id": "123456789012345@lid", "message": "hello"});
    session.post(body).await.expect(201);
}

#[tokio::test]
async fn the_chat_keeps_count() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    for text in ["one", "two", "three"] {
        let inbound = Inbound::text("15550000002@c.us", text);
        app.sim.inbound(&session.engine, inbound).await.unwrap();
        events.named("message.received").await;
    }
    session.send("15550000002", "four").await;
    assert_eq!(app.count("SELECT message_count FROM chat").await, 4);
    assert_eq!(app.count("SELECT unread_count::bigint FROM chat").await, 3);
    let preview: String = sqlx::query_scalar("SELECT last_message_preview FROM chat")
        .fetch_one(app.rows())
        .await
        .unwrap();
    assert_eq!(preview, "four");
}

#[tokio::test]
async fn a_message_that_came_in_is_found_by_whatsapps_id_whatever_it_looks_like() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    // As iPhones, Androids and browsers mint them. The first could be a UUID without hyphens.
    for id in [
        "20C7443D2434DD87E2CAA45B9378DA90",
        "3A0F6D4B1E8C7B9A5D2E",
        "3EB0C431C26A1916E07A12",
    ] {
        let inbound = Inbound {
            id: Some(id.to_owned()),
            ..Inbound::text("15550000002@c.us", "hello")
        };
        app.sim.inbound(&session.engine, inbound).await.unwrap();
        let received = events.named("message.received").await;
        let shown = key.get(&format!("/messages/{id}")).await.expect(200);
        assert_eq!(shown["id"], received.data()["message_id"], "{id}");
        assert_eq!(shown["wa_message_id"], id);
        let body = json!({"phone": "15550000002", "message": "answer", "reply_to": id});
        session.post(body).await.expect(201);
    }
}
