//! People who are known by their number, by a hidden id, or by both: one person is one contact
//! and one chat, whichever comes first, and nobody's message stands in another's chat.

use std::sync::Arc;

use mf_waha_sim::{Dialect, Inbound};
use serde_json::{Value, json};

use crate::support::{EventStream, Session, TestApp};

const TELLING: [Dialect; 2] = [Dialect::Noweb, Dialect::Gows];
const ALL: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];

const PHONE: &str = "15550000002";
const NUMBER: &str = "15550000002@c.us";
/// The same person's, as the simulator has it.
const LID: &str = "220000005551";
const HIDDEN: &str = "220000005551@lid";
const GROUP: &str = "120363000000000001@g.us";

const CONTACTS: &str = "SELECT count(*) FROM contact";
const CHATS: &str = "SELECT count(*) FROM chat WHERE merged_into IS NULL";

async fn start(dialect: Dialect) -> (TestApp, Session, EventStream) {
    let app = TestApp::builder().dialect(dialect).start().await;
    app.sim.set_manual_acks(true);
    let (session, events) = app.working_session(&app.full_key()).await;
    (app, session, events)
}

/// Somebody writes; what clients are told.
async fn write(
    app: &TestApp,
    session: &Session,
    events: &mut EventStream,
    inbound: Inbound,
) -> Value {
    app.sim.inbound(&session.engine, inbound).await.unwrap();
    events.named("message.received").await.data().clone()
}

fn told_as(from: &str, alternate: Option<&str>, text: &str) -> Inbound {
    Inbound {
        sender_alt: alternate.map(str::to_owned),
        push_name: Some("Ada".to_owned()),
        ..Inbound::text(from, text)
    }
}

/// Asks the engine for the numbers behind hidden ids, as is done from time to time.
async fn look_up(app: &TestApp) {
    let services = Arc::clone(app.services());
    let looking = async move { services.resolve_hidden_numbers().await };
    app.within(looking).await.unwrap();
}

async fn forget_asking(app: &TestApp) {
    sqlx::query("UPDATE contact SET lid_asked_at = NULL")
        .execute(app.rows())
        .await
        .unwrap();
}

/// All that was told stands in one chat, by both names.
async fn one_person(app: &TestApp, session: &Session, told: &[Value], about: &str) {
    assert_eq!(app.count(CONTACTS).await, 1, "{about}");
    assert_eq!(app.count(CHATS).await, 1, "{about}");
    let chat = session.message(&json!({"id": told[0]["message_id"]})).await["chat_id"].clone();
    for data in told {
        let shown = session.message(&json!({"id": data["message_id"]})).await;
        assert_eq!(shown["chat_id"], chat, "{about}: {shown}");
        assert_eq!(shown["wa_chat_id"], NUMBER, "{about}: {shown}");
        assert_eq!(shown["contact_phone"], PHONE, "{about}: {shown}");
        assert_eq!(shown["contact_lid"], LID, "{about}: {shown}");
    }
    let counted = "SELECT message_count FROM chat WHERE merged_into IS NULL";
    assert_eq!(
        app.count(counted).await,
        app.count("SELECT count(*) FROM message").await
    );
}

#[tokio::test]
async fn who_is_hidden_at_first_and_known_later_is_one_person() {
    for dialect in TELLING {
        let (app, session, mut events) = start(dialect).await;
        let first = write(&app, &session, &mut events, told_as(HIDDEN, None, "one")).await;
        assert_eq!(first["chat_id"], HIDDEN, "{dialect}");
        assert_eq!(first["contact_phone"], Value::Null, "{dialect}");
        assert_eq!(first["contact_lid"], LID, "{dialect}");
        let second = told_as(HIDDEN, Some(NUMBER), "two");
        let second = write(&app, &session, &mut events, second).await;
        assert_eq!(second["chat_id"], NUMBER, "{dialect}");
        assert_eq!(second["contact_phone"], PHONE, "{dialect}");
        assert_eq!(second["contact_lid"], LID, "{dialect}");
        assert_eq!(second["sender_phone"], PHONE, "{dialect}");
        assert_eq!(second["contact_id"], first["contact_id"], "{dialect}");
        let third = write(&app, &session, &mut events, told_as(NUMBER, None, "three")).await;
        let told = [first, second, third];
        one_person(&app, &session, &told, &dialect.to_string()).await;
        assert_eq!(
            app.count("SELECT sum(unread_count)::bigint FROM chat")
                .await,
            3
        );
    }
}

