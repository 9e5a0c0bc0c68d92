use std::time::Duration;

use async_trait::async_trait;
use mf_domain::{Jid, PhoneNumber, SessionId, TenantId, WaMessageId};
use mf_engine::conformance::{Happening, Received, Sent, Served, Trouble, World, Written};
use mf_engine::{Engine, SessionKey, SessionSpec};
use mf_engine_waha::{Waha, WahaConfig};
use mf_waha_sim::{Config, Dialect, Failure, Inbound, MediaDrop, Sim};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use crate::{carried, happening, receiver};

/// Longer than anything takes here, shorter than anybody waits for a hanging test.
const PATIENCE: Duration = Duration::from_secs(20);

/// A simulated WAHA of its own, an adapter for it, and a receiver of its callbacks.
pub(crate) struct SimWorld {
    sim: Sim,
    dialect: Dialect,
    engine: Waha,
    impatient: Waha,
    session: SessionId,
    base_url: String,
    callback_url: String,
    callbacks: Mutex<mpsc::UnboundedReceiver<Received>>,
    serving: Mutex<Option<Serving>>,
}

/// How to end the server, and how it ended.
type Serving = (oneshot::Sender<()>, JoinHandle<std::io::Result<()>>);

/// An adapter for whatever listens there.
pub(crate) fn adapter(base_url: &str, key: &str, call_timeout: Duration) -> Waha {
    // Once per process is enough; whoever comes later finds it done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = WahaConfig {
        call_timeout,
        ..WahaConfig::new(base_url, key.into())
    };
    Waha::new(config).unwrap()
}

impl SimWorld {
    pub(crate) async fn new(dialect: Dialect) -> Self {
        Self::of_version(dialect, "2026.7.1").await
    }

