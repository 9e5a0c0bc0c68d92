//! What tests here ask of a server.

use mf_test_support::{Answer, Client, Credential};
use serde_json::{Value, json};

use super::rig::eventually;

/// Somebody who logged in; with what the login answered.
pub(super) async fn log_in(base_url: &str, email: &str, password: &str) -> (Client, Value) {
    let login = json!({"email": email, "password": password});
    let nobody = Client::new(base_url, Credential::None);
    let login = nobody.post("/auth/login", login).await.expect(200);
    let token = login["access_token"].as_str().unwrap().to_owned();
    (nobody.with(Credential::Bearer(token)), login)
}

/// Asks again and again until the answer is the one that is waited for: it happens in another
/// process.
pub(super) async fn until(client: &Client, path: &str, found: impl Fn(&Answer) -> bool) -> Answer {
    let mut last = None;
    eventually(path, async || {
        let answer = client.get(path).await;
        let fits = found(&answer);
        last = Some(answer);
        fits
    })
    .await;
    last.expect("it was asked once at least")
}

/// Waits for a session's status.
pub(super) async fn until_session(client: &Client, id: &str, status: &str) -> Value {
    let path = format!("/sessions/{id}");
    let found = |answer: &Answer| answer.status == 200 && answer.json()["status"] == status;
    until(client, &path, found).await.json()
}

/// Waits until it is known what became of a message.
pub(super) async fn until_settled(client: &Client, id: &str) -> Value {
    let path = format!("/messages/{id}");
    let found = |answer: &Answer| answer.status == 200 && answer.json()["status"] != "pending";
    until(client, &path, found).await.json()
}

/// A new session, started; its id. Somebody has to scan its code.
pub(super) async fn new_session(client: &Client, name: &str) -> String {
    let made = client
        .post("/sessions", json!({"name": name}))
        .await
        .expect(201);
    let id = made["id"].as_str().unwrap().to_owned();
    client
        .order(&format!("/sessions/{id}/start"))
        .await
        .expect(200);
    id
}

/// Sends a text.
pub(super) async fn send(client: &Client, session: &str, phone: &str, text: &str) -> Answer {
    client
        .post("/messages/send", text_to(session, phone, text))
        .await
}

/// A text to send.
pub(super) fn text_to(session: &str, phone: &str, text: &str) -> Value {
    json!({"session_id": session, "phone": phone, "message": text})
}

/// The `id` of a body.
pub(super) fn id_of(body: &Value) -> String {
    body["id"].as_str().expect("an id").to_owned()
}
