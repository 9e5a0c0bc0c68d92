use mf_waha_sim::{Dialect, Inbound};
use serde_json::json;

use super::support::{FRIEND, keeping, waha};

#[tokio::test]
async fn a_sent_message_is_found_by_its_full_and_by_its_bare_id() {
    for engine in [Dialect::Noweb, Dialect::Gows] {
        let waha = waha(engine).await;
        waha.working("main", keeping()).await;
        waha.send(json!({"session": "main", "chatId": FRIEND, "text": "hi", "id": "3EB0AA"}))
            .await;
        let full = "/api/main/chats/15550000002%40c.us/messages/true_15550000002%40c.us_3EB0AA";
        for path in [
            full,
            "/api/main/chats/15550000002%40c.us/messages/3EB0AA?downloadMedia=false",
            "/api/main/chats/all/messages/3EB0AA",
        ] {
            let (status, body) = waha.get(path).await;
            assert_eq!((status, &body["body"]), (200, &json!("hi")), "{path}");
        }
        let (status, body) = waha.get("/api/main/chats/all/messages/3EB0BB").await;
        assert_eq!(
            (status, &body["message"]),
            (404, &json!("Message not found"))
        );
    }
}

#[tokio::test]
async fn webjs_takes_full_ids_only_and_knows_no_chat_called_all() {
    let waha = waha(Dialect::Webjs).await;
    waha.working("main", json!({})).await;
    let shown = waha
        .sim
        .inbound("main", Inbound::text(FRIEND, "hello"))
        .await
        .unwrap();
    let id = shown["id"].as_str().unwrap().replace('@', "%40");
    let chat = "/api/main/chats/15550000002%40c.us/messages";
    assert_eq!(waha.get(&format!("{chat}/{id}")).await.0, 200);
    assert_eq!(waha.get(&format!("{chat}/3EB0AA")).await.0, 500);
    assert_eq!(
        waha.get("/api/main/chats/all/messages?limit=1").await.0,
        500
    );
}

#[tokio::test]
async fn noweb_without_its_store_cannot_be_read() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    let (status, body) = waha.get("/api/main/chats/overview").await;
    assert_eq!(status, 422);
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .starts_with("Enable NOWEB store")
    );
}

#[tokio::test]
async fn messages_are_listed_newest_first_in_pages_and_by_filter() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", json!({})).await;
    for text in ["one", "two", "three"] {
        waha.sim
            .inbound("main", Inbound::text(FRIEND, text))
            .await
            .unwrap();
    }
    waha.send(json!({"session": "main", "chatId": FRIEND, "text": "mine"}))
        .await;
    let chat = "/api/main/chats/15550000002%40c.us/messages";
    let texts = async |query: &str| {
        let (_, body) = waha.get(&format!("{chat}?{query}")).await;
        let found: Vec<_> = body
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["body"].as_str().unwrap().to_owned())
            .collect();
        found
    };
    assert_eq!(texts("limit=2").await, ["mine", "three"]);
    assert_eq!(texts("limit=2&offset=2").await, ["two", "one"]);
    assert_eq!(
        texts("limit=9&sortOrder=asc").await,
        ["one", "two", "three", "mine"]
    );
    assert_eq!(texts("limit=9&filter.fromMe=true").await, ["mine"]);
    assert!(
        texts("limit=9&filter.timestamp.gte=99999999999")
            .await
            .is_empty()
    );
    assert_eq!(waha.get(&format!("{chat}?limit=many")).await.0, 400);
    assert_eq!(
        waha.get(&format!("{chat}?limit=1&filter.ack=SEEN")).await.0,
        400
    );
}

#[tokio::test]
async fn the_overview_has_each_chat_once_with_its_last_message() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", json!({})).await;
    for (from, text) in [
        (FRIEND, "old"),
        ("15550000003@c.us", "other"),
        (FRIEND, "new"),
    ] {
        waha.sim
            .inbound("main", Inbound::text(from, text))
            .await
            .unwrap();
    }
    let (_, body) = waha.get("/api/main/chats/overview").await;
    assert_eq!(body.as_array().unwrap().len(), 2);
    assert_eq!(
        (&body[0]["id"], &body[0]["lastMessage"]["body"]),
        (&json!(FRIEND), &json!("new"))
    );
}

#[tokio::test]
async fn hidden_ids_and_numbers_lead_to_each_other() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", json!({})).await;
    let (status, body) = waha.get("/api/main/lids/pn/15550000002").await;
    assert_eq!((status, &body["pn"]), (200, &json!(FRIEND)));
    let lid = body["lid"].as_str().unwrap().replace('@', "%40");
    let (_, back) = waha.get(&format!("/api/main/lids/{lid}")).await;
    assert_eq!(back, body);
    let (status, body) = waha.get("/api/main/lids/pn/15559990001").await;
    assert_eq!((status, &body["lid"]), (200, &json!(null)));
}

#[tokio::test]
async fn a_person_written_to_under_both_ids_has_one_chat_unless_kept_apart() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", json!({})).await;
    let (_, known) = waha.get("/api/main/lids/pn/15550000002").await;
    let lid = known["lid"].as_str().unwrap();
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "one"))
        .await
        .unwrap();
    waha.sim
        .inbound("main", Inbound::text(lid, "two"))
        .await
        .unwrap();
    let chat = "/api/main/chats/15550000002%40c.us/messages?limit=9";
    assert_eq!(waha.get(chat).await.1.as_array().unwrap().len(), 2);
    let apart = waha.get(&format!("{chat}&merge=false")).await.1;
    assert_eq!(apart.as_array().unwrap().len(), 1);
}
