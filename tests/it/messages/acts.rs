//! What is done to messages and chats that are there, by us and by others.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mf_test_support::Answer;
use mf_waha_sim::{Dialect, Inbound, SentAction};
use serde_json::{Value, json};

use crate::support::{EventStream, Session, TestApp, samples};

const ALL: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];
const NUMBER: &str = "15550000002";
const FRIEND: &str = "15550000002@c.us";
const GROUP: &str = "120363000000000001@g.us";
const OTHER: &str = "15550000007@c.us";

async fn start(dialect: Dialect) -> (TestApp, Session, EventStream) {
    let app = TestApp::builder().dialect(dialect).start().await;
    app.sim.set_manual_acks(true);
    let (session, events) = app.working_session(&app.full_key()).await;
    (app, session, events)
}

/// A text of ours that the engine has reported.
async fn ours(app: &TestApp, session: &Session) -> Value {
    let sent = session.send(NUMBER, "hello").await;
    let id = session.sent(&app.sim).pop().unwrap().id;
    app.reported(&id).await;
    session.message(&sent).await
}

/// A text of somebody else.
async fn theirs(app: &TestApp, session: &Session, events: &mut EventStream, in_: &str) -> Value {
    let inbound = Inbound {
        participant: in_.ends_with("@g.us").then(|| OTHER.to_owned()),
        ..Inbound::text(in_, "hi")
    };
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    let told = events.named("message.received").await;
    session
        .message(&json!({"id": told.data()["message_id"]}))
        .await
}

fn wa_id(message: &Value) -> &str {
    message["wa_message_id"].as_str().unwrap()
}

fn path(message: &Value, act: &str) -> String {
    format!("/messages/{}{act}", message["id"].as_str().unwrap())
}

async fn react(session: &Session, message: &Value, emoji: &str) -> Answer {
    let body = json!({"message_id": message["id"], "reaction": emoji});
    session.post_to("/messages/send/reaction", body).await
}

async fn edit(session: &Session, message: &Value, text: &str) -> Answer {
    let body = json!({"message": text});
    session.client().post(&path(message, "/edit"), body).await
}

async fn unsend(session: &Session, message: &Value) -> Answer {
    session.client().delete(&path(message, "")).await
}

async fn star(session: &Session, message: &Value, star: bool) -> Answer {
    let body = json!({"star": star});
    session.client().post(&path(message, "/star"), body).await
}

/// What the engine was asked to do of this kind.
fn done(app: &TestApp, session: &Session, kind: &str) -> Vec<SentAction> {
    let mut actions = app.sim.actions(&session.engine);
    actions.retain(|action| action.kind == kind);
    actions
}

#[tokio::test]
async fn a_reaction_of_ours_is_put_replaced_and_taken_back() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let of_us = ours(&app, &session).await;
        let of_them = theirs(&app, &session, &mut events, FRIEND).await;
        let in_group = theirs(&app, &session, &mut events, GROUP).await;
        for message in [&of_us, &of_them, &in_group] {
            for emoji in ["👍", "🎉", ""] {
                let shown = react(&session, message, emoji).await.expect(200);
                let action = done(&app, &session, "reaction").pop().unwrap();
                assert_eq!(action.message_id.as_deref(), Some(wa_id(message)));
                assert_eq!(action.value, emoji, "{dialect}");
                let told = events.named("message.reaction").await;
                assert_eq!(told.data()["message_id"], message["id"], "{dialect}");
                assert_eq!(told.data()["reaction"], emoji, "{dialect}");
                assert_eq!(told.data()["from_me"], true, "{dialect}");
                for seen in [&shown, &session.message(message).await] {
                    let reactions = seen["reactions"].as_array().unwrap();
                    if emoji.is_empty() {
                        assert!(reactions.is_empty(), "{dialect}: {seen}");
                    } else {
                        assert_eq!(reactions.len(), 1, "{dialect}: {seen}");
                        assert_eq!(reactions[0]["emoji"], emoji, "{dialect}: {seen}");
                        assert_eq!(reactions[0]["from_me"], true, "{dialect}: {seen}");
                    }
                }
            }
        }
        let faults = react(&session, &of_us, "well").await.faults();
        assert!(faults[0].starts_with("body.reaction: "), "{faults:?}");
    }
}

