//! What goes wrong with messages and their callbacks on order.

use mf_waha_sim::{Config, Dialect, Inbound, Sim};
use serde_json::{Value, json};

use super::support::{FRIEND, KEY, Waha, heard, parts, soon, waha, waha_with};

const ENGINES: [Dialect; 3] = [Dialect::Noweb, Dialect::Gows, Dialect::Webjs];

async fn working(engine: Dialect) -> Waha {
    let waha = waha(engine).await;
    waha.working("main", heard(json!({})).await).await;
    waha
}

#[tokio::test]
async fn callbacks_can_come_more_than_once_with_the_same_envelope() {
    let waha = working(Dialect::Noweb).await;
    let order = json!({"count": 3});
    assert_eq!(waha.post("/sim/callbacks/copies", order).await.0, 200);
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "hi"))
        .await
        .unwrap();
    let thrice = |sim: &Sim| {
        let all = sim.callbacks();
        let ids: Vec<_> = all
            .iter()
            .filter(|record| record.event == "message")
            .map(|record| record.envelope_id.clone())
            .collect();
        (ids.len() == 3).then_some(ids)
    };
    let ids = soon(waha.sim.until(thrice)).await;
    assert!(ids.iter().all(|id| *id == ids[0]));
}

#[tokio::test]
async fn in_groups_everybody_acknowledges_for_themselves() {
    let waha = working(Dialect::Gows).await;
    let group = "123456@g.us";
    for participant in [FRIEND, "15550000003@c.us"] {
        let inbound = Inbound {
            participant: Some(participant.to_owned()),
            ..Inbound::text(group, "hi all")
        };
        waha.sim.inbound("main", inbound).await.unwrap();
    }
    waha.sim.set_manual_acks(true);
    waha.send(json!({"session": "main", "chatId": group, "text": "hi"}))
        .await;
    let id = waha.sim.sent("main")[0].id.clone();
    let order = json!({"id": id, "ack": 2, "participant": FRIEND});
    assert_eq!(waha.post("/sim/sessions/main/ack", order).await.0, 200);
    let told = waha.event("message.ack.group", |p| p["ack"] == 2).await;
    assert_eq!(told["participant"], FRIEND);
    waha.sim.ack("main", &id, 3).unwrap();
    for participant in [FRIEND, "15550000003@c.us"] {
        waha.event("message.ack.group", |payload| {
            payload["ack"] == 3 && payload["participant"] == participant
        })
        .await;
    }
}

/// The texts told by `message.any`, in the order they were posted.
fn told(sim: &Sim) -> Vec<String> {
    sim.callbacks()
        .iter()
        .filter(|record| record.event == "message.any")
        .map(|record| {
            let envelope: Value = serde_json::from_str(&record.body).unwrap();
            envelope["payload"]["body"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn callbacks_can_be_held_back_and_come_in_another_order() {
    let texts: Vec<String> = (0..6).map(|number| number.to_string()).collect();
    let order = async |seed: u64| {
        let waha = working(Dialect::Gows).await;
        waha.sim.hold_callbacks();
        for text in &texts {
            waha.sim
                .inbound("main", Inbound::text(FRIEND, text))
                .await
                .unwrap();
        }
        assert!(told(&waha.sim).is_empty());
        assert_eq!(waha.sim.held_callbacks().len(), 12);
        let release = json!({"seed": seed});
        let (status, body) = waha.post("/sim/callbacks/release", release).await;
        assert_eq!((status, &body["released"]), (200, &json!(12)));
        told(&waha.sim)
    };
    assert_eq!(order(0).await, texts);
    let shuffled = order(5).await;
    assert_ne!(shuffled, texts);
    assert_eq!(shuffled, order(5).await);
    let mut sorted = shuffled;
    sorted.sort();
    assert_eq!(sorted, texts);
}

#[tokio::test]
async fn after_a_release_callbacks_come_at_once_again() {
    let waha = working(Dialect::Gows).await;
    assert_eq!(waha.post("/sim/callbacks/hold", json!({})).await.0, 200);
    waha.sim.release_callbacks(1).await;
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "hi"))
        .await
        .unwrap();
    waha.event("message", |payload| payload["body"] == "hi")
        .await;
}

#[tokio::test]
async fn acknowledgements_can_be_made_to_come_after_all() {
    let waha = waha_with(Config {
        ack_delays: None,
        ..Config::quick(KEY)
    })
    .await;
    waha.working("main", heard(json!({})).await).await;
    let order = json!({"millis": [1, 2, 3]});
    assert_eq!(waha.post("/sim/ack-delays", order).await.0, 200);
    waha.send(json!({"session": "main", "chatId": FRIEND, "text": "hi"}))
        .await;
    waha.event("message.ack", |payload| payload["ackName"] == "READ")
        .await;
}

#[tokio::test]
async fn sends_can_be_made_to_answer_nothing_and_go_out_all_the_same() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let order = json!({"empty": true});
        assert_eq!(waha.post("/sim/empty-answers", order).await.0, 200);
        let file = json!({"mimetype": "image/png", "data": "aGVsbG8="});
        for (route, body) in [
            ("/api/sendText", json!({"text": "hi"})),
            ("/api/sendImage", json!({"file": file})),
            (
                "/api/sendPoll",
                json!({"poll": {"name": "?", "options": ["a", "b"]}}),
            ),
        ] {
            let mut body = body;
            body["session"] = json!("main");
            body["chatId"] = json!(FRIEND);
            let response = waha.call(reqwest::Method::POST, route, Some(&body)).await;
            assert_eq!(response.status(), 201);
            assert!(response.bytes().await.unwrap().is_empty());
        }
        assert_eq!(waha.sim.sent("main").len(), 3);
    }
}

#[tokio::test]
async fn a_restricted_account_writes_only_to_those_who_wrote_to_it() {
    for engine in ENGINES {
        let waha = working(engine).await;
        let order = json!({"restricted": true});
        assert_eq!(
            waha.post("/sim/sessions/main/restricted", order).await.0,
            200
        );
        let hello = json!({"session": "main", "chatId": FRIEND, "text": "hi"});
        let (status, body) = waha.send(hello.clone()).await;
        assert_eq!(status, 500);
        let message = body["exception"]["message"].as_str().unwrap();
        assert!(message.contains("server returned error 463"), "{message}");
        waha.sim
            .inbound("main", Inbound::text(FRIEND, "hi"))
            .await
            .unwrap();
        assert_eq!(waha.send(hello).await.0, 201);
        let stranger = json!({"session": "main", "chatId": "15550000077", "text": "hi"});
        assert_eq!(waha.send(stranger.clone()).await.0, 500);
        waha.sim.set_restricted("main", false).unwrap();
        assert_eq!(waha.send(stranger).await.0, 201);
    }
}

#[tokio::test]
async fn a_reset_ends_what_was_ordered_for_messages() {
    let waha = working(Dialect::Noweb).await;
    waha.sim.set_empty_answers(true);
    waha.sim.hold_callbacks();
    waha.send(json!({"session": "main", "chatId": FRIEND, "text": "hi"}))
        .await;
    let response = waha
        .call(reqwest::Method::POST, "/sim/reset", Some(&json!({})))
        .await;
    assert_eq!(parts(response).await.0, 200);
    assert!(waha.sim.actions_of_all().is_empty());
    waha.working("main", heard(json!({})).await).await;
    let (_, body) = waha
        .send(json!({"session": "main", "chatId": FRIEND, "text": "hi"}))
        .await;
    assert!(body["key"]["id"].is_string());
    waha.event("message.any", |payload| payload["body"] == "hi")
        .await;
}
