//! A simulator on a loopback port, a client for it, and a receiver of its callbacks.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use mf_waha_sim::{CallbackRecord, Config, Dialect, Sim, Status};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

pub(crate) const KEY: &str = "test-key";
pub(crate) const FRIEND: &str = "15550000002@c.us";

/// Nothing in these tests takes long; what does is stuck.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future)
        .await
        .expect("did not happen in time")
}

pub(crate) struct Waha {
    pub(crate) sim: Sim,
    pub(crate) http: Client,
    pub(crate) base: String,
}

pub(crate) fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

/// A simulator for quick tests on the given engine.
pub(crate) async fn waha(engine: Dialect) -> Waha {
    waha_with(Config {
        engine,
        ..Config::quick(KEY)
    })
    .await
}

pub(crate) async fn waha_with(config: Config) -> Waha {
    let sim = Sim::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(sim.clone().serve(listener, std::future::pending()));
    Waha {
        sim,
        http: client(),
        base,
    }
}

impl Waha {
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Response {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .header("X-Api-Key", KEY);
        if let Some(body) = body {
            request = request.json(body);
        }
        soon(request.send()).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        parts(self.call(Method::GET, path, None).await).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        parts(self.call(Method::POST, path, Some(&body)).await).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        parts(self.call(Method::PUT, path, Some(&body)).await).await
    }

    pub(crate) async fn send(&self, body: Value) -> (u16, Value) {
        self.post("/api/sendText", body).await
    }

    /// A session that exists and is stopped.
    pub(crate) async fn create(&self, name: &str, config: Value) {
        let (status, _) = self
            .post("/api/sessions", json!({"name": name, "config": config}))
            .await;
        assert_eq!(status, 201);
    }

    /// A session that shows a QR code.
    pub(crate) async fn scannable(&self, name: &str, config: Value) {
        self.create(name, config).await;
        self.post(&format!("/api/sessions/{name}/start"), json!({}))
            .await;
        self.reaches(name, Status::ScanQrCode).await;
    }

    /// A session that works.
    pub(crate) async fn working(&self, name: &str, config: Value) {
        self.scannable(name, config).await;
        self.sim.scan(name).await.unwrap();
        self.reaches(name, Status::Working).await;
    }

    pub(crate) async fn reaches(&self, name: &str, status: Status) {
        let reached = |sim: &Sim| (sim.status(name) == Some(status)).then_some(());
        soon(self.sim.until(reached)).await;
    }

    /// The first callback attempt that fits, once there is one.
    pub(crate) async fn callback(&self, fits: impl Fn(&CallbackRecord) -> bool) -> Value {
        let found = |sim: &Sim| sim.callbacks().into_iter().find(|record| fits(record));
        serde_json::from_str(&soon(self.sim.until(found)).await.body).unwrap()
    }

    /// The payload of the first event of that name whose payload fits.
    pub(crate) async fn event(&self, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let envelope = self
            .callback(|record| {
                let envelope: Value = serde_json::from_str(&record.body).unwrap();
                record.event == name && fits(&envelope["payload"])
            })
            .await;
        envelope["payload"].clone()
    }
}

pub(crate) async fn parts(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (
        status,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    )
}

/// What a receiver got: headers and the raw body.
pub(crate) type Delivery = (HeaderMap, Bytes);

type Answers = Arc<Mutex<VecDeque<u16>>>;

/// A callback receiver. It gives the answers in turn, and 200 when they are used up.
pub(crate) async fn receiver(answers: &[u16]) -> (String, mpsc::UnboundedReceiver<Delivery>) {
    let (sender, deliveries) = mpsc::unbounded_channel();
    let answers: Answers = Arc::new(Mutex::new(answers.iter().copied().collect()));
    let router = Router::new()
        .route(
            "/",
            post(
                async |State((sender, answers)): State<(
                    mpsc::UnboundedSender<Delivery>,
                    Answers,
                )>,
                       headers: HeaderMap,
                       body: Bytes| {
                    let answer = answers.lock().unwrap().pop_front().unwrap_or(200);
                    let _ = sender.send((headers, body));
                    StatusCode::from_u16(answer).unwrap()
                },
            ),
        )
        .with_state((sender, answers));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    (url, deliveries)
}

/// A config whose events go to a receiver that takes everything.
pub(crate) async fn heard(extra: Value) -> Value {
    let (url, mut deliveries) = receiver(&[]).await;
    tokio::spawn(async move { while deliveries.recv().await.is_some() {} });
    let mut config = json!({"webhooks": [{"url": url, "events": ["*"]}]});
    for (name, value) in extra.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

/// A config under which NOWEB keeps chats.
pub(crate) fn keeping() -> Value {
    json!({"noweb": {"store": {"enabled": true}}})
}
