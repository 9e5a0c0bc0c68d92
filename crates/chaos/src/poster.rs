//! The engine's side of messages that come in, quicker than an engine: signed callbacks, repeated
//! until they are taken, and a ledger of what was.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha512;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

use crate::{Session, unix_seconds};

/// Pause before a callback that was not taken is sent again.
const REPEAT_AFTER: Duration = Duration::from_millis(250);
/// How long the server may take to answer one.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What is posted, and how fast.
#[derive(Debug, Clone)]
pub struct Posting {
    /// Marks begin with it, so that those of several posters differ: letters and digits.
    pub prefix: String,
    /// Messages come to these sessions in turn.
    pub sessions: Vec<Session>,
    /// Messages in a second; `None` is as many as the workers get through.
    pub rate: Option<f64>,
    /// How many callbacks are on their way at a time, at most.
    pub workers: usize,
    /// So many messages altogether; `None` goes on until it is stopped.
    pub limit: Option<u64>,
    /// How many people write.
    pub people: u64,
}

impl Posting {
    /// At a rate, to these sessions, until stopped.
    pub fn at(prefix: &str, sessions: &[Session], rate: f64) -> Self {
        Self {
            prefix: prefix.to_owned(),
            sessions: sessions.to_vec(),
            rate: Some(rate),
            workers: 32,
            limit: None,
            people: 500,
        }
    }

    /// So many messages, as fast as they are taken.
    pub fn burst(prefix: &str, sessions: &[Session], count: u64) -> Self {
        Self {
            rate: None,
            limit: Some(count),
            ..Self::at(prefix, sessions, 0.0)
        }
    }
}

/// One message that was taken.
#[derive(Debug, Clone, Copy)]
pub struct Posted {
    /// When it was first sent.
    pub begun: Instant,
    /// When the answer came that says that it is stored.
    pub accepted: Instant,
    /// Which of the sessions, by its place.
    pub session: usize,
}

/// What became of all.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// Those answered with 2xx, by WhatsApp's id of the message: the mark.
    pub accepted: HashMap<String, Posted>,
    /// Answers that were no 2xx, by status; 0 is no answer.
    pub refused: HashMap<u16, u64>,
}

/// Posts in the background. Dropping it ends it at once.
#[derive(Debug)]
pub struct Poster {
    shared: Arc<Shared>,
    workers: JoinSet<()>,
    stop: watch::Sender<bool>,
}

#[derive(Debug)]
struct Shared {
    posting: Posting,
    http: reqwest::Client,
    /// The servers; messages go to them in turn.
    to: Mutex<Vec<SocketAddr>>,
    next: AtomicU64,
    begun: Instant,
    ledger: Mutex<Ledger>,
}

impl Poster {
    /// Begins.
    pub fn start(to: &[SocketAddr], posting: Posting) -> Result<Self> {
        let workers = posting.workers;
        let shared = Arc::new(Shared {
            posting,
            http: crate::api::http()?,
            to: Mutex::new(to.to_vec()),
            next: AtomicU64::new(0),
            begun: Instant::now(),
            ledger: Mutex::default(),
        });
        let (stop, stopped) = watch::channel(false);
        let mut set = JoinSet::new();
        for _ in 0..workers {
            set.spawn(work(Arc::clone(&shared), stopped.clone()));
        }
        Ok(Self {
            shared,
            workers: set,
            stop,
        })
    }

    /// From now on, to these.
    pub fn aim(&self, to: &[SocketAddr]) {
        let mut at = self
            .shared
            .to
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *at = to.to_vec();
    }

    /// How many were taken so far.
    pub fn accepted(&self) -> usize {
        self.shared.ledger().accepted.len()
    }

    /// What became of all so far.
    pub fn ledger(&self) -> Ledger {
        self.shared.ledger().clone()
    }

    /// Begins no more, and waits until what was begun is taken.
    pub async fn stop(self) -> Result<Ledger> {
        let _ = self.stop.send(true);
        self.finish().await
    }

