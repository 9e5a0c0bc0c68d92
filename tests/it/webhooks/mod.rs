//! Webhooks: how they are kept, what they send, and what becomes of it.

mod arriving;
mod crud;
mod deliveries;
mod going_down;
mod limits;
mod refused;
mod replay;
mod retries;
mod secret;
mod switched;
mod trial;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use mf_test_support::Answer;
use mf_waha_sim::Inbound;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::time::{MissedTickBehavior, interval};

use crate::support::{Arrival, Client, EventStream, Receiver, Session, TestApp, soon};

/// A server whose webhooks may go to this machine.
async fn start() -> TestApp {
    TestApp::builder()
        .set("MOLTFLOW_WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8")
        .set("MOLTFLOW_WEBHOOK_ALLOW_HTTP", "true")
        .start()
        .await
}

/// A webhook, as somebody made it.
#[derive(Debug, Clone)]
struct Hook {
    id: String,
    secret: String,
    client: Client,
}

impl Hook {
    /// Makes one.
    async fn make(client: &Client, body: Value) -> Self {
        let made = client.post("/webhooks", body).await.expect(201);
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        Self {
            id: text("id"),
            secret: text("secret"),
            client: client.clone(),
        }
    }

    /// One for these events, at this address.
    async fn on(client: &Client, url: &str, events: &[&str]) -> Self {
        Self::make(client, json!({"url": url, "events": events})).await
    }

    /// `/webhooks/{id}` and what follows.
    fn path(&self, rest: &str) -> String {
        format!("/webhooks/{}{rest}", self.id)
    }

    async fn get(&self) -> Value {
        self.client.get(&self.path("")).await.expect(200)
    }

    async fn patch(&self, body: Value) -> Value {
        self.client.patch(&self.path(""), body).await.expect(200)
    }

    /// An order without a body: `test` and so on.
    async fn order(&self, rest: &str) -> Answer {
        self.client.order(&self.path(rest)).await
    }

    /// Its deliveries, newest event first.
    async fn deliveries(&self, query: &str) -> Vec<Value> {
        let path = self.path(&format!("/deliveries?{query}"));
        let page = self.client.get(&path).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// Its only delivery, with every attempt.
    async fn delivery(&self) -> Value {
        let deliveries = self.deliveries("").await;
        assert_eq!(deliveries.len(), 1, "{deliveries:?}");
        delivery(&self.client, &deliveries[0]).await
    }

    /// Its deliveries, once so many attempts at them were written down.
    #[track_caller]
    fn attempted(&self, count: i64) -> impl Future<Output = Vec<Value>> {
        let hook = self.clone();
        soon(async move {
            eventually(async || {
                let deliveries = hook.deliveries("").await;
                let made = |one: &Value| one["attempt_count"].as_i64().unwrap();
                let attempts: i64 = deliveries.iter().map(made).sum();
                (attempts >= count).then_some(deliveries)
            })
            .await
        })
    }
}

/// A delivery with all there is to know.
async fn delivery(client: &Client, listed: &Value) -> Value {
    let path = format!("/webhooks/deliveries/{}", listed["id"].as_str().unwrap());
    client.get(&path).await.expect(200)
}

/// Asks until there is an answer. Nobody is told of what is only written down.
async fn eventually<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let mut tick = interval(Duration::from_millis(20));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Some(answer) = ask().await {
            return answer;
        }
    }
}

/// Time goes by until whatever waits is due.
async fn pass_time(app: &TestApp) {
    for sql in [
        "UPDATE webhook_state SET blocked_until = NULL",
        "UPDATE webhook_delivery SET next_at = now() - interval '1 second'
         WHERE state = 'pending' AND claim_id IS NULL",
    ] {
        sqlx::query(sql).execute(app.rows()).await.unwrap();
    }
    app.services().store.wake().ring_deliveries();
}

/// Somebody writes to the session.
async fn write(app: &TestApp, session: &Session, text: &str) {
    let inbound = Inbound::text("15550000002@c.us", text);
    app.sim.inbound(&session.engine, inbound).await.unwrap();
}

/// Somebody writes to the session, and the tenant was told.
async fn tell(app: &TestApp, session: &Session, events: &mut EventStream, text: &str) -> String {
    write(app, session, text).await;
    let told = events.named("message.received").await;
    assert_eq!(told.data()["message"], text);
    told.id.unwrap()
}

/// A server, a session that works, and an endpoint.
struct Scene {
    app: TestApp,
    key: Client,
    session: Session,
    events: EventStream,
    receiver: Receiver,
}

impl Scene {
    async fn set() -> Self {
        let app = start().await;
        let key = app.full_key();
        let (session, events) = app.working_session(&key).await;
        let receiver = Receiver::open().await;
        Self {
            app,
            key,
            session,
            events,
            receiver,
        }
    }

    /// A webhook for messages, at this path of the endpoint.
    async fn hook(&self, path: &str) -> Hook {
        Hook::on(&self.key, &self.receiver.url(path), &["message.received"]).await
    }

    /// Somebody writes. The id of the event.
    async fn tell(&mut self, text: &str) -> String {
        tell(&self.app, &self.session, &mut self.events, text).await
    }
}

/// `X-Webhook-Signature`.
fn plain(secret: &str, body: &[u8]) -> String {
    hex::encode(hmac(secret.as_bytes(), body))
}

/// One signature of Standard Webhooks.
fn standard(secret: &str, arrival: &Arrival) -> String {
    let key = match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).unwrap(),
        None => secret.as_bytes().to_vec(),
    };
    let before = format!("{}.{}.", arrival.id(), arrival.header("webhook-timestamp"));
    let signed = [before.as_bytes(), &arrival.body].concat();
    format!("v1,{}", STANDARD.encode(hmac(&key, &signed)))
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

/// Fails unless this secret alone has signed.
#[track_caller]
fn assert_signed(arrival: &Arrival, secret: &str) {
    let (id, body) = (arrival.id(), &arrival.body);
    assert_eq!(
        arrival.header("x-webhook-signature"),
        plain(secret, body),
        "{id}"
    );
    assert_eq!(
        arrival.header("webhook-signature"),
        standard(secret, arrival),
        "{id}"
    );
}