    pub(crate) async fn of_version(dialect: Dialect, version: &str) -> Self {
        let sim = Sim::new(Config {
            engine: dialect,
            version: version.to_owned(),
            status_wait: Duration::from_millis(200),
            ..Config::quick("the-key")
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(sim.clone().serve(listener, async {
            let _ = stopped.await;
        }));
        let (sender, callbacks) = mpsc::unbounded_channel();
        let callback_url = receiver::serve(move |request| {
            let received = Received {
                headers: request.headers,
                body: request.body,
            };
            // A test that is over waits for no callback.
            let _ = sender.send(received);
            (200, String::new())
        })
        .await;
        Self {
            engine: adapter(&base_url, "the-key", PATIENCE),
            impatient: adapter(&base_url, "the-key", Duration::from_millis(300)),
            base_url,
            sim,
            dialect,
            session: SessionId::from(uuid::Uuid::from_u128(0x7e57)),
            callback_url: format!("{callback_url}/engine/waha/7e57"),
            callbacks: Mutex::new(callbacks),
            serving: Mutex::new(Some((stop, serving))),
        }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn sim(&self) -> &Sim {
        &self.sim
    }

    fn fail(&self, failure: Failure) {
        self.sim.fail_next(failure.on("POST /api/sendText"));
    }

    /// Has the engine tell who is there in a chat.
    async fn watch(&self, chat: &Jid) {
        let path = format!("api/{}/presence/{chat}/subscribe", self.name());
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .build()
            .unwrap();
        let request = client.post(format!("{}/{path}", self.base_url));
        let answer = request.header("x-api-key", "the-key").send().await;
        answer.unwrap().error_for_status().unwrap();
    }

    fn name(&self) -> String {
        SessionKey::of(self.session).as_str().to_owned()
    }
}

fn number(digits: &str) -> PhoneNumber {
    PhoneNumber::parse(digits).unwrap()
}

#[async_trait]
impl World for SimWorld {
    fn engine(&self) -> &dyn Engine {
        &self.engine
    }

    fn impatient(&self) -> &dyn Engine {
        &self.impatient
    }

    fn spec(&self) -> SessionSpec {
        SessionSpec {
            key: SessionKey::of(self.session),
            tenant_id: TenantId::from(uuid::Uuid::from_u128(0x7e4a)),
            session_id: self.session,
            callback_url: self.callback_url.clone(),
            callback_secret: Box::<[u8]>::from([0xc0, 0xff, 0xee, 0x00, 0x80]).into(),
        }
    }

    async fn scan(&self) {
        self.sim.scan(&self.name()).await.unwrap();
    }

    async fn write(&self, written: Written) -> WaMessageId {
        let inbound = Inbound {
            chat_id: written.chat.to_string(),
            text: written.text,
            content: carried::inbound(written.carried),
            from_me: written.from_me,
            participant: written.participant.as_ref().map(Jid::to_string),
            sender_alt: written.alternate.as_ref().map(Jid::to_string),
            timestamp: written.at.map(|at| at.timestamp()),
            push_name: written.sender_name,
            ..Inbound::default()
        };
        let shown = self.sim.inbound(&self.name(), inbound).await.unwrap();
        let id = shown["id"].as_str().unwrap().split('_').nth(2).unwrap();
        WaMessageId::new(id)
    }

    async fn sent(&self) -> Vec<Sent> {
        let sent = self.sim.sent(&self.name()).into_iter();
        sent.map(|sent| Sent {
            chat: Jid::parse(&sent.chat).unwrap(),
            id: WaMessageId::new(sent.id),
            kind: sent.kind.parse().unwrap(),
            text: sent.text,
            sha256: sent.media_sha256,
            filename: sent.filename,
            carried: carried::sent(&sent.kind, &sent.payload),
        })
        .collect()
    }

    async fn serve(&self, bytes: Vec<u8>) -> Served {
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let url = receiver::serve_bytes(move |_| (200, bytes.clone())).await;
        let url = format!("{url}/file");
        Served { url, sha256 }
    }

    fn tells_both_names(&self) -> bool {
        self.dialect != Dialect::Webjs
    }

    async fn happen(&self, happening: Happening) -> String {
        if let Happening::Typing { chat } = &happening {
            self.watch(chat).await;
        }
        happening::happen(&self.sim, &self.name(), happening).await
    }

    async fn bring(&self, trouble: Trouble) {
        match trouble {
            Trouble::Gone => {
                let (stop, serving) = self.serving.lock().await.take().unwrap();
                stop.send(()).unwrap();
                timeout(PATIENCE, serving).await.unwrap().unwrap().unwrap();
            }
            Trouble::Slow => self.sim.set_slow(PATIENCE),
            Trouble::CutBefore => self.fail(Failure::new(0)),
            Trouble::CutAfter => self.fail(Failure::new(0).after()),
            Trouble::Mute => self.fail(Failure::new(201).after().body(json!("taken"))),
            Trouble::Throttled => self.fail(Failure::new(500).body(json!({
                "statusCode": 500,
                "exception": {"message": "rate-overlimit", "name": "Error"},
            }))),
            Trouble::Broken => self.fail(Failure::new(500)),
            Trouble::FilesDropped => self.sim.set_media_dropped(MediaDrop::AtFirst),
            Trouble::FilesGone => self.sim.expire_files(),
            Trouble::Zombie => self.sim.set_zombie(&self.name(), true).unwrap(),
        }
    }

    async fn next_callback(&self) -> Received {
        let mut callbacks = self.callbacks.lock().await;
        let next = timeout(PATIENCE, callbacks.recv()).await;
        next.expect("no callback came")
            .expect("the receiver is gone")
    }

    fn somebody(&self) -> PhoneNumber {
        number("15550000002")
    }

    fn somebody_else(&self) -> PhoneNumber {
        number("15550000003")
    }

    fn unwilling(&self) -> PhoneNumber {
        number("15550000403")
    }

    fn nobody(&self) -> PhoneNumber {
        number("15559990000")
    }

    fn stranger(&self) -> PhoneNumber {
        number("15550000463")
    }
}