    /// Waits until as many were taken as were to be.
    pub async fn finish(mut self) -> Result<Ledger> {
        while let Some(ended) = self.workers.join_next().await {
            ended.context("a poster broke")?;
        }
        Ok(self.ledger())
    }
}

impl Shared {
    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn target(&self, number: u64) -> Option<SocketAddr> {
        let to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        let count = u64::try_from(to.len()).ok().filter(|count| *count > 0)?;
        to.get(usize::try_from(number % count).ok()?).copied()
    }

    /// One message, sent again and again until it is taken.
    async fn deliver(&self, number: u64) {
        let Posting {
            sessions,
            prefix,
            people,
            ..
        } = &self.posting;
        let place = usize::try_from(number).unwrap_or_default() % sessions.len().max(1);
        let Some(session) = sessions.get(place) else {
            return;
        };
        let mark = format!("{prefix}{number:08}");
        let phone = 15_550_100_000 + number % people.max(&1);
        let body = message(session, &mark, phone);
        let signature = sign(&session.key, &body);
        let begun = Instant::now();
        loop {
            match self.post(number, session, &body, &signature).await {
                Ok(status) if (200..300).contains(&status) => break,
                Ok(status) => self.refused(status),
                Err(_) => self.refused(0),
            }
            sleep(REPEAT_AFTER).await;
        }
        let posted = Posted {
            begun,
            accepted: Instant::now(),
            session: place,
        };
        self.ledger().accepted.insert(mark, posted);
    }

    fn refused(&self, status: u16) {
        *self.ledger().refused.entry(status).or_default() += 1;
    }

    async fn post(
        &self,
        number: u64,
        session: &Session,
        body: &str,
        signature: &str,
    ) -> Result<u16> {
        let to = self.target(number).context("nobody to report to")?;
        let request = self
            .http
            .post(format!("http://{to}/engine/waha/{}", session.id))
            .timeout(ANSWER_WITHIN)
            .header("content-type", "application/json")
            .header("x-webhook-hmac", signature)
            .header("x-webhook-hmac-algorithm", "sha512")
            .body(body.to_owned());
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        // To its end, so that the connection can be used again.
        let _ = answer.bytes().await;
        Ok(status)
    }
}

async fn work(shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    loop {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        if shared.posting.limit.is_some_and(|limit| number >= limit) || *stopped.borrow() {
            return;
        }
        if let Some(rate) = shared.posting.rate {
            #[allow(
                clippy::cast_precision_loss,
                reason = "there are never that many messages"
            )]
            let due = shared.begun + Duration::from_secs_f64(number as f64 / rate);
            tokio::select! {
                () = sleep_until(due.into()) => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
        shared.deliver(number).await;
    }
}

/// The hexadecimal HMAC-SHA512 that WAHA sends.
fn sign(key: &str, body: &str) -> String {
    match Hmac::<Sha512>::new_from_slice(key.as_bytes()) {
        Ok(mac) => hex::encode(mac.chain_update(body).finalize().into_bytes()),
        Err(_) => String::new(),
    }
}

/// A text from somebody, as NOWEB reports it.
fn message(session: &Session, mark: &str, phone: u64) -> String {
    let now = unix_seconds();
    json!({
        "id": format!("evt_{}", mark.to_lowercase()), "timestamp": now * 1000,
        "event": "message.any", "session": session.engine, "metadata": {}, "me": null,
        "engine": "NOWEB",
        "environment": {"version": "2026.7.1", "engine": "NOWEB", "tier": "CORE"},
        "payload": {
            "id": format!("false_{phone}@c.us_{mark}"), "timestamp": now,
            "from": format!("{phone}@c.us"), "fromMe": false, "source": "app", "to": null,
            "participant": null, "body": format!("Message {mark}"), "hasMedia": false,
            "media": null, "ack": 1, "ackName": "SERVER", "vCards": [], "_data": {},
        },
    })
    .to_string()
}
