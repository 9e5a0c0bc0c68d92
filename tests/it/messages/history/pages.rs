use serde_json::{Value, json};

use super::{at, each, receive};
use crate::support::{Client, EventStream, Session, TestApp};

const FRIEND: &str = "15550000002@c.us";

/// A session with so many messages in one chat, `0` being the oldest; two in each second.
async fn with_messages(app: &TestApp, count: i64) -> (Session, EventStream) {
    let (session, mut events) = app.working_session(&app.full_key()).await;
    for number in 0..count {
        let inbound = at(number / 2, FRIEND, &number.to_string());
        receive(app, &session, &mut events, inbound).await;
    }
    (session, events)
}

async fn page(session: &Session, query: &str) -> Value {
    let path = format!("/messages/chat/{}/{FRIEND}?{query}", session.id);
    session.client().get(&path).await.expect(200)
}

fn texts(page: &Value) -> Vec<&str> {
    each(&page["messages"], "content")
}

#[tokio::test]
async fn pages_by_offset_show_everything_once_and_the_newest_first() {
    let app = TestApp::start().await;
    let (session, _events) = with_messages(&app, 7).await;
    for (offset, expected, more) in [
        (0, vec!["6", "5", "4"], true),
        (3, vec!["3", "2", "1"], true),
        (4, vec!["2", "1", "0"], false),
        (6, vec!["0"], false),
        (7, vec![], false),
        (700, vec![], false),
    ] {
        let page = page(&session, &format!("limit=3&offset={offset}")).await;
        assert_eq!(texts(&page), expected, "{offset}");
        assert_eq!(page["has_more"], more, "{offset}");
        assert_eq!(page["total"], 7);
        assert_eq!(page["limit"], 3);
        assert_eq!(page["offset"], offset);
    }
    let page = page(&session, "").await;
    assert_eq!(texts(&page).len(), 7);
    assert_eq!(page["limit"], 50);
    assert_eq!(page["offset"], 0);
    assert_eq!(page["has_more"], false);
}

#[tokio::test]
async fn a_cursor_goes_on_where_the_page_ended_whatever_arrives_meanwhile() {
    let app = TestApp::start().await;
    let (session, mut events) = with_messages(&app, 6).await;
    let first = page(&session, "limit=2").await;
    assert_eq!(texts(&first), ["5", "4"]);
    receive(&app, &session, &mut events, at(50, FRIEND, "new")).await;
    // By our id, and by WhatsApp's.
    for id in ["id", "wa_message_id"] {
        let last = first["messages"][1][id].as_str().unwrap();
        let second = page(&session, &format!("limit=2&before={last}")).await;
        assert_eq!(texts(&second), ["3", "2"], "{id}");
        assert_eq!(second["has_more"], true);
        assert_eq!(second["total"], 7);
        let last = second["messages"][1][id].as_str().unwrap();
        let third = page(&session, &format!("limit=2&before={last}")).await;
        assert_eq!(texts(&third), ["1", "0"], "{id}");
        assert_eq!(third["has_more"], false);
        let last = third["messages"][1][id].as_str().unwrap();
        let none = page(&session, &format!("before={last}")).await;
        assert_eq!(texts(&none), [""; 0], "{id}");
        assert_eq!(none["has_more"], false);
    }
}

#[tokio::test]
async fn what_came_after_a_message_is_read_from_there_on() {
    let app = TestApp::start().await;
    let (session, _events) = with_messages(&app, 6).await;
    let all = page(&session, "").await;
    let id = |number: usize| all["messages"][5 - number]["id"].as_str().unwrap();
    let next = page(&session, &format!("limit=2&after={}", id(1))).await;
    assert_eq!(texts(&next), ["3", "2"]);
    assert_eq!(next["has_more"], true);
    let next = page(&session, &format!("limit=2&after={}", id(3))).await;
    assert_eq!(texts(&next), ["5", "4"]);
    assert_eq!(next["has_more"], false);
    let between = page(&session, &format!("after={}&before={}", id(1), id(4))).await;
    assert_eq!(texts(&between), ["3", "2"]);
    assert_eq!(between["has_more"], false);
}

#[tokio::test]
async fn a_cursor_is_a_message_of_that_very_chat() {
    let app = TestApp::start().await;
    let (session, mut events) = with_messages(&app, 1).await;
    let elsewhere = at(1, "15550000003@c.us", "elsewhere");
    let elsewhere = receive(&app, &session, &mut events, elsewhere).await;
    for id in [
        &elsewhere["message_id"],
        &elsewhere["wa_message_id"],
        &json!("0197f000-0000-7000-8000-000000000001"),
        &json!("nothing"),
    ] {
        let id = id.as_str().unwrap();
        for cursor in ["before", "after"] {
            let path = format!("/messages/chat/{}/{FRIEND}?{cursor}={id}", session.id);
            let expected =
                format!("query.{cursor}: no such message in this chat (value_error.message_id)");
            assert_eq!(session.client().get(&path).await.faults(), [expected]);
        }
    }
}

#[tokio::test]
async fn a_search_finds_what_is_typed_and_takes_no_sign_for_another() {
    let app = TestApp::start().await;
    let (session, mut events) = app.working_session(&app.full_key()).await;
    let written = [
        "50% off",
        "500 off",
        "a_b",
        "axb",
        "back\\slash",
        "HELLO world",
        "ÄRGER im CAFÉ",
    ];
    for (second, text) in (0_i64..).zip(written) {
        receive(&app, &session, &mut events, at(second, FRIEND, text)).await;
    }
    for (search, expected) in [
        ("50%25", vec!["50% off"]),
        ("a_b", vec!["a_b"]),
        ("%5C", vec!["back\\slash"]),
        ("hello+WORLD", vec!["HELLO world"]),
        ("OFF", vec!["500 off", "50% off"]),
        ("%C3%A4rger", vec!["ÄRGER im CAFÉ"]),
        ("caf%C3%A9", vec!["ÄRGER im CAFÉ"]),
        ("nowhere", vec![]),
    ] {
        let page = page(&session, &format!("search={search}")).await;
        assert_eq!(texts(&page), expected, "{search}");
        assert_eq!(page["total"], json!(expected.len()), "{search}");
        assert_eq!(page["has_more"], false);
    }
    let page = page(&session, "search=off&limit=1").await;
    assert_eq!(texts(&page), ["500 off"]);
    assert_eq!(page["has_more"], true);
    assert_eq!(page["total"], 2);
}

#[tokio::test]
async fn a_page_that_makes_no_sense_is_refused() {
    let app = TestApp::start().await;
    let session = Session::create(&app.full_key()).await;
    let refused = async |client: &Client, query: &str| {
        let path = format!("/messages/chat/{}/{FRIEND}?{query}", session.id);
        client.get(&path).await.faults().len()
    };
    let key = app.full_key();
    for query in ["limit=0", "limit=101", "limit=x", "offset=-1"] {
        assert_eq!(refused(&key, query).await, 1, "{query}");
    }
    assert_eq!(refused(&key, "limit=0&offset=-1").await, 2);
}