#[tokio::test]
async fn reactions_of_others_are_told_and_shown_beside_ours() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let message = ours(&app, &session).await;
        react(&session, &message, "👍").await.expect(200);
        events.named("message.reaction").await;
        for (emoji, left) in [("❤️", 2), ("😂", 2), ("", 1)] {
            let reacting = app
                .sim
                .react(&session.engine, wa_id(&message), FRIEND, emoji);
            reacting.await.unwrap();
            let told = events
                .until(|event| event.name == "message.reaction" && event.data()["from_me"] == false)
                .await;
            assert_eq!(told.data()["message_id"], message["id"], "{dialect}");
            assert_eq!(told.data()["reaction"], emoji, "{dialect}");
            assert_eq!(told.data()["removed"], emoji.is_empty(), "{dialect}");
            assert_eq!(told.data()["sender_phone"], NUMBER, "{dialect}");
            let shown = session.message(&message).await;
            let reactions = shown["reactions"].as_array().unwrap();
            assert_eq!(reactions.len(), left, "{dialect}: {shown}");
            let of_them: Vec<_> = reactions
                .iter()
                .filter(|reaction| reaction["from_me"] == false)
                .collect();
            match emoji {
                "" => assert!(of_them.is_empty(), "{dialect}: {shown}"),
                emoji => {
                    assert_eq!(of_them[0]["emoji"], emoji, "{dialect}: {shown}");
                    assert_eq!(of_them[0]["sender"], NUMBER, "{dialect}: {shown}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_message_of_ours_is_edited_here_and_at_whatsapp() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let message = ours(&app, &session).await;
        for text in ["hello!", "hello again"] {
            let answer = edit(&session, &message, text).await.expect(200);
            let action = done(&app, &session, "edit").pop().unwrap();
            assert_eq!(action.value, text, "{dialect}");
            assert_eq!(action.message_id.as_deref(), Some(wa_id(&message)));
            let told = events
                .until(|event| event.name == "message.edited" && event.data()["message"] == text)
                .await;
            assert_eq!(told.data()["message_id"], message["id"], "{dialect}");
            for seen in [&answer, &session.message(&message).await] {
                assert_eq!(seen["content"], text, "{dialect}: {seen}");
                assert_eq!(seen["content_preview"], text, "{dialect}: {seen}");
                assert_ne!(seen["edited_at"], Value::Null, "{dialect}: {seen}");
            }
        }
        assert_eq!(
            app.count("SELECT count(*) FROM message").await,
            1,
            "{dialect}"
        );
        let faults = edit(&session, &message, "").await.faults();
        assert!(faults[0].starts_with("body.message: "), "{faults:?}");
    }
}

#[tokio::test]
async fn what_was_written_on_the_own_phone_is_edited_and_taken_back_as_well() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        for chat in [FRIEND, GROUP] {
            let inbound = Inbound {
                from_me: true,
                ..Inbound::text(chat, "from the phone")
            };
            app.sim.inbound(&session.engine, inbound).await.unwrap();
            let told = events.named("message.sent").await;
            let message = json!({"id": told.data()["message_id"]});
            let shown = edit(&session, &message, "corrected").await.expect(200);
            assert_eq!(shown["content"], "corrected", "{dialect} {chat}");
            let action = done(&app, &session, "edit").pop().unwrap();
            assert_eq!(
                (action.chat.as_str(), &action.value),
                (chat, &json!("corrected"))
            );
            let shown = unsend(&session, &message).await.expect(200);
            assert_ne!(shown["revoked_at"], Value::Null, "{dialect} {chat}");
            let action = done(&app, &session, "revoke").pop().unwrap();
            assert_eq!(action.chat, chat, "{dialect}");
        }
    }
}

