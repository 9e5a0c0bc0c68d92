use mf_waha_sim::{Config, Dialect, Inbound, Sim, Status};
use serde_json::json;

use super::support::{FRIEND, KEY, heard, soon, waha, waha_with};

#[tokio::test]
async fn a_message_is_acknowledged_by_server_device_and_reader() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", heard(json!({})).await).await;
    waha.send(json!({"session": "main", "chatId": FRIEND, "text": "hi", "id": "3EB0AA"}))
        .await;
    for (ack, name) in [(1, "SERVER"), (2, "DEVICE"), (3, "READ")] {
        let told = waha
            .event("message.ack", |payload| payload["ack"] == ack)
            .await;
        assert_eq!(told["ackName"], name);
        assert_eq!(told["id"], "true_15550000002@c.us_3EB0AA");
        assert_eq!(told["fromMe"], true);
    }
}

#[tokio::test]
async fn webjs_acknowledges_only_with_the_tags_switched_on() {
    let waha = waha(Dialect::Webjs).await;
    let on = heard(json!({"webjs": {"tagsEventsOn": true}})).await;
    waha.working("on", on).await;
    waha.working("off", heard(json!({})).await).await;
    waha.send(json!({"session": "off", "chatId": FRIEND, "text": "hi"}))
        .await;
    let off = waha.sim.sent("off")[0].id.clone();
    waha.sim.ack("off", &off, 3).unwrap();
    waha.send(json!({"session": "on", "chatId": FRIEND, "text": "hi"}))
        .await;
    waha.event("message.ack", |payload| payload["ackName"] == "READ")
        .await;
    let acks = waha.sim.callbacks();
    assert!(
        acks.iter()
            .filter(|r| r.event == "message.ack")
            .all(|r| r.session == "on")
    );
}

#[tokio::test]
async fn manual_acknowledgements_come_when_and_as_ordered() {
    let waha = waha_with(Config {
        ack_delays: None,
        ..Config::quick(KEY)
    })
    .await;
    waha.working("main", heard(json!({})).await).await;
    waha.send(json!({"session": "main", "chatId": FRIEND, "text": "hi", "id": "3EB0AA"}))
        .await;
    let order = json!({"id": "true_15550000002@c.us_3EB0AA", "ack": 3});
    assert_eq!(waha.post("/sim/sessions/main/ack", order).await.0, 200);
    waha.event("message.ack", |payload| payload["ack"] == 3)
        .await;
    waha.sim.ack("main", "3EB0AA", 1).unwrap();
    waha.event("message.ack", |payload| payload["ack"] == 1)
        .await;
    assert!(waha.sim.ack("main", "unknown", 1).is_err());
}

#[tokio::test]
async fn the_echo_number_answers_what_it_was_told() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", heard(json!({})).await).await;
    waha.send(json!({"session": "main", "chatId": "15550000001@c.us", "text": "ping"}))
        .await;
    let told = waha
        .event("message", |payload| payload["body"] == "echo: ping")
        .await;
    assert_eq!(
        (&told["from"], &told["fromMe"]),
        (&json!("15550000001@c.us"), &json!(false))
    );
    waha.event("message.any", |payload| payload["body"] == "echo: ping")
        .await;
}

#[tokio::test]
async fn the_number_that_refuses_strangers_answers_463() {
    for engine in [Dialect::Noweb, Dialect::Gows, Dialect::Webjs] {
        let waha = waha(engine).await;
        waha.working("main", json!({})).await;
        let (status, body) = waha
            .send(json!({"session": "main", "chatId": "15550000463@c.us", "text": "hi"}))
            .await;
        assert_eq!(status, 500);
        let message = body["exception"]["message"].as_str().unwrap();
        assert!(message.contains("server returned error 463"), "{message}");
        assert!(waha.sim.sent("main").is_empty());
    }
}

#[tokio::test]
async fn a_number_without_whatsapp_is_refused_by_gows_and_fails_later_elsewhere() {
    let waha_gows = waha(Dialect::Gows).await;
    waha_gows.working("main", json!({})).await;
    let lost = json!({"session": "main", "chatId": "15559990001@c.us", "text": "hi"});
    let (status, body) = waha_gows.send(lost.clone()).await;
    assert_eq!(status, 500);
    assert!(
        body["exception"]["message"]
            .as_str()
            .unwrap()
            .contains("no LID found")
    );

    let waha = waha(Dialect::Noweb).await;
    waha.working("main", heard(json!({})).await).await;
    assert_eq!(waha.send(lost).await.0, 201);
    let told = waha.event("message.ack", |_| true).await;
    assert_eq!(
        (&told["ack"], &told["ackName"]),
        (&json!(-1), &json!("ERROR"))
    );
    assert!(waha.sim.sent("main").is_empty());
}

