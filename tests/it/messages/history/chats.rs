use mf_waha_sim::{Inbound, NewLabel};
use serde_json::{Value, json};

use super::{at, each, receive};
use crate::support::{Session, TestApp};

async fn chats(session: &Session, query: &str) -> Value {
    let path = format!("/messages/chats/{}{query}", session.id);
    session.client().get(&path).await.expect(200)
}

#[tokio::test]
async fn chats_come_as_a_bare_list_with_the_last_active_first() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    assert_eq!(chats(&session, "").await, json!([]));
    receive(
        &app,
        &session,
        &mut events,
        at(1, "15550000002@c.us", "one"),
    )
    .await;
    let group = Inbound {
        participant: Some("15550000002@c.us".to_owned()),
        ..at(2, "120363000000000001@g.us", "two")
    };
    receive(&app, &session, &mut events, group).await;
    let newest = Inbound {
        push_name: Some("Grace".to_owned()),
        ..at(3, "15550000003@c.us", "three")
    };
    let newest = receive(&app, &session, &mut events, newest).await;
    let list = chats(&session, "").await;
    assert_eq!(
        each(&list, "wa_chat_id"),
        [
            "15550000003@c.us",
            "120363000000000001@g.us",
            "15550000002@c.us"
        ]
    );
    let shown = session.message(&json!({"id": newest["message_id"]})).await;
    assert_eq!(
        list[0],
        json!({
            "id": shown["chat_id"],
            "session_id": session.id,
            "wa_chat_id": "15550000003@c.us",
            "name": "Grace",
            "is_group": false,
            "phone": "15550000003",
            "lid": null,
            "unread_count": 1,
            "message_count": 1,
            "last_message_preview": "three",
            "last_message_at": shown["sent_at"],
            "labels": [],
        })
    );
    assert_eq!(list[1]["is_group"], true);
    assert_eq!(list[1]["phone"], Value::Null);
    assert_eq!(
        each(
            &chats(&session, "?limit=1&offset=1").await,
            "last_message_preview"
        ),
        ["two"]
    );
    // By name, by number, and by nothing that is special.
    assert_eq!(
        each(&chats(&session, "?search=gRACE").await, "name"),
        ["Grace"]
    );
    let by_number = chats(&session, "?search=0000002").await;
    assert_eq!(each(&by_number, "last_message_preview"), ["one"]);
    assert_eq!(chats(&session, "?search=%25").await, json!([]));
}

#[tokio::test]
async fn the_list_of_all_chats_is_of_all_sessions() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (first, mut first_events) = app.working_session(&key).await;
    let (second, mut second_events) = app.working_session(&key).await;
    let friend = "15550000002@c.us";
    receive(
        &app,
        &first,
        &mut first_events,
        at(1, friend, "to the first"),
    )
    .await;
    receive(
        &app,
        &second,
        &mut second_events,
        at(2, friend, "to the second"),
    )
    .await;
    let all = key.get("/messages/chats").await.expect(200);
    assert_eq!(
        each(&all, "last_message_preview"),
        ["to the second", "to the first"]
    );
    let ids = [second.id.to_string(), first.id.to_string()];
    assert_eq!(each(&all, "session_id"), ids);
    assert_eq!(
        each(&chats(&first, "").await, "last_message_preview"),
        ["to the first"]
    );
    let some = key
        .get("/messages/chats?limit=1&offset=1")
        .await
        .expect(200);
    assert_eq!(each(&some, "last_message_preview"), ["to the first"]);
    assert_eq!(
        key.get("/messages/chats?search=nobody").await.expect(200),
        json!([])
    );
}

#[tokio::test]
async fn what_was_read_is_no_longer_unread() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let friend = "15550000002@c.us";
    for second in 0..3 {
        receive(&app, &session, &mut events, at(second, friend, "hello")).await;
    }
    assert_eq!(chats(&session, "").await[0]["unread_count"], 3);
    session.in_chat(friend, "read", None).await.expect(200);
    assert_eq!(chats(&session, "").await[0]["unread_count"], 0);
    // Certainly written after that: in the year 2096.
    let again = Inbound {
        timestamp: Some(4_000_000_000),
        ..Inbound::text(friend, "again")
    };
    receive(&app, &session, &mut events, again).await;
    let chat = chats(&session, "").await[0].clone();
    assert_eq!(chat["unread_count"], 1);
    assert_eq!(chat["message_count"], 4);
}

#[tokio::test]
async fn the_labels_of_a_chat_are_shown_with_it() {
    let app = TestApp::builder()
        .engine(|engine| engine.business = true)
        .start()
        .await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let friend = "15550000002@c.us";
    receive(&app, &session, &mut events, at(1, friend, "hello")).await;
    let label = NewLabel {
        name: "Big order".to_owned(),
        ..NewLabel::default()
    };
    let label = app.sim.put_label_on_phone(&session.engine, &label).unwrap();
    app.taken(|record| record.event == "label.upsert").await;
    app.sim
        .label_chat_on_phone(&session.engine, &label, friend, true)
        .unwrap();
    app.taken(|record| record.event == "label.chat.added").await;
    let labels = chats(&session, "").await[0]["labels"].clone();
    assert_eq!(labels[0]["id"], json!(label));
    assert_eq!(labels[0]["name"], "Big order");
    assert!(labels[0]["color"].as_str().unwrap().starts_with('#'));
}