#[tokio::test]
async fn who_has_two_chats_gets_them_joined_when_both_names_are_told() {
    for dialect in TELLING {
        let (app, session, mut events) = start(dialect).await;
        let first = write(&app, &session, &mut events, told_as(HIDDEN, None, "one")).await;
        let second = write(&app, &session, &mut events, told_as(NUMBER, None, "two")).await;
        assert_eq!(app.count(CHATS).await, 2, "{dialect}");
        let third = told_as(NUMBER, Some(HIDDEN), "three");
        let third = write(&app, &session, &mut events, third).await;
        let told = [first, second, third];
        one_person(&app, &session, &told, &dialect.to_string()).await;
    }
}

#[tokio::test]
async fn the_answer_of_a_hidden_person_stands_below_the_question() {
    for dialect in TELLING {
        let (app, session, mut events) = start(dialect).await;
        let question = session.send(PHONE, "who are you?").await;
        let answer = told_as(HIDDEN, Some(NUMBER), "me");
        let answer = write(&app, &session, &mut events, answer).await;
        assert_eq!(answer["chat_id"], NUMBER, "{dialect}");
        let shown = session.message(&json!({"id": answer["message_id"]})).await;
        assert_eq!(shown["chat_id"], question["chat_id"], "{dialect}");
        // Whatever name the chat is called by from now on.
        for to in [
            json!({"chat_id": HIDDEN}),
            json!({"phone": PHONE}),
            json!({"chat_id": question["chat_id"]}),
        ] {
            let mut body = to.clone();
            body["message"] = json!("again");
            let sent = session.post(body).await.expect(201);
            assert_eq!(sent["chat_id"], question["chat_id"], "{dialect}: {to}");
        }
        assert_eq!(app.count(CHATS).await, 1, "{dialect}");
    }
}

#[tokio::test]
async fn a_number_that_is_looked_up_later_joins_what_was_apart() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        app.sim
            .set_lid_known(&session.engine, HIDDEN, false)
            .unwrap();
        let first = write(&app, &session, &mut events, told_as(HIDDEN, None, "one")).await;
        let second = write(&app, &session, &mut events, told_as(NUMBER, None, "two")).await;
        look_up(&app).await;
        assert_eq!(app.count(CHATS).await, 2, "{dialect}: nobody knows yet");

        app.sim
            .set_lid_known(&session.engine, HIDDEN, true)
            .unwrap();
        look_up(&app).await;
        assert_eq!(
            app.count(CHATS).await,
            2,
            "{dialect}: it was asked just now"
        );
        forget_asking(&app).await;
        look_up(&app).await;
        one_person(&app, &session, &[first, second], &dialect.to_string()).await;
    }
}

#[tokio::test]
async fn in_a_group_the_writer_is_told_by_both_names() {
    for dialect in TELLING {
        let (app, session, mut events) = start(dialect).await;
        let inbound = Inbound {
            participant: Some(HIDDEN.to_owned()),
            ..told_as(GROUP, Some(NUMBER), "hi all")
        };
        let told = write(&app, &session, &mut events, inbound).await;
        let shown = session.message(&json!({"id": told["message_id"]})).await;
        for seen in [&told, &shown] {
            assert_eq!(seen["wa_chat_id"], GROUP, "{dialect}: {seen}");
            assert_eq!(seen["sender_phone"], PHONE, "{dialect}: {seen}");
            assert_eq!(seen["sender_lid"], LID, "{dialect}: {seen}");
            assert_eq!(seen["sender_name"], "Ada", "{dialect}: {seen}");
            // Whom a group is with is nobody.
            assert_eq!(seen["contact_phone"], Value::Null, "{dialect}: {seen}");
        }
        assert_eq!(app.count(CONTACTS).await, 1, "{dialect}");
        // What was learnt there holds in the chat of two.
        let direct = write(&app, &session, &mut events, told_as(HIDDEN, None, "hi")).await;
        assert_eq!(direct["chat_id"], NUMBER, "{dialect}");
        assert_eq!(direct["sender_phone"], PHONE, "{dialect}");
    }
}

