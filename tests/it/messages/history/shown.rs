use mf_waha_sim::{Cards, Inbound, InboundContent, Place, Poll};
use serde_json::{Value, json};

use super::{at, receive};
use crate::support::{Session, TestApp};

const FRIEND: &str = "15550000002@c.us";

/// The newest message of the chat.
async fn newest(session: &Session) -> Value {
    let path = format!("/messages/chat/{}/{FRIEND}?limit=1", session.id);
    session.client().get(&path).await.expect(200)["messages"][0].clone()
}

#[tokio::test]
async fn what_is_no_text_is_shown_as_what_it_is() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    receive(&app, &session, &mut events, at(1, FRIEND, "hello")).await;
    let text = newest(&session).await;
    for absent in ["media", "location", "contacts", "poll"] {
        assert_eq!(text[absent], Value::Null, "{absent}");
    }
    assert_eq!(text["mentions"], json!([]));
    assert_eq!(text["reactions"], json!([]));
    assert_eq!(text["starred"], false);
    assert_eq!(text["contact_phone"], "15550000002");

    let place = InboundContent::Location(Place {
        latitude: 52.5163,
        longitude: 13.3777,
        name: Some("Brandenburg Gate".to_owned()),
        address: Some("Pariser Platz".to_owned()),
    });
    let place = Inbound {
        timestamp: Some(1_790_000_002),
        ..Inbound::of(FRIEND, place)
    };
    receive(&app, &session, &mut events, place).await;
    let shown = newest(&session).await;
    assert_eq!(shown["message_type"], "location");
    assert_eq!(
        shown["location"],
        json!({
            "latitude": 52.5163, "longitude": 13.3777,
            "title": "Brandenburg Gate", "address": "Pariser Platz",
        })
    );

    let card = "BEGIN:VCARD\nVERSION:3.0\nFN:Grace Hopper\nORG:Navy;\n\
                TEL;type=CELL;waid=15550000007:+1 555 000 0007\nEND:VCARD";
    let cards = InboundContent::Contact(Cards {
        vcards: vec![card.to_owned()],
    });
    let cards = Inbound {
        timestamp: Some(1_790_000_003),
        ..Inbound::of(FRIEND, cards)
    };
    receive(&app, &session, &mut events, cards).await;
    let shown = newest(&session).await;
    assert_eq!(shown["message_type"], "contact");
    assert_eq!(shown["contacts"][0]["full_name"], "Grace Hopper");
    assert_eq!(shown["contacts"][0]["phone"], "15550000007");
}

#[tokio::test]
async fn a_poll_is_shown_with_its_votes() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let poll = InboundContent::Poll(Poll {
        name: "Lunch?".to_owned(),
        options: vec!["soup".to_owned(), "salad".to_owned()],
        multiple_answers: false,
    });
    let poll = receive(&app, &session, &mut events, Inbound::of(FRIEND, poll)).await;
    let shown = newest(&session).await;
    assert_eq!(shown["message_type"], "poll");
    assert_eq!(
        shown["poll"],
        json!({
            "title": "Lunch?", "options": ["soup", "salad"], "allow_multiple": false,
            "votes": [],
            "counts": [{"option": "soup", "votes": 0}, {"option": "salad", "votes": 0}],
        })
    );
    let id = poll["wa_message_id"].as_str().unwrap();
    app.sim
        .vote(&session.engine, id, FRIEND, &["salad"])
        .await
        .unwrap();
    events.named("poll.vote").await;
    let poll = newest(&session).await["poll"].clone();
    assert_eq!(poll["votes"][0]["voter"], "15550000002");
    assert_eq!(poll["votes"][0]["options"], json!(["salad"]));
    assert!(
        poll["votes"][0]["at"].as_str().unwrap().ends_with('Z'),
        "{poll}"
    );
    assert_eq!(
        poll["counts"],
        json!([{"option": "soup", "votes": 0}, {"option": "salad", "votes": 1}])
    );
}

#[tokio::test]
async fn reactions_and_what_they_became_are_shown_with_the_message() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let received = receive(&app, &session, &mut events, at(1, FRIEND, "hello")).await;
    let id = received["wa_message_id"].as_str().unwrap();
    app.sim
        .react(&session.engine, id, FRIEND, "👍")
        .await
        .unwrap();
    app.taken(|record| record.event == "message.reaction").await;
    let reaction = newest(&session).await["reactions"][0].clone();
    assert_eq!(reaction["emoji"], "👍");
    assert_eq!(reaction["sender"], "15550000002");
    assert_eq!(reaction["from_me"], false);
    assert!(
        reaction["at"].as_str().unwrap().ends_with('Z'),
        "{reaction}"
    );
    app.sim.edit(&session.engine, id, "hello!").await.unwrap();
    app.taken(|record| record.event == "message.edited").await;
    let edited = newest(&session).await;
    assert_eq!(edited["content"], "hello!");
    assert_ne!(edited["edited_at"], Value::Null);
    app.sim.revoke(&session.engine, id).await.unwrap();
    app.taken(|record| record.event == "message.revoked").await;
    let revoked = newest(&session).await;
    assert_eq!(revoked["content"], Value::Null);
    assert_eq!(revoked["content_preview"], Value::Null);
    assert_ne!(revoked["revoked_at"], Value::Null);
}

#[tokio::test]
async fn an_answer_names_what_it_answers() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let sent = session.send("15550000002", "question?").await;
    let answer = Inbound {
        reply_to: Some(sent["wa_message_id"].as_str().unwrap().to_owned()),
        ..Inbound::text(FRIEND, "answer")
    };
    let told = receive(&app, &session, &mut events, answer).await;
    let shown = session.message(&json!({"id": told["message_id"]})).await;
    assert_eq!(shown["reply_to"], sent["wa_message_id"]);
}