#[tokio::test]
async fn whether_a_number_exists_can_be_asked() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    let (_, body) = waha
        .get("/api/contacts/check-exists?phone=%2B15550000002&session=main")
        .await;
    assert_eq!(body, json!({"numberExists": true, "chatId": FRIEND}));
    let (_, body) = waha
        .get("/api/contacts/check-exists?phone=15559990001&session=main")
        .await;
    assert_eq!(body, json!({"numberExists": false}));
}

#[tokio::test]
async fn an_inbound_message_is_told_twice_under_different_envelope_ids() {
    let waha = waha(Dialect::Webjs).await;
    waha.working("main", heard(json!({})).await).await;
    let shown = waha
        .sim
        .inbound("main", Inbound::text(FRIEND, "hello"))
        .await
        .unwrap();
    let both = |sim: &Sim| {
        let all = sim.callbacks();
        let of = |event: &str| all.iter().find(|r| r.event == event).cloned();
        of("message").zip(of("message.any"))
    };
    let (message, any) = soon(waha.sim.until(both)).await;
    assert_ne!(message.envelope_id, any.envelope_id);
    assert!(message.body.contains(shown["id"].as_str().unwrap()));
    let (_, me) = waha.get("/api/sessions/main/me").await;
    assert_eq!((&shown["from"], &shown["to"]), (&json!(FRIEND), &me["id"]));
}

#[tokio::test]
async fn a_group_message_is_from_the_group_and_says_who_wrote_it() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", heard(json!({})).await).await;
    let order = json!({"from": "123456@g.us", "text": "hi all", "participant": FRIEND});
    let (status, shown) = waha.post("/sim/sessions/main/inbound", order).await;
    assert_eq!(
        (status, &shown["from"], &shown["to"]),
        (201, &json!("123456@g.us"), &json!(FRIEND))
    );
    assert_eq!(shown["participant"], FRIEND);
    assert!(shown["id"].as_str().unwrap().ends_with("_15550000002@c.us"));
}

#[tokio::test]
async fn ignored_groups_are_neither_told_nor_kept() {
    let waha = waha(Dialect::Gows).await;
    waha.working("main", heard(json!({"ignore": {"groups": true}})).await)
        .await;
    waha.sim
        .inbound("main", Inbound::text("123456@g.us", "noise"))
        .await
        .unwrap();
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "hello"))
        .await
        .unwrap();
    waha.event("message.any", |payload| payload["body"] == "hello")
        .await;
    let (_, all) = waha.get("/api/main/chats/all/messages?limit=10").await;
    assert_eq!(all.as_array().unwrap().len(), 1);
    assert!(
        waha.sim
            .callbacks()
            .iter()
            .all(|record| !record.body.contains("noise"))
    );
}

#[tokio::test]
async fn presence_is_told_to_those_who_asked_for_it() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", heard(json!({})).await).await;
    let (status, body) = waha.get("/api/main/presence/15550000001%40c.us").await;
    assert_eq!((status, &body["id"]), (200, &json!("15550000001@c.us")));
    waha.send(json!({"session": "main", "chatId": "15550000001@c.us", "text": "hi"}))
        .await;
    waha.event("presence.update", |p| {
        p["presences"][0]["lastKnownPresence"] == "typing"
    })
    .await;
}

#[tokio::test]
async fn reading_on_noweb_is_told_as_if_the_incoming_message_were_acknowledged() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", heard(json!({})).await).await;
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "hello"))
        .await
        .unwrap();
    let (status, _) = waha
        .post(
            "/api/sendSeen",
            json!({"session": "main", "chatId": FRIEND}),
        )
        .await;
    assert_eq!(status, 201);
    let told = waha
        .event("message.ack", |payload| payload["ackName"] == "READ")
        .await;
    assert_eq!(told["fromMe"], false);
}

#[tokio::test]
async fn an_unlinked_session_fails_and_needs_a_new_code() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", json!({})).await;
    waha.post("/sim/sessions/main/unlink", json!({})).await;
    waha.reaches("main", Status::Failed).await;
    waha.post("/api/sessions/main/restart", json!({})).await;
    waha.reaches("main", Status::ScanQrCode).await;
}