#[tokio::test]
async fn nobodys_message_stands_in_another_persons_chat() {
    for dialect in ALL {
        let (app, session, mut events) = start(dialect).await;
        let people = [
            ("15550000002@c.us", "220000005551@lid"),
            ("15550000003@c.us", "230000005551@lid"),
            ("15550000004@c.us", "240000005551@lid"),
        ];
        let mut told = Vec::new();
        for round in 0..4_usize {
            for (who, (number, hidden)) in people.iter().enumerate() {
                let text = format!("from {who}");
                let inbound = match (round + who) % 4 {
                    0 => told_as(hidden, None, &text),
                    1 => told_as(number, None, &text),
                    2 => told_as(hidden, Some(number), &text),
                    _ => told_as(number, Some(hidden), &text),
                };
                told.push(write(&app, &session, &mut events, inbound).await);
            }
        }
        look_up(&app).await;
        assert_eq!(app.count(CONTACTS).await, 3, "{dialect}");
        assert_eq!(app.count(CHATS).await, 3, "{dialect}");
        for data in told {
            let shown = session.message(&json!({"id": data["message_id"]})).await;
            let who = shown["content"].as_str().unwrap().strip_prefix("from ");
            let (number, _) = people[who.unwrap().parse::<usize>().unwrap()];
            assert_eq!(shown["wa_chat_id"], number, "{dialect}: {shown}");
        }
        let counts = "SELECT count(*) FROM chat
                      WHERE merged_into IS NULL AND message_count = 4 AND unread_count = 4";
        assert_eq!(app.count(counts).await, 3, "{dialect}");
    }
}

#[tokio::test]
async fn who_claims_another_persons_number_does_not_get_their_chat() {
    for dialect in TELLING {
        let (app, session, mut events) = start(dialect).await;
        let known = told_as(HIDDEN, Some(NUMBER), "it is me");
        let known = write(&app, &session, &mut events, known).await;
        assert_eq!(known["chat_id"], NUMBER, "{dialect}");
        // Another hidden id with the same number.
        let other = told_as("999999999999999@lid", Some(NUMBER), "no, me");
        let other = write(&app, &session, &mut events, other).await;
        assert_eq!(other["chat_id"], "999999999999999@lid", "{dialect}");
        assert_ne!(other["contact_id"], known["contact_id"], "{dialect}");
        assert_eq!(app.count(CHATS).await, 2, "{dialect}");
        let shown = session.message(&json!({"id": known["message_id"]})).await;
        assert_eq!(shown["wa_chat_id"], NUMBER, "{dialect}");
        assert_eq!(shown["contact_lid"], LID, "{dialect}");
    }
}

#[tokio::test]
async fn reactions_of_one_person_under_two_names_are_one() {
    let (app, session, mut events) = start(Dialect::Noweb).await;
    let sent = session.send(PHONE, "well?").await;
    let id = sent["wa_message_id"].as_str().unwrap();
    app.reported(id).await;
    for (from, emoji) in [(HIDDEN, "👍"), (NUMBER, "🎉")] {
        let reacting = app.sim.react(&session.engine, id, from, emoji);
        reacting.await.unwrap();
        events.named("message.reaction").await;
        let both = told_as(HIDDEN, Some(NUMBER), "by the way");
        write(&app, &session, &mut events, both).await;
    }
    let shown = session.message(&sent).await;
    let reactions = shown["reactions"].as_array().unwrap();
    assert_eq!(reactions.len(), 1, "{shown}");
    assert_eq!(reactions[0]["sender"], PHONE, "{shown}");
}
