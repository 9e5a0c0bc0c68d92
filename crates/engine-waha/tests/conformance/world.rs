use std::time::Duration;

use async_trait::async_trait;
use mf_domain::{Jid, PhoneNumber, SessionId, TenantId, WaMessageId};
use mf_engine::conformance::{Received, Sent, Trouble, World, Written};
use mf_engine::{Engine, SessionKey, SessionSpec};
use mf_engine_waha::{Waha, WahaConfig};
use mf_waha_sim::{Config, Dialect, Failure, Inbound, Sim};
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use crate::receiver;

/// Longer than anything takes here, shorter than anybody waits for a hanging test.
const PATIENCE: Duration = Duration::from_secs(20);

/// A simulated WAHA of its own, an adapter for it, and a receiver of its callbacks.
pub(crate) struct SimWorld {
    sim: Sim,
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
        let sim = Sim::new(Config {
            engine: dialect,
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
            from_me: written.from_me,
            participant: written.participant.as_ref().map(Jid::to_string),
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
            text: sent.text,
        })
        .collect()
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

    fn nobody(&self) -> PhoneNumber {
        number("15559990000")
    }

    fn stranger(&self) -> PhoneNumber {
        number("15550000463")
    }
}