#[tokio::test]
async fn a_change_that_we_made_ourselves_is_told_once() {
    for dialect in ALL {
        let (app, session, _events) = start(dialect).await;
        let message = ours(&app, &session).await;
        react(&session, &message, "👍").await.expect(200);
        edit(&session, &message, "hello!").await.expect(200);
        unsend(&session, &message).await.expect(200);
        // The engine reports each as well, sooner or later.
        for name in ["message.reaction", "message.edited", "message.revoked"] {
            app.taken(|record| record.event == name).await;
        }
        for told in [
            "SELECT count(*) FROM event WHERE name = 'message.reaction'",
            "SELECT count(*) FROM event WHERE name = 'message.edited'",
            "SELECT count(*) FROM event WHERE name = 'message.revoked'",
        ] {
            assert_eq!(app.count(told).await, 1, "{dialect}: {told}");
        }
    }
}

#[tokio::test]
async fn a_caption_is_edited_and_a_poll_is_not() {
    for dialect in ALL {
        let (app, session, _events) = start(dialect).await;
        let data = STANDARD.encode(samples::png("with words"));
        let body = json!({"phone": NUMBER, "message": "Look", "media_base64": data});
        let picture = session.post(body).await.expect(201);
        app.reported(&session.sent(&app.sim)[0].id).await;
        let shown = edit(&session, &picture, "Look here").await.expect(200);
        assert_eq!(shown["content"], "Look here", "{dialect}");
        assert_eq!(shown["media"]["id"], picture["media"]["id"], "{dialect}");
        let body = json!({"phone": NUMBER, "title": "When?", "options": ["now", "later"]});
        let poll = session
            .post_to("/messages/send/poll", body)
            .await
            .expect(201);
        let sentence = edit(&session, &poll, "Why?").await.refused(400);
        assert!(sentence.contains("captions"), "{dialect}: {sentence}");
    }
}

#[tokio::test]
async fn what_is_edited_on_a_phone_is_told_and_shown() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let of_us = ours(&app, &session).await;
        let of_them = theirs(&app, &session, &mut events, FRIEND).await;
        let in_group = theirs(&app, &session, &mut events, GROUP).await;
        for message in [&of_us, &of_them, &in_group] {
            let editing = app.sim.edit(&session.engine, wa_id(message), "corrected");
            editing.await.unwrap();
            let told = events.named("message.edited").await;
            assert_eq!(told.data()["message_id"], message["id"], "{dialect}");
            assert_eq!(told.data()["message"], "corrected", "{dialect}");
            let shown = session.message(message).await;
            assert_eq!(shown["content"], "corrected", "{dialect}: {shown}");
            assert_eq!(shown["created_at"], message["created_at"], "{dialect}");
        }
    }
}

#[tokio::test]
async fn what_others_wrote_is_neither_edited_nor_taken_back() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let message = theirs(&app, &session, &mut events, FRIEND).await;
        for answer in [
            edit(&session, &message, "forged").await,
            unsend(&session, &message).await,
        ] {
            let sentence = answer.refused(400);
            assert!(
                sentence.contains("this session sent"),
                "{dialect}: {sentence}"
            );
        }
        assert_eq!(app.sim.actions(&session.engine), [], "{dialect}");
        assert_eq!(session.message(&message).await, message, "{dialect}");
    }
}

