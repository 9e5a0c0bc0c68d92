use mf_waha_sim::{Dialect, Inbound};
use serde_json::{Value, json};

use super::{at, each, receive};
use crate::support::TestApp;

const NOTHING: &str = "0197f000-0000-7000-8000-000000000001";

#[tokio::test]
async fn a_chat_is_found_by_every_form_of_its_name() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    receive(
        &app,
        &session,
        &mut events,
        at(1, "15550000002@c.us", "hello"),
    )
    .await;
    let list = key.get(&format!("/messages/chats/{}", session.id)).await;
    let id = list.expect(200)[0]["id"].as_str().unwrap().to_owned();
    let names = [
        id.as_str(),
        "15550000002@c.us",
        "15550000002@s.whatsapp.net",
        "15550000002",
        "%2B15550000002",
    ];
    for name in names {
        let page = key
            .get(&format!("/messages/chat/{}/{name}", session.id))
            .await;
        assert_eq!(
            each(&page.expect(200)["messages"], "content"),
            ["hello"],
            "{name}"
        );
        // The same in the other documented place.
        let page = key.get(&format!("/messages/chats/{name}")).await;
        assert_eq!(
            each(&page.expect(200)["messages"], "content"),
            ["hello"],
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found_by_its_name() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (session, mut events) = app.working_session(&key).await;
    let (other, _events) = app.working_session(&key).await;
    receive(
        &app,
        &session,
        &mut events,
        at(1, "15550000002@c.us", "hello"),
    )
    .await;
    let list = key.get(&format!("/messages/chats/{}", session.id)).await;
    let chat = list.expect(200)[0]["id"].as_str().unwrap().to_owned();
    let friend = "15550000002@c.us";
    for (path, sentence) in [
        (format!("/messages/chats/{NOTHING}"), "Session not found"),
        (
            "/messages/chats/15550000009@c.us".to_owned(),
            "Chat not found",
        ),
        (
            format!("/messages/chat/{NOTHING}/{friend}"),
            "Session not found",
        ),
        (
            format!("/messages/chat/{}/15550000009", session.id),
            "Chat not found",
        ),
        (
            format!("/messages/chat/{}/{NOTHING}", session.id),
            "Chat not found",
        ),
        // Another session's.
        (
            format!("/messages/chat/{}/{chat}", other.id),
            "Chat not found",
        ),
        (
            format!("/messages/chat/{}/{friend}", other.id),
            "Chat not found",
        ),
    ] {
        assert_eq!(key.get(&path).await.refused(404), sentence, "{path}");
    }
    for path in [
        "/messages/chats/nonsense".to_owned(),
        "/messages/chats/a@b.c".to_owned(),
        format!("/messages/chat/{}/nonsense", session.id),
        format!("/messages/chat/nonsense/{friend}"),
    ] {
        assert_eq!(key.get(&path).await.faults().len(), 1, "{path}");
    }
}

#[tokio::test]
async fn of_several_sessions_with_a_chat_the_one_last_active_answers() {
    let app = TestApp::start().await;
    let key = app.full_key();
    let (first, mut first_events) = app.working_session(&key).await;
    let (second, mut second_events) = app.working_session(&key).await;
    let friend = "15550000002@c.us";
    receive(
        &app,
        &second,
        &mut second_events,
        at(1, friend, "to the second"),
    )
    .await;
    receive(
        &app,
        &first,
        &mut first_events,
        at(2, friend, "to the first"),
    )
    .await;
    let path = format!("/messages/chats/{friend}");
    let page = key.get(&path).await.expect(200);
    assert_eq!(each(&page["messages"], "content"), ["to the first"]);
    receive(&app, &second, &mut second_events, at(3, friend, "again")).await;
    let page = key.get(&path).await.expect(200);
    assert_eq!(
        each(&page["messages"], "content"),
        ["again", "to the second"]
    );
}

#[tokio::test]
async fn a_number_and_its_hidden_id_become_one_chat_under_all_names() {
    for dialect in [Dialect::Noweb, Dialect::Gows] {
        let app = TestApp::builder().dialect(dialect).start().await;
        let key = app.full_key();
        let (session, mut events) = app.working_session(&key).await;
        let (phone, lid) = ("15550000002@c.us", "179242000000002@lid");
        app.sim.set_lid_known(&session.engine, lid, false).unwrap();
        receive(&app, &session, &mut events, at(1, phone, "by number")).await;
        receive(&app, &session, &mut events, at(2, lid, "hidden")).await;
        let list_path = format!("/messages/chats/{}", session.id);
        let list = key.get(&list_path).await.expect(200);
        assert_eq!(each(&list, "last_message_preview"), ["hidden", "by number"]);
        let ids: Vec<String> = each(&list, "id").into_iter().map(str::to_owned).collect();
        let both = Inbound {
            sender_alt: Some(phone.to_owned()),
            ..at(3, lid, "it is me")
        };
        let told = receive(&app, &session, &mut events, both).await;
        assert_eq!(told["contact_phone"], "15550000002", "{dialect}");
        assert_eq!(told["contact_lid"], "179242000000002", "{dialect}");
        let list = key.get(&list_path).await.expect(200);
        assert_eq!(list.as_array().unwrap().len(), 1, "{dialect}: {list}");
        assert_eq!(list[0]["phone"], "15550000002");
        assert_eq!(list[0]["lid"], "179242000000002");
        assert_eq!(list[0]["message_count"], 3);
        assert_eq!(list[0]["unread_count"], 3);
        let mut pages: Vec<Value> = Vec::new();
        for name in [phone, lid, &ids[0], &ids[1]] {
            let path = format!("/messages/chat/{}/{name}", session.id);
            pages.push(key.get(&path).await.expect(200));
        }
        let texts = each(&pages[0]["messages"], "content");
        assert_eq!(texts, ["it is me", "hidden", "by number"], "{dialect}");
        assert!(
            pages.iter().all(|page| *page == pages[0]),
            "{dialect}: {pages:?}"
        );
        // A message of old is a place in the chat that is left.
        let hidden = &pages[0]["messages"][1];
        let path = format!(
            "/messages/chat/{}/{phone}?before={}",
            session.id,
            hidden["wa_message_id"].as_str().unwrap()
        );
        let older = key.get(&path).await.expect(200);
        assert_eq!(each(&older["messages"], "content"), ["by number"]);
        assert_eq!(hidden["contact_phone"], json!("15550000002"), "{dialect}");
    }
}
