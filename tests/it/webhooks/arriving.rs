use mf_test_support::http;
use serde_json::{Value, json};

use super::{Hook, Scene, assert_signed, plain, start, tell, write};
use crate::support::{Arrival, Client, Receiver, Session, TestApp, soon};

/// The `id:` and the `data:` of a session's next event of this name, as they come.
async fn next_raw(app: &TestApp, key: &Client, session: &Session, name: &str) -> (String, String) {
    let url = format!("{}/api/v2{}", app.origin(), session.path("/events"));
    let call = http().get(url).header("x-api-key", key.secret());
    let mut response = soon(call.send()).await.unwrap();
    write(app, session, "hällo \u{1f600} \"quoted\" </script>").await;
    let mut read = String::new();
    let wanted = format!("event: {name}\n");
    loop {
        if let Some(block) = read
            .split_inclusive("\n\n")
            .find(|block| block.contains(&wanted) && block.ends_with("\n\n"))
        {
            let field = |name: &str| {
                let mut lines = block.lines();
                let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                value
                    .unwrap_or_else(|| panic!("no {name}: {block}"))
                    .to_owned()
            };
            return (field("id"), field("data"));
        }
        let chunk = soon(response.chunk()).await.unwrap();
        read.push_str(std::str::from_utf8(&chunk.expect("the stream goes on")).unwrap());
    }
}

#[tokio::test]
async fn a_message_arrives_signed_and_as_the_stream_tells_it() {
    let scene = Scene::set().await;
    let hook = scene.hook("/hook?shop=7").await;
    let (id, data) = next_raw(&scene.app, &scene.key, &scene.session, "message.received").await;
    let arrivals = scene.receiver.arrived("/hook?shop=7", 1).await;
    let arrival = &arrivals[0];
    // The same bytes.
    assert_eq!(String::from_utf8(arrival.body.clone()).unwrap(), data);
    assert_eq!(arrival.id(), id);
    assert_signed(arrival, &hook.secret);
    assert_eq!(arrival.header("content-type"), "application/json");
    assert_eq!(arrival.header("x-webhook-event"), "message.received");
    assert_eq!(arrival.header("x-webhook-id"), id);
    assert_eq!(
        arrival.header("x-webhook-timestamp"),
        arrival.header("webhook-timestamp")
    );
    let agent = arrival.header("user-agent");
    assert!(agent.starts_with("MoltFlow-Webhooks/"), "{agent}");
    let envelope = arrival.envelope();
    assert_eq!(envelope["id"], json!(id));
    assert_eq!(envelope["event"], "message.received");
    let data = &envelope["data"];
    assert_eq!(data["session_id"], json!(scene.session.id));
    assert_eq!(data["chat_id"], "15550000002@c.us");
    assert_eq!(data["direction"], "inbound");
    assert_eq!(data["message"], "hällo \u{1f600} \"quoted\" </script>");
}

#[tokio::test]
async fn a_secret_that_the_client_chose_signs_as_it_is() {
    let mut scene = Scene::set().await;
    let mut told = 0;
    for secret in [
        "my-endpoint-secret-0123456789",
        "ein Schlüssel",
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    ] {
        let body = json!({
            "url": scene.receiver.url("/chosen"), "events": ["message.received"],
            "secret": secret,
        });
        let hook = Hook::make(&scene.key, body).await;
        let id = scene.tell("hello").await;
        told += 1;
        let arrivals = scene.receiver.arrived("/chosen", told).await;
        let arrival = &arrivals[told - 1];
        assert_eq!(arrival.id(), id);
        let signature = arrival.header("x-webhook-signature");
        assert_eq!(signature, plain(secret, &arrival.body), "{secret}");
        assert_signed(arrival, secret);
        scene.key.delete(&hook.path("")).await.expect(200);
    }
}

