//! Messages that nobody told us of: they are looked for whenever somebody may have missed some.

use mf_waha_sim::{Dialect, Failure, Inbound};
use serde_json::{Value, json};

use crate::support::{Session, TestApp, soon};

const ALL: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];
const FRIEND: &str = "15550000002@c.us";
const GROUP: &str = "120363000000000001@g.us";
const HIDDEN: &str = "123456789012345@lid";

const MESSAGES: &str = "SELECT count(*) FROM message";
const RECEIVED: &str = "SELECT count(*) FROM event WHERE name = 'message.received'";
const SENT: &str = "SELECT count(*) FROM event WHERE name = 'message.sent'";
const TOLD: &str = "SELECT count(*) FROM event WHERE name LIKE 'message.%'";
const UNREAD: &str = "SELECT coalesce(sum(unread_count), 0)::bigint FROM chat";

/// How often a look for missed messages came to its end, in microseconds since 1970.
const LOOKED: &str = "SELECT coalesce(max(extract(epoch FROM caught_up_at) * 1000000), 0)::bigint
                      FROM wa_session";

/// Waits until everything was looked through after this moment.
async fn looked_after(app: &TestApp, moment: i64) {
    soon(async { while app.count(LOOKED).await <= moment {} }).await;
}

/// A session whose history was looked through once.
async fn start(dialect: Dialect) -> (TestApp, Session) {
    let app = TestApp::builder().dialect(dialect).start().await;
    let (session, _) = app.working_session(&app.full_key()).await;
    looked_after(&app, 0).await;
    (app, session)
}

/// What comes while nobody is told.
fn missed() -> Vec<Inbound> {
    let from_phone = Inbound {
        from_me: true,
        ..Inbound::text(FRIEND, "answered on the phone")
    };
    let in_group = Inbound {
        participant: Some("15550000007@c.us".to_owned()),
        push_name: Some("Grace".to_owned()),
        ..Inbound::text(GROUP, "hi all")
    };
    vec![
        Inbound::text("15550000003@c.us", "one"),
        Inbound::text("15550000003@c.us", "two"),
        from_phone,
        in_group,
        Inbound::text(HIDDEN, "guess who"),
    ]
}

/// What clients were told of messages, in that order.
async fn told(app: &TestApp) -> Vec<Value> {
    let query =
        "SELECT body::jsonb -> 'data' FROM event WHERE name LIKE 'message.%' ORDER BY tx, seq";
    sqlx::query_scalar(query)
        .fetch_all(app.rows())
        .await
        .unwrap()
}

#[tokio::test]
async fn what_came_while_the_server_was_down_is_found_and_told_once() {
    for dialect in ALL {
        let (mut app, session) = start(dialect).await;
        app.stop().await;
        app.sim.while_away(&session.engine, missed()).unwrap();
        let before = app.count(LOOKED).await;
        app.start_again().await;
        looked_after(&app, before).await;
        assert_eq!(app.count(MESSAGES).await, 5, "{dialect}");
        assert_eq!(app.count(RECEIVED).await, 4, "{dialect}");
        assert_eq!(app.count(SENT).await, 1, "{dialect}");
        assert_eq!(app.count(UNREAD).await, 4, "{dialect}");
        let told = told(&app).await;
        let of = |text: &str| told.iter().find(|data| data["message"] == text).unwrap();
        assert_eq!(of("one")["chat_id"], "15550000003@c.us", "{dialect}");
        assert_eq!(of("one")["direction"], "inbound", "{dialect}");
        assert_eq!(of("answered on the phone")["direction"], "outbound");
        assert_eq!(of("hi all")["chat_id"], GROUP, "{dialect}");
        assert_eq!(of("hi all")["sender_phone"], "15550000007", "{dialect}");
        assert_eq!(of("guess who")["chat_id"], HIDDEN, "{dialect}");
        let place = |text| told.iter().position(|data| data["message"] == text);
        assert!(place("one") < place("two"), "{dialect}: {told:?}");
        for data in &told {
            let shown = session.message(&json!({"id": data["message_id"]})).await;
            assert_eq!(shown["content"], data["message"], "{dialect}");
        }

        // Another look finds the same again, and changes nothing.
        app.stop().await;
        let before = app.count(LOOKED).await;
        app.start_again().await;
        looked_after(&app, before).await;
        assert_eq!(app.count(MESSAGES).await, 5, "{dialect}");
        assert_eq!(app.count(TOLD).await, 5, "{dialect}");
        assert_eq!(app.count(UNREAD).await, 4, "{dialect}");
    }
}

#[tokio::test]
async fn what_came_while_a_session_was_away_is_found_when_it_is_back() {
    for dialect in ALL {
        let (app, session) = start(dialect).await;
        app.sim.while_away(&session.engine, missed()).unwrap();
        let before = app.count(LOOKED).await;
        app.sim.disconnect(&session.engine).unwrap();
        looked_after(&app, before).await;
        assert_eq!(app.count(RECEIVED).await, 4, "{dialect}");
        assert_eq!(app.count(SENT).await, 1, "{dialect}");
    }
}

