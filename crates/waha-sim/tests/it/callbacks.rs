use hmac::{Hmac, KeyInit, Mac};
use mf_waha_sim::{Dialect, Inbound, Replay, Sim};
use serde_json::{Value, json};
use sha2::Sha512;

use super::support::{FRIEND, heard, receiver, soon, waha};

#[tokio::test]
async fn a_callback_is_signed_over_its_raw_body_and_carries_its_headers() {
    let waha = waha(Dialect::Noweb).await;
    let (url, mut deliveries) = receiver(&[]).await;
    let config = json!({
        "metadata": {"tenant": "t1"},
        "webhooks": [{
            "url": url,
            "events": ["session.status"],
            "hmac": {"key": "secret"},
            "customHeaders": [{"name": "X-Mine", "value": "yes"}],
        }],
    });
    waha.scannable("main", config).await;
    let (headers, body) = soon(deliveries.recv()).await.unwrap();

    let mut mac = Hmac::<Sha512>::new_from_slice(b"secret").unwrap();
    mac.update(&body);
    assert_eq!(
        headers["x-webhook-hmac"],
        hex::encode(mac.finalize().into_bytes())
    );
    assert_eq!(headers["x-webhook-hmac-algorithm"], "sha512");
    assert_eq!(headers["x-mine"], "yes");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["user-agent"], "WAHA/2026.7.1");

    let envelope: Value = serde_json::from_slice(&body).unwrap();
    let id = envelope["id"]
        .as_str()
        .unwrap()
        .strip_prefix("evt_")
        .unwrap();
    assert!(
        id.len() == 26
            && id
                .bytes()
                .all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
    );
    assert_eq!(
        headers["x-webhook-timestamp"],
        envelope["timestamp"].to_string().as_str()
    );
    assert_eq!(envelope["event"], "session.status");
    assert_eq!(envelope["session"], "main");
    assert_eq!(envelope["metadata"], json!({"tenant": "t1"}));
    assert_eq!(envelope["engine"], "NOWEB");
    assert_eq!(envelope["environment"]["version"], "2026.7.1");
    assert_eq!(envelope["me"], Value::Null);
}

#[tokio::test]
async fn a_failed_callback_is_tried_again_with_the_same_id_until_taken() {
    let waha = waha(Dialect::Noweb).await;
    let (url, mut deliveries) = receiver(&[500, 404, 200]).await;
    waha.working(
        "main",
        json!({"webhooks": [{"url": url, "events": ["message"]}]}),
    )
    .await;
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "hello"))
        .await
        .unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let (headers, body) = soon(deliveries.recv()).await.unwrap();
        let id = headers["x-webhook-request-id"].to_str().unwrap().to_owned();
        seen.push((id, headers["x-webhook-timestamp"].clone(), body));
    }
    assert!(seen.iter().all(|attempt| *attempt == seen[0]));
    let third = |sim: &Sim| {
        sim.callbacks()
            .into_iter()
            .find(|record| record.attempt == 3)
    };
    assert_eq!(soon(waha.sim.until(third)).await.status, Some(200));
}

#[tokio::test]
async fn after_the_last_retry_the_event_is_lost() {
    let waha = waha(Dialect::Noweb).await;
    let (url, mut deliveries) = receiver(&[500; 3]).await;
    let retries = json!({"policy": "constant", "delaySeconds": 0, "attempts": 2});
    let hook = json!({"url": url, "events": ["message"], "retries": retries});
    waha.working("main", json!({"webhooks": [hook]})).await;
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "lost"))
        .await
        .unwrap();
    for _ in 0..3 {
        let (_, body) = soon(deliveries.recv()).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("lost"));
    }
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "next"))
        .await
        .unwrap();
    let (_, body) = soon(deliveries.recv()).await.unwrap();
    assert!(
        String::from_utf8_lossy(&body).contains("next"),
        "no fourth attempt"
    );
}

#[tokio::test]
async fn only_subscribed_events_are_sent_and_every_url_gets_the_same_id() {
    let waha = waha(Dialect::Noweb).await;
    let (first, mut one) = receiver(&[]).await;
    let (second, mut two) = receiver(&[]).await;
    let hooks = json!([
        {"url": first, "events": ["message"]},
        {"url": second, "events": ["message"]},
    ]);
    waha.working("main", json!({"webhooks": hooks})).await;
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "hello"))
        .await
        .unwrap();
    let (_, one) = soon(one.recv()).await.unwrap();
    let (_, two) = soon(two.recv()).await.unwrap();
    assert_eq!(one, two);
    assert!(
        waha.sim
            .callbacks()
            .iter()
            .all(|record| record.event == "message")
    );
}

#[tokio::test]
async fn a_callback_can_be_delivered_again_byte_for_byte() {
    let waha = waha(Dialect::Noweb).await;
    let (url, mut deliveries) = receiver(&[]).await;
    waha.working(
        "main",
        json!({"webhooks": [{"url": url, "events": ["message"]}]}),
    )
    .await;
    waha.sim
        .inbound("main", Inbound::text(FRIEND, "hello"))
        .await
        .unwrap();
    let (headers, body) = soon(deliveries.recv()).await.unwrap();
    let logged = |sim: &Sim| sim.callbacks().first().cloned();
    let record = soon(waha.sim.until(logged)).await;

    let which = Replay::EnvelopeId(record.envelope_id.clone());
    let replayed = soon(waha.sim.replay_callback(which)).await.unwrap();
    assert!(replayed.replayed && replayed.status == Some(200));
    let (again_headers, again) = soon(deliveries.recv()).await.unwrap();
    assert_eq!(again, body);
    assert_eq!(
        again_headers["x-webhook-request-id"],
        headers["x-webhook-request-id"]
    );

    let (status, _) = waha
        .post("/sim/callbacks/replay", json!({"index": record.index}))
        .await;
    assert_eq!(status, 200);
    assert_eq!(soon(deliveries.recv()).await.unwrap().1, body);
    let (status, _) = waha
        .post("/sim/callbacks/replay", json!({"envelopeId": "evt_no"}))
        .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn events_say_which_account_once_it_is_known() {
    let waha = waha(Dialect::Noweb).await;
    waha.working("main", heard(json!({})).await).await;
    let envelope = waha
        .callback(|record| record.body.contains(r#""status":"WORKING","#))
        .await;
    let (_, me) = waha.get("/api/sessions/main/me").await;
    assert_eq!(envelope["me"], me);
    let (_, log) = waha.get("/sim/callbacks").await;
    assert!(log[0]["envelopeId"].as_str().unwrap().starts_with("evt_"));
}
