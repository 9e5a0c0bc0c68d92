use mf_test_support::{Answer, Client, EventStream};
use mf_waha_sim::{SentMessage, Sim};
use serde_json::{Value, json};
use uuid::Uuid;

use super::TestApp;

/// A session, as somebody made it.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    /// Its name at the engine.
    pub(crate) engine: String,
    client: Client,
}

impl Session {
    /// Makes one, stopped.
    pub(crate) async fn create(client: &Client) -> Self {
        let body = json!({"name": "Front desk"});
        let session = client.post("/sessions", body).await.expect(201);
        Self::of(client, session["id"].as_str().unwrap())
    }

    /// One that is there.
    pub(crate) fn of(client: &Client, id: &str) -> Self {
        let id = Uuid::try_parse(id).unwrap();
        Self {
            id,
            engine: format!("mf_{}", id.simple()),
            client: client.clone(),
        }
    }

    /// `/sessions/{id}` and what follows.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/sessions/{}{rest}", self.id)
    }

    /// The session as its owner sees it.
    pub(crate) async fn get(&self) -> Value {
        self.client.get(&self.path("")).await.expect(200)
    }

    /// An order: `start`, `stop` and so on.
    pub(crate) async fn order(&self, what: &str) -> Answer {
        self.client.order(&self.path(&format!("/{what}"))).await
    }

    /// What happens to it from now on, the snapshot first.
    pub(crate) async fn events(&self) -> EventStream {
        self.client.events(&self.path("/events")).await
    }

    /// Sends a text, and gives the answer whatever it is.
    pub(crate) async fn try_send(&self, phone: &str, text: &str) -> Answer {
        self.post(json!({"phone": phone, "message": text})).await
    }

    /// Sends a text.
    pub(crate) async fn send(&self, phone: &str, text: &str) -> Value {
        self.try_send(phone, text).await.expect(201)
    }

    /// POSTs a message with these fields beside the session's id.
    pub(crate) async fn post(&self, mut body: Value) -> Answer {
        body["session_id"] = json!(self.id);
        self.client.post("/messages/send", body).await
    }

    /// POSTs something to another address with these fields beside the session's id.
    pub(crate) async fn post_to(&self, path: &str, mut body: Value) -> Answer {
        body["session_id"] = json!(self.id);
        self.client.post(path, body).await
    }

    /// Its owner.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Does something in a chat: `read` or `typing`.
    pub(crate) async fn in_chat(&self, chat: &str, what: &str, body: Option<Value>) -> Answer {
        let path = format!("/messages/chat/{}/{chat}/{what}", self.id);
        match body {
            Some(body) => self.client.post(&path, body).await,
            None => self.client.order(&path).await,
        }
    }

    /// A file, by the address that clients are told.
    pub(crate) async fn file(&self, media: &Value) -> Answer {
        let url = media["url"].as_str().unwrap_or_else(|| panic!("{media}"));
        let (origin, path) = url.split_once("/api/v2").unwrap();
        assert!(origin.starts_with("http://"), "{url}");
        self.client.get(path).await
    }

    /// A message as its owner sees it.
    pub(crate) async fn message(&self, sent: &Value) -> Value {
        let id = sent["id"].as_str().unwrap();
        self.client
            .get(&format!("/messages/{id}"))
            .await
            .expect(200)
    }

    /// What WhatsApp got from it, oldest first.
    pub(crate) fn sent(&self, sim: &Sim) -> Vec<SentMessage> {
        sim.sent(&self.engine)
    }
}

impl TestApp {
    /// A session that shows a QR code, and what happens to it from then on.
    pub(crate) async fn scannable_session(&self, client: &Client) -> (Session, EventStream) {
        let session = Session::create(client).await;
        let mut events = session.events().await;
        session.order("start").await.expect(200);
        events.status("qr_code").await;
        (session, events)
    }

    /// A session that is paired and works, and what happens to it from then on.
    pub(crate) async fn working_session(&self, client: &Client) -> (Session, EventStream) {
        let (session, mut events) = self.scannable_session(client).await;
        self.sim.scan(&session.engine).await.unwrap();
        events.named("session.connected").await;
        (session, events)
    }
}