#[tokio::test]
async fn a_message_that_is_taken_back_is_gone_for_everybody() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let secret = "the words that nobody should have read";
        let data = STANDARD.encode(samples::png("secret"));
        let body = json!({"phone": NUMBER, "message": secret, "media_base64": data});
        let sent = session.post(body).await.expect(201);
        let id = session.sent(&app.sim).pop().unwrap().id;
        app.reported(&id).await;
        let answer = unsend(&session, &sent).await.expect(200);
        let action = done(&app, &session, "revoke").pop().unwrap();
        assert_eq!(action.message_id.as_deref(), Some(id.as_str()), "{dialect}");
        let told = events.named("message.revoked").await;
        assert_eq!(told.data()["message_id"], sent["id"], "{dialect}");
        for seen in [&answer, &session.message(&sent).await, told.data()] {
            assert_ne!(seen["revoked_at"], Value::Null, "{dialect}: {seen}");
            for gone in ["content", "content_preview", "media"] {
                assert_eq!(seen[gone], Value::Null, "{dialect} {gone}: {seen}");
            }
        }
        let rows = "SELECT count(*) FROM message m, chat c
                    WHERE concat(m::text, c::text) LIKE '%nobody should%'";
        assert_eq!(app.count(rows).await, 0, "{dialect}");

        // And once more, which changes nothing.
        let revoked = "SELECT count(*) FROM event WHERE name = 'message.revoked'";
        let again = unsend(&session, &sent).await.expect(200);
        assert_ne!(again["revoked_at"], Value::Null, "{dialect}");
        assert_eq!(done(&app, &session, "revoke").len(), 1, "{dialect}");
        app.taken(|record| record.event == "message.revoked").await;
        assert_eq!(app.count(revoked).await, 1, "{dialect}");
        for answer in [
            edit(&session, &sent, "back").await,
            react(&session, &sent, "👍").await,
        ] {
            assert!(answer.refused(400).contains("taken back"), "{answer}");
        }
    }
}

#[tokio::test]
async fn what_others_take_back_is_gone_here_as_well() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        for chat in [FRIEND, GROUP] {
            let message = theirs(&app, &session, &mut events, chat).await;
            let revoking = app.sim.revoke(&session.engine, wa_id(&message));
            revoking.await.unwrap();
            let told = events.named("message.revoked").await;
            assert_eq!(told.data()["message_id"], message["id"], "{dialect}");
            assert_eq!(told.data()["message"], Value::Null, "{dialect}");
            let shown = session.message(&message).await;
            assert_eq!(shown["content"], Value::Null, "{dialect}: {shown}");
            assert_ne!(shown["revoked_at"], Value::Null, "{dialect}: {shown}");
        }
        let preview = "SELECT count(*) FROM chat WHERE last_message_preview IS NOT NULL";
        assert_eq!(app.count(preview).await, 0, "{dialect}");
    }
}

#[tokio::test]
async fn a_star_is_put_and_taken_off_where_the_engine_can() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let message = theirs(&app, &session, &mut events, FRIEND).await;
        if dialect == Dialect::Gows {
            let sentence = star(&session, &message, true).await.refused(400);
            assert!(sentence.contains("does not support"), "{sentence}");
            assert_eq!(session.message(&message).await["starred"], false);
            assert_eq!(done(&app, &session, "star"), []);
            continue;
        }
        for starred in [true, false] {
            let answer = star(&session, &message, starred).await.expect(200);
            assert_eq!(answer["starred"], starred, "{dialect}");
            assert_eq!(session.message(&message).await["starred"], starred);
            let action = done(&app, &session, "star").pop().unwrap();
            assert_eq!(action.value, starred, "{dialect}");
            assert_eq!(action.message_id.as_deref(), Some(wa_id(&message)));
        }
    }
}

#[tokio::test]
async fn a_chat_that_is_read_shows_the_writer_and_counts_nothing_as_unread() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let first = theirs(&app, &session, &mut events, FRIEND).await;
        theirs(&app, &session, &mut events, FRIEND).await;
        let unread = "SELECT unread_count::bigint FROM chat";
        assert_eq!(app.count(unread).await, 2, "{dialect}");
        let answer = session.in_chat(FRIEND, "read", None).await;
        assert_eq!(answer.expect(200), json!({"success": true}));
        assert_eq!(app.count(unread).await, 0, "{dialect}");
        assert_eq!(done(&app, &session, "seen").len(), 2, "{dialect}");
        // Again, and by the other names of the chat.
        let chat = first["chat_id"].as_str().unwrap();
        for name in [FRIEND, NUMBER, chat] {
            let answer = session.in_chat(name, "read", None).await;
            answer.expect(200);
        }
        assert_eq!(app.count(unread).await, 0, "{dialect}");
    }
}