#[tokio::test]
async fn a_report_that_comes_after_its_message_was_found_is_a_repeat() {
    for dialect in ALL {
        let (mut app, session) = start(dialect).await;
        app.sim.hold_callbacks();
        for inbound in missed() {
            app.sim.inbound(&session.engine, inbound).await.unwrap();
        }
        app.stop().await;
        let before = app.count(LOOKED).await;
        app.start_again().await;
        looked_after(&app, before).await;
        let (messages, told) = (app.count(MESSAGES).await, app.count(TOLD).await);
        assert_eq!((messages, told), (5, 5), "{dialect}");
        assert!(app.sim.release_callbacks(0).await >= 5, "{dialect}");
        app.taken(|record| record.body.contains("guess who")).await;
        assert_eq!(app.count(MESSAGES).await, 5, "{dialect}");
        assert_eq!(app.count(TOLD).await, 5, "{dialect}");
        assert_eq!(app.count(UNREAD).await, 4, "{dialect}");
    }
}

#[tokio::test]
async fn what_was_written_before_the_pairing_is_history_and_told_to_nobody() {
    for dialect in ALL {
        let app = TestApp::builder()
            .dialect(dialect)
            .engine(|engine| engine.seed = true)
            .start()
            .await;
        let (session, _) = app.working_session(&app.full_key()).await;
        looked_after(&app, 0).await;
        let messages = app.count(MESSAGES).await;
        assert!(messages > 20, "{dialect}: {messages}");
        assert_eq!(app.count(TOLD).await, 0, "{dialect}");
        assert_eq!(app.count(UNREAD).await, 0, "{dialect}");
        for kind in ["image", "voice", "location", "contact", "poll", "text"] {
            let count: i64 =
                sqlx::query_scalar("SELECT count(*) FROM message WHERE message_type = $1")
                    .bind(kind)
                    .fetch_one(app.rows())
                    .await
                    .unwrap();
            assert!(count > 0, "{dialect}: {kind}");
        }
        let named = "SELECT count(*) FROM chat WHERE is_group AND name IS NOT NULL";
        assert_eq!(app.count(named).await, 2, "{dialect}");
        // The chats are in order, each with its own newest message.
        let wrong = "SELECT count(*) FROM chat c WHERE merged_into IS NULL AND last_message_at <>
                     (SELECT max(sort_at) FROM message m WHERE m.chat_id = c.id)";
        assert_eq!(app.count(wrong).await, 0, "{dialect}");

        // Of what comes after it, everybody is told.
        let inbound = Inbound::text(FRIEND, "and now?");
        app.sim.inbound(&session.engine, inbound).await.unwrap();
        app.taken(|record| record.body.contains("and now?")).await;
        assert_eq!(app.count(RECEIVED).await, 1, "{dialect}");
        assert_eq!(app.count(UNREAD).await, 1, "{dialect}");
        assert_eq!(app.count(MESSAGES).await, messages + 1, "{dialect}");
    }
}

#[tokio::test]
async fn a_restart_does_not_make_news_of_history() {
    let mut app = TestApp::builder()
        .engine(|engine| engine.seed = true)
        .start()
        .await;
    app.working_session(&app.full_key()).await;
    looked_after(&app, 0).await;
    let messages = app.count(MESSAGES).await;
    app.stop().await;
    let before = app.count(LOOKED).await;
    app.start_again().await;
    looked_after(&app, before).await;
    assert_eq!(app.count(MESSAGES).await, messages);
    assert_eq!(app.count(TOLD).await, 0);
    assert_eq!(app.count(UNREAD).await, 0);
}

#[tokio::test]
async fn a_chat_that_cannot_be_read_does_not_keep_the_others_from_being_found() {
    for dialect in ALL {
        let (mut app, session) = start(dialect).await;
        app.stop().await;
        app.sim.while_away(&session.engine, missed()).unwrap();
        app.sim
            .fail_next(Failure::new(500).on("15550000003").times(u32::MAX));
        let before = app.count(LOOKED).await;
        app.start_again().await;
        looked_after(&app, before).await;
        assert_eq!(app.count(MESSAGES).await, 3, "{dialect}");
        assert_eq!(app.count(RECEIVED).await, 2, "{dialect}");
        assert_eq!(app.count(SENT).await, 1, "{dialect}");
    }
}

#[tokio::test]
async fn many_chats_and_a_long_one_are_found_to_their_end_and_told_in_order() {
    let (mut app, session) = start(Dialect::Gows).await;
    app.stop().await;
    let chats = (0..120).map(|n| Inbound::text(format!("1555001{n:04}@c.us"), "hello"));
    let long = (0..120).map(|n| Inbound::text(FRIEND, format!("{n}")));
    let all = chats.chain(long).collect();
    app.sim.while_away(&session.engine, all).unwrap();
    let before = app.count(LOOKED).await;
    app.start_again().await;
    looked_after(&app, before).await;
    assert_eq!(app.count(MESSAGES).await, 240);
    let told = told(&app).await;
    let said = told.iter().map(|data| data["message"].as_str().unwrap());
    let numbers: Vec<_> = said.filter(|text| *text != "hello").collect();
    let expected: Vec<_> = (0..120).map(|n| n.to_string()).collect();
    assert_eq!(numbers, expected);
}
