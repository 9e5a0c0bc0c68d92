//! A client of a session's event stream that comes back wherever it was cut off.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::{Api, Ledger, Session, until};

/// Pause before the stream is opened again.
const RESUME_AFTER: Duration = Duration::from_millis(200);

/// What it heard so far.
#[derive(Debug, Clone, Default)]
struct Heard {
    /// Events by their id, with WhatsApp's id of the message each tells of; how often each came.
    events: BTreeMap<String, (Option<String>, usize)>,
    last: Option<String>,
    opened: usize,
}

/// Follows in the background. Dropping it ends it.
#[derive(Debug)]
pub struct Follower {
    heard: Arc<Mutex<Heard>>,
    /// Counts how often the connection was to be cut.
    cuts: watch::Sender<u64>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Begins, and waits until the stream is open.
    pub async fn start(api: &Api, session: &Session) -> Result<Self> {
        let heard = Arc::<Mutex<Heard>>::default();
        let (open, mut opened) = watch::channel(false);
        let (cuts, mut cut) = watch::channel(0);
        let url = format!("{}/api/v2/sessions/{}/events", api.origin, session.id);
        let (http, keep) = (crate::api::http()?, Arc::clone(&heard));
        let (name, secret) = api.credential();
        let secret = secret.to_owned();
        let task = tokio::spawn(async move {
            loop {
                let mut request = http.get(&url).header(name, &secret);
                request = request.header("accept", "text/event-stream");
                if let Some(last) = lock(&keep).last.clone() {
                    request = request.header("last-event-id", last);
                }
                // However it ends, it is opened again.
                tokio::select! {
                    _ = follow(request, &keep, &open) => {}
                    _ = cut.changed() => {}
                }
                sleep(RESUME_AFTER).await;
            }
        });
        let opened = opened.wait_for(|open| *open).await;
        opened.context("the stream was never opened")?;
        Ok(Self { heard, cuts, task })
    }

    /// Hangs up, and comes back with what was heard last.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Waits until everything was told that was accepted for the session of this place in the
    /// ledger, or `patience` is over; how much was not.
    pub async fn settle(&self, ledger: &Ledger, session: usize, patience: Duration) -> usize {
        let accepted = ledger.accepted.iter();
        let expected = accepted.filter(|(_, posted)| posted.session == session);
        let expected: Vec<&String> = expected.map(|(mark, _)| mark).collect();
        let missing = || {
            let told: BTreeSet<String> = self.marks().into_iter().collect();
            let untold = expected.iter().filter(|mark| !told.contains(**mark));
            untold.count()
        };
        // What is missing for good is a figure, and no error.
        let _ = until(
            "the stream tells all",
            patience,
            async || Ok(missing() == 0),
        )
        .await;
        missing()
    }

    /// WhatsApp's ids of the messages that were told of as `message.received`.
    pub fn marks(&self) -> Vec<String> {
        let heard = lock(&self.heard);
        let marks = heard.events.values().filter_map(|(mark, _)| mark.clone());
        marks.collect()
    }

    /// Events that came more than once.
    pub fn repeated(&self) -> usize {
        let heard = lock(&self.heard);
        heard
            .events
            .values()
            .filter(|(_, count)| *count > 1)
            .count()
    }

    /// How often the stream was opened.
    pub fn opened(&self) -> usize {
        lock(&self.heard).opened
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(heard: &Mutex<Heard>) -> std::sync::MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Follows one stream to its end.
async fn follow(
    request: reqwest::RequestBuilder,
    heard: &Mutex<Heard>,
    open: &watch::Sender<bool>,
) -> Result<()> {
    let mut answer = request.send().await?.error_for_status()?;
    lock(heard).opened += 1;
    let mut unread = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        unread.extend_from_slice(&chunk);
        while let Some(end) = unread.windows(2).position(|pair| pair == b"\n\n") {
            let block: Vec<u8> = unread.drain(..end + 2).collect();
            keep(&String::from_utf8_lossy(&block), heard);
            let _ = open.send(true);
        }
    }
    Ok(())
}

/// One event. The snapshot has an id to resume from, and is none itself.
fn keep(block: &str, heard: &Mutex<Heard>) {
    let field = |name: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let mut heard = lock(heard);
    if let Some(id) = field("id") {
        heard.last = Some(id.to_owned());
    }
    let body: Value = field("data")
        .and_then(|data| serde_json::from_str(data).ok())
        .unwrap_or_default();
    let Some(id) = body["id"].as_str() else {
        return;
    };
    let received = body["event"] == "message.received";
    let mark = body["data"]["wa_message_id"].as_str();
    let mark = mark.filter(|_| received).map(str::to_owned);
    heard.events.entry(id.to_owned()).or_insert((mark, 0)).1 += 1;
}