#[tokio::test]
async fn typing_is_shown_until_it_is_no_more() {
    for dialect in ALL {
        let (app, session, _events) = start(dialect).await;
        for (body, kind) in [
            (None, "typing"),
            (Some(json!({"typing": false})), "paused"),
            (Some(json!({"typing": true})), "typing"),
            (Some(json!({})), "typing"),
        ] {
            let answer = session.in_chat(FRIEND, "typing", body).await;
            assert_eq!(answer.expect(200), json!({"success": true}));
            let action = app.sim.actions(&session.engine).pop().unwrap();
            assert_eq!(action.kind, kind, "{dialect}");
            assert_eq!(action.chat, FRIEND, "{dialect}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let (app, session, _events) = start(Dialect::Noweb).await;
    for id in ["0197f000-0000-7000-8000-000000000000", "3EB0NONE"] {
        let message = json!({"id": id});
        for answer in [
            react(&session, &message, "👍").await,
            edit(&session, &message, "new").await,
            unsend(&session, &message).await,
            star(&session, &message, true).await,
        ] {
            assert_eq!(answer.refused(404), "Message not found");
        }
    }
    let unknown = "0197f000-0000-7000-8000-000000000000";
    for what in ["read", "typing"] {
        let answer = session.in_chat(unknown, what, None).await;
        assert_eq!(answer.refused(404), "Chat not found");
        let path = format!("/messages/chat/{unknown}/{FRIEND}/{what}");
        let answer = session.client().order(&path).await;
        assert_eq!(answer.refused(404), "Session not found");
    }
    let body = json!({"session_id": unknown, "message_id": "3EB0NONE", "reaction": "👍"});
    let answer = session.client().post("/messages/send/reaction", body).await;
    assert_eq!(answer.refused(404), "Session not found");
    assert_eq!(app.sim.actions(&session.engine), []);
}

#[tokio::test]
async fn through_a_session_that_is_not_connected_nothing_is_done() {
    let (app, session, mut events) = start(Dialect::Noweb).await;
    let message = ours(&app, &session).await;
    session.order("stop").await.expect(200);
    events.status("stopped").await;
    for answer in [
        react(&session, &message, "👍").await,
        edit(&session, &message, "new").await,
        unsend(&session, &message).await,
        star(&session, &message, true).await,
        session.in_chat(FRIEND, "read", None).await,
        session.in_chat(FRIEND, "typing", None).await,
    ] {
        assert!(answer.refused(400).contains("stopped"), "{answer}");
    }
    assert_eq!(app.sim.actions(&session.engine), []);
    assert_eq!(session.message(&message).await, message);
}

#[tokio::test]
async fn what_was_never_sent_cannot_be_acted_upon() {
    let (app, session, mut events) = start(Dialect::Webjs).await;
    app.sim
        .set_status(&session.engine, mf_waha_sim::Status::Starting)
        .unwrap();
    events.status("starting").await;
    let pending = session.send(NUMBER, "hello").await;
    sqlx::query("UPDATE message SET outbox_expires_at = now()")
        .execute(app.rows())
        .await
        .unwrap();
    events.named("message.failed").await;
    app.sim
        .set_status(&session.engine, mf_waha_sim::Status::Working)
        .unwrap();
    events.status("working").await;
    for answer in [
        react(&session, &pending, "👍").await,
        edit(&session, &pending, "new").await,
        unsend(&session, &pending).await,
    ] {
        assert!(answer.refused(400).contains("not sent"), "{answer}");
    }
}
