//! However much is logged, no secret is, nor what people write to whom.

use std::fs;

use mf_test_support::{Client, Credential};
use serde_json::{Value, json};

use crate::support::{Receiver, Told};

use super::{
    client::{log_in, new_session, send, until_session},
    rig::World,
};

const TEXT: &str = "the safe opens with zebra-quartz";
/// Answers, in the simulator's world, with what it is told.
const PHONE: &str = "15550000001";
const OTHER_PHONE: &str = "15557319824";
const WRONG: &str = "wrong-horse-battery";
const ANSWER: &str = "onyx-answers-the-endpoint";
const ADDRESS: &str = "token-in-an-address";

#[tokio::test]
async fn no_secret_is_in_the_log_even_of_everything() {
    let world = World::new().with("MOLTFLOW_LOG", "trace");
    let server = world.start().await;
    let first = world.first_run();
    let base = server.base_url.clone();
    let mut secrets = vec![
        ("message", TEXT.to_owned()),
        ("message", "zebra".to_owned()),
        ("phone", PHONE.to_owned()),
        ("phone", OTHER_PHONE.to_owned()),
        ("wrong password", WRONG.to_owned()),
        ("password", first.password.clone()),
        ("key", first.api_key.clone()),
    ];
    let postgres = world.data_dir().join("postgres/password");
    let postgres = fs::read_to_string(postgres).unwrap();
    secrets.push(("database password", postgres.trim().to_owned()));
    let kept = fs::read(world.data_dir().join("secrets.json")).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    for name in ["jwt_secret", "master_key"] {
        secrets.push((name, kept[name].as_str().unwrap().to_owned()));
    }

    let nobody = Client::new(&base, Credential::None);
    let wrong = json!({"email": first.email, "password": WRONG});
    nobody.post("/auth/login", wrong).await.refused(401);
    let (owner, login) = log_in(&base, &first.email, &first.password).await;
    let refresh = json!({"refresh_token": login["refresh_token"]});
    let refreshed = nobody.post("/auth/refresh", refresh).await.expect(200);
    for login in [&login, &refreshed] {
        for token in ["access_token", "refresh_token"] {
            secrets.push((token, login[token].as_str().unwrap().to_owned()));
        }
    }
    let key = owner
        .post("/api-keys", json!({"name": "Another"}))
        .await
        .expect(201);
    secrets.push(("key", key["raw_key"].as_str().unwrap().to_owned()));
    let stranger = nobody.with(Credential::ApiKey(format!("mf_{WRONG}")));
    stranger.get("/sessions").await.refused(401);

    let session = new_session(&owner, "Discreet").await;
    let token = refreshed["access_token"].as_str().unwrap();
    let path = format!("/sessions/{session}/events?token={token}");
    let mut events = nobody.events(&path).await;
    let receiver = Receiver::open().await;
    let hooked = format!("/hook?{ADDRESS}");
    receiver.answer(&hooked, Told::status(500).body(ANSWER));
    let webhook = json!({"url": receiver.url(&hooked), "events": ["message.received"]});
    let webhook = owner.post("/webhooks", webhook).await.expect(201);
    secrets.push((
        "webhook secret",
        webhook["secret"].as_str().unwrap().to_owned(),
    ));
    let rotate = format!(
        "/webhooks/{}/rotate-secret",
        webhook["id"].as_str().unwrap()
    );
    let rotated = owner.order(&rotate).await.expect(200);
    secrets.push((
        "webhook secret",
        rotated["secret"].as_str().unwrap().to_owned(),
    ));
    secrets.push(("answer of an endpoint", ANSWER.to_owned()));
    secrets.push(("address of an endpoint", ADDRESS.to_owned()));
    until_session(&owner, &session, "working").await;
    for phone in [PHONE, OTHER_PHONE] {
        send(&owner, &session, phone, TEXT).await.expect(201);
    }
    events.named("message.received").await;
    receiver.arrived(&hooked, 1).await;
    let trial = rotate.replace("rotate-secret", "test");
    owner.order(&trial).await.expect(200);
    events.until(|event| event.status() == "read").await;
    // What is refused is not repeated either.
    let faulty = json!({"session_id": 7, "phone": [OTHER_PHONE], "message": {"text": TEXT}});
    owner.post("/messages/send", faulty).await.expect(422);
    let unknown = json!({"session_id": session, "phone": "15559990001", "message": TEXT});
    owner.post("/messages/send", unknown).await.expect(201);
    secrets.push(("phone", "15559990001".to_owned()));
    events.until(|event| event.status() == "failed").await;
    let engine = fs::read(world.data_dir().join("waha-sim.json")).unwrap();
    let engine: Value = serde_json::from_slice(&engine).unwrap();
    let hmac = find_key(&engine).expect("the engine signs its callbacks");
    secrets.push(("callback key", hmac));

    drop(events);
    let log = server.stop().await;
    assert!(log.contains("TRACE"), "this was to be everything");
    let mut leaks = Vec::new();
    for (what, secret) in &secrets {
        for line in log.lines().filter(|line| line.contains(secret.as_str())) {
            leaks.push(format!(
                "{what}: {}",
                line.chars().take(300).collect::<String>()
            ));
        }
    }
    leaks.sort();
    let count = leaks.len();
    leaks.truncate(40);
    assert!(leaks.is_empty(), "{count} lines:\n{}", leaks.join("\n"));
}

/// `hmac.key`, wherever it is.
fn find_key(value: &Value) -> Option<String> {
    if let Some(key) = value["hmac"]["key"].as_str() {
        return Some(key.to_owned());
    }
    match value {
        Value::Array(list) => list.iter().find_map(find_key),
        Value::Object(fields) => fields.values().find_map(find_key),
        _ => None,
    }
}
