//! What the engine reports: signed, taken once, kept where it cannot be read.

mod order;
mod repeats;
mod reports;
mod script;
mod signature;
mod trust;

use hmac::{Hmac, KeyInit as _, Mac as _};
use mf_test_support::Answer;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha512;

use crate::support::{Session, TestApp};

/// The key that a session's callbacks are signed with, as the engine was told it.
async fn signing_key(app: &TestApp, session: &Session) -> String {
    let at_engine = app.at_engine(&session.engine).await;
    let key = &at_engine["config"]["webhooks"][0]["hmac"]["key"];
    key.as_str().unwrap().to_owned()
}

fn sign(key: &str, body: &str) -> String {
    let mac = Hmac::<Sha512>::new_from_slice(key.as_bytes()).unwrap();
    hex::encode(mac.chain_update(body).finalize().into_bytes())
}

/// Delivers these bytes with this signature.
async fn deliver(app: &TestApp, session: &Session, body: &str, signature: &str) -> Answer {
    let path = format!("/engine/waha/{}", session.id);
    let call = app.anonymous().root().call(Method::POST, &path);
    call.header("content-type", "application/json")
        .header("x-webhook-hmac", signature)
        .header("x-webhook-hmac-algorithm", "sha512")
        .body(body.to_owned())
        .send()
        .await
}

/// Delivers an event as the engine would.
async fn report(app: &TestApp, session: &Session, event: &str, payload: Value) -> Answer {
    let body = envelope(session, event, &payload).to_string();
    let signature = sign(&signing_key(app, session).await, &body);
    deliver(app, session, &body, &signature).await
}

fn envelope(session: &Session, event: &str, payload: &Value) -> Value {
    json!({
        "id": "evt_01k0000000000000000000000000", "timestamp": 1_790_000_000_000_u64,
        "event": event, "session": session.engine, "metadata": {}, "me": null,
        "payload": payload, "engine": "NOWEB",
        "environment": {"version": "2026.7.1", "engine": "NOWEB", "tier": "CORE"},
    })
}

/// A text from somebody, as `message.any` has it.
fn text(id: &str, text: &str) -> Value {
    json!({
        "id": format!("false_15550000002@c.us_{id}"), "timestamp": 1_790_000_000,
        "from": "15550000002@c.us", "fromMe": false, "source": "app", "to": null,
        "participant": null, "body": text, "hasMedia": false, "media": null, "ack": 1,
        "ackName": "SERVER", "vCards": [], "_data": {},
    })
}
