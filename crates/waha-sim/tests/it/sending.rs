use mf_waha_sim::Dialect;
use serde_json::{Value, json};

use super::support::{FRIEND, Waha, heard, waha};

fn hello(id: Option<&str>) -> Value {
    json!({"session": "main", "chatId": FRIEND, "text": "hello", "id": id})
}

async fn working(engine: Dialect) -> Waha {
    let waha = waha(engine).await;
    waha.working("main", heard(json!({})).await).await;
    waha
}

#[tokio::test]
async fn noweb_answers_a_send_with_a_raw_baileys_message() {
    let waha = working(Dialect::Noweb).await;
    let (status, body) = waha.send(hello(None)).await;
    assert_eq!(status, 201);
    assert_eq!(body["key"]["remoteJid"], "15550000002@s.whatsapp.net");
    assert_eq!(body["key"]["fromMe"], true);
    assert!(body["key"]["id"].as_str().unwrap().starts_with("3EB0"));
    assert!(body["messageTimestamp"].is_string());
    assert_eq!(body["status"], "PENDING");
    assert!(body.get("id").is_none());
}

#[tokio::test]
async fn gows_answers_a_send_with_a_full_id_and_its_data() {
    let waha = working(Dialect::Gows).await;
    let (status, body) = waha.send(hello(Some("3EB0AA"))).await;
    assert_eq!(
        (status, &body["id"]),
        (201, &json!("true_15550000002@c.us_3EB0AA"))
    );
    assert_eq!(body["_data"]["Info"]["ID"], "3EB0AA");
    let group = json!({"session": "main", "chatId": "123456@g.us", "text": "hi", "id": "3EB0BB"});
    let (_, me) = waha.get("/api/sessions/main/me").await;
    let (_, body) = waha.send(group).await;
    let expected = format!("true_123456@g.us_3EB0BB_{}", me["id"].as_str().unwrap());
    assert_eq!(body["id"], expected);
}

#[tokio::test]
async fn webjs_answers_a_send_with_an_id_object_and_ignores_the_callers_id() {
    let waha = working(Dialect::Webjs).await;
    let (status, body) = waha.send(hello(Some("MINE"))).await;
    assert_eq!(status, 201);
    let id = &body["id"];
    assert_eq!(
        (&id["fromMe"], &id["remote"]),
        (&json!(true), &json!(FRIEND))
    );
    let bare = id["id"].as_str().unwrap();
    assert_ne!(bare, "MINE");
    assert_eq!(id["_serialized"], format!("true_{FRIEND}_{bare}"));
    assert!(body["_data"].is_object());
}

#[tokio::test]
async fn webjs_leaves_the_participant_out_of_a_group_sends_answer_but_not_of_the_event() {
    let waha = working(Dialect::Webjs).await;
    let group = json!({"session": "main", "chatId": "123456@g.us", "text": "hi"});
    let (_, body) = waha.send(group).await;
    let answered = body["id"]["_serialized"].as_str().unwrap().to_owned();
    assert_eq!(answered.split('_').count(), 3);
    let told = waha
        .event("message.any", |payload| payload["fromMe"] == true)
        .await;
    let told = told["id"].as_str().unwrap();
    assert_eq!(told.split('_').count(), 4);
    assert!(told.starts_with(&answered));
}

#[tokio::test]
async fn the_same_id_sent_twice_is_delivered_once() {
    let waha = working(Dialect::Noweb).await;
    for _ in 0..2 {
        let (status, body) = waha.send(hello(Some("3EB0AA"))).await;
        assert_eq!((status, &body["key"]["id"]), (201, &json!("3EB0AA")));
    }
    let sent = waha.sim.sent("main");
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].deliveries, sent[0].submissions), (1, 2));
    let (_, listed) = waha.get("/sim/sent?session=main").await;
    assert_eq!(listed[0]["id"], "3EB0AA");
}

#[tokio::test]
async fn on_webjs_sending_twice_delivers_twice_whatever_the_id() {
    let waha = working(Dialect::Webjs).await;
    waha.send(hello(Some("3EB0AA"))).await;
    waha.send(hello(Some("3EB0AA"))).await;
    assert_eq!(waha.sim.sent("main").len(), 2);
}

#[tokio::test]
async fn bare_digits_and_jids_mean_the_same_chat() {
    let waha = working(Dialect::Gows).await;
    for chat in ["15550000002", "15550000002@s.whatsapp.net", FRIEND] {
        let (status, _) = waha
            .send(json!({"session": "main", "chatId": chat, "text": "hi"}))
            .await;
        assert_eq!(status, 201);
    }
    assert!(waha.sim.sent("main").iter().all(|sent| sent.chat == FRIEND));
}

#[tokio::test]
async fn a_new_message_id_can_be_had_except_on_webjs() {
    for engine in [Dialect::Noweb, Dialect::Gows] {
        let waha = working(engine).await;
        let (status, body) = waha.get("/api/main/new-message-id").await;
        assert_eq!(status, 200);
        assert!(body["id"].as_str().unwrap().starts_with("3EB0"));
    }
    let waha = working(Dialect::Webjs).await;
    assert_eq!(waha.get("/api/main/new-message-id").await.0, 501);
}

#[tokio::test]
async fn a_send_is_told_as_message_any_by_the_api_and_never_as_message() {
    let waha = working(Dialect::Noweb).await;
    waha.send(hello(Some("3EB0AA"))).await;
    let told = waha
        .event("message.any", |payload| payload["fromMe"] == true)
        .await;
    assert_eq!(told["id"], "true_15550000002@c.us_3EB0AA");
    assert_eq!(
        (&told["source"], &told["body"]),
        (&json!("api"), &json!("hello"))
    );
    waha.event("message.ack", |payload| payload["ackName"] == "READ")
        .await;
    assert!(
        waha.sim
            .callbacks()
            .iter()
            .all(|record| record.event != "message")
    );
}

#[tokio::test]
async fn from_and_to_of_an_own_message_follow_the_engines_habits() {
    let waha = working(Dialect::Noweb).await;
    waha.send(hello(None)).await;
    let told = waha.event("message.any", |_| true).await;
    assert_eq!((&told["from"], &told["to"]), (&json!(FRIEND), &Value::Null));

    let waha = working(Dialect::Webjs).await;
    waha.send(hello(None)).await;
    let told = waha.event("message.any", |_| true).await;
    let (_, me) = waha.get("/api/sessions/main/me").await;
    assert_eq!((&told["from"], &told["to"]), (&me["id"], &json!(FRIEND)));
}

#[tokio::test]
async fn a_reply_names_the_message_answered_by_its_bare_id() {
    let waha = working(Dialect::Gows).await;
    let mut body = hello(None);
    body["reply_to"] = json!("false_15550000002@c.us_AAAA");
    waha.send(body.clone()).await;
    let told = waha.event("message.any", |_| true).await;
    assert_eq!(told["replyTo"]["id"], "AAAA");
    body["reply_to"] = json!("AAAA");
    let (status, body) = waha.send(body).await;
    assert_eq!(status, 500);
    let message = body["exception"]["message"].as_str().unwrap();
    assert!(message.starts_with("Message id be in format"), "{message}");
}