#[tokio::test]
async fn only_the_events_that_are_wanted_arrive() {
    let mut scene = Scene::set().await;
    let url = |path: &str| scene.receiver.url(path);
    let received = Hook::on(&scene.key, &url("/received"), &["message.received"]).await;
    Hook::on(
        &scene.key,
        &url("/sent"),
        &["message.sent", "message.failed"],
    )
    .await;
    Hook::on(&scene.key, &url("/leads"), &["lead.detected"]).await;
    let all = Hook::on(&scene.key, &url("/all"), &["*"]).await;
    // The engine's echo answers.
    scene.session.send("15550000001", "ping").await;
    scene.events.named("message.received").await;
    scene.session.order("stop").await.expect(200);
    scene.events.status("stopped").await;
    let told = all.deliveries("").await.len();
    let all = scene.receiver.arrived("/all", told).await;
    scene.receiver.arrived("/received", 1).await;
    scene.receiver.arrived("/sent", 1).await;
    received.attempted(1).await;
    let named = |path: &str| -> Vec<String> {
        let arrivals = scene.receiver.arrivals(path);
        let name = |arrival: &Arrival| arrival.header("x-webhook-event").to_owned();
        arrivals.iter().map(name).collect()
    };
    assert_eq!(named("/received"), ["message.received"]);
    assert_eq!(named("/sent"), ["message.sent"]);
    assert_eq!(named("/leads"), Vec::<String>::new());
    let all: Vec<&str> = all.iter().map(|a| a.header("x-webhook-event")).collect();
    for name in ["message.sent", "message.received", "session.status"] {
        assert!(all.contains(&name), "{name}: {all:?}");
    }
}

#[tokio::test]
async fn a_webhook_that_is_off_hears_nothing() {
    let mut scene = Scene::set().await;
    let body = json!({
        "url": scene.receiver.url("/off"), "events": ["*"], "is_active": false,
    });
    let off = Hook::make(&scene.key, body).await;
    let on = scene.hook("/on").await;
    scene.tell("hello").await;
    scene.receiver.arrived("/on", 1).await;
    on.attempted(1).await;
    assert_eq!(scene.receiver.arrivals("/off").len(), 0);
    assert_eq!(off.deliveries("").await, Vec::<Value>::new());
    // What happened while it was off is not told when it is on: that takes a replay.
    off.patch(json!({"is_active": true})).await;
    let id = scene.tell("again").await;
    let arrivals = scene.receiver.arrived("/off", 1).await;
    assert_eq!(arrivals[0].id(), id);
}

#[tokio::test]
async fn no_tenant_hears_of_another() {
    let app = start().await;
    let receiver = Receiver::open().await;
    let (ours, theirs) = (app.full_key(), app.other_tenant().await.key);
    let our_hook = Hook::on(&ours, &receiver.url("/ours"), &["*"]).await;
    let their_hook = Hook::on(&theirs, &receiver.url("/theirs"), &["*"]).await;
    let (our_session, mut our_events) = app.working_session(&ours).await;
    let (their_session, mut their_events) = app.working_session(&theirs).await;
    tell(&app, &our_session, &mut our_events, "to us").await;
    tell(&app, &their_session, &mut their_events, "to them").await;
    let count = async |hook: &Hook| {
        let page = hook.client.get(&hook.path("/deliveries")).await.expect(200);
        usize::try_from(page["total"].as_i64().unwrap()).unwrap()
    };
    for (hook, path, session) in [
        (&our_hook, "/ours", &our_session),
        (&their_hook, "/theirs", &their_session),
    ] {
        let arrivals = receiver.arrived(path, count(hook).await).await;
        assert!(arrivals.len() >= 3, "{}", arrivals.len());
        for arrival in arrivals {
            let data = &arrival.envelope()["data"];
            assert_eq!(data["session_id"], json!(session.id), "{data}");
            assert_signed(&arrival, &hook.secret);
        }
    }
}

#[tokio::test]
async fn each_webhook_is_told_by_itself_with_a_secret_of_its_own() {
    let mut scene = Scene::set().await;
    let one = scene.hook("/one").await;
    let two = scene.hook("/two").await;
    assert_ne!(one.secret, two.secret);
    let id = scene.tell("hello").await;
    for (hook, path) in [(&one, "/one"), (&two, "/two")] {
        let arrivals = scene.receiver.arrived(path, 1).await;
        assert_eq!(arrivals[0].id(), id);
        assert_signed(&arrivals[0], &hook.secret);
        let deliveries = hook.attempted(1).await;
        assert_eq!(deliveries[0]["event_id"], json!(id));
        assert_eq!(deliveries[0]["status"], "delivered");
    }
}
