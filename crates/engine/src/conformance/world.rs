use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mf_domain::{Jid, PhoneNumber, SessionStatus, WaMessageId};
use secrecy::ExposeSecret;

use crate::{Callback, CallbackError, Engine, EngineEvent, SessionSpec};

/// An adapter under test, and the world around it.
///
/// A world is fresh: its engine has no session yet. Whatever waits in it gives up by itself
/// after a while, with a panic that says for what.
#[async_trait]
pub trait World: Send + Sync {
    /// The adapter.
    fn engine(&self) -> &dyn Engine;

    /// The same adapter with less patience: it gives up long before [`Trouble::Slow`] ends.
    fn impatient(&self) -> &dyn Engine;

    /// The session of this world: the same every time.
    fn spec(&self) -> SessionSpec;

    /// Somebody scans the session's present QR code.
    async fn scan(&self);

    /// Somebody writes a message; gives its bare id.
    async fn write(&self, written: Written) -> WaMessageId;

    /// What the session really sent, oldest first.
    async fn sent(&self) -> Vec<Sent>;

    /// Brings trouble on the engine.
    async fn bring(&self, trouble: Trouble);

    /// The next callback, as it came in over HTTP.
    async fn next_callback(&self) -> Received;

    /// Somebody who is on WhatsApp.
    fn somebody(&self) -> PhoneNumber;

    /// Somebody who is not on WhatsApp.
    fn nobody(&self) -> PhoneNumber;

    /// Somebody whom the account may not write to.
    fn stranger(&self) -> PhoneNumber;
}

/// A message that somebody writes.
#[derive(Debug, Clone)]
pub struct Written {
    /// Where.
    pub chat: Jid,
    /// What.
    pub text: String,
    /// Whether the session's own phone writes it.
    pub from_me: bool,
    /// Who writes it, in a group.
    pub participant: Option<Jid>,
    /// The name that the writer shows.
    pub sender_name: Option<String>,
}

/// A message that really went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// To whom.
    pub chat: Jid,
    /// Under which bare id.
    pub id: WaMessageId,
    /// What.
    pub text: String,
}

/// What can go wrong with an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody is there any more.
    Gone,
    /// Every answer takes long.
    Slow,
    /// The next send is cut off before it has its effect.
    CutBefore,
    /// The next send has its effect, and is cut off before the answer.
    CutAfter,
    /// The next send has its effect, and the answer to it says nothing.
    Mute,
    /// At the next send WhatsApp asks to slow down.
    Throttled,
    /// The next send fails inside the engine, which repeats the request in its answer.
    Broken,
}

/// A callback as it came in.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, byte for byte.
    pub body: Vec<u8>,
}

impl Received {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<String> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.clone())
    }
}

/// Reads a callback with the session's own secret.
pub(super) fn read(world: &dyn World, received: &Received) -> Result<Callback, CallbackError> {
    let spec = world.spec();
    let secret = spec.callback_secret.expose_secret();
    let header = |name: &str| received.header(name);
    world
        .engine()
        .read_callback(secret, &header, &received.body)
}

/// The first event from now on that `wanted` makes something of. All must be readable.
pub(super) async fn until<T>(
    world: &dyn World,
    mut wanted: impl FnMut(&Callback) -> Option<T>,
) -> T {
    loop {
        let received = world.next_callback().await;
        let callback = read(world, &received).expect("every callback is good and readable");
        assert_eq!(callback.session, world.spec().key, "of another session");
        if let Some(found) = wanted(&callback) {
            return found;
        }
    }
}

/// Waits until the session reports a status.
pub(super) async fn until_status(world: &dyn World, status: SessionStatus) -> Callback {
    until(world, |callback| match &callback.event {
        EngineEvent::Status(report) if report.status == Some(status) => Some(callback.clone()),
        _ => None,
    })
    .await
}

/// A session that is able to send.
pub(super) async fn paired(world: &dyn World) -> SessionSpec {
    pair(world).await.0
}

/// A session that is able to send, and the report that it is.
pub(super) async fn pair(world: &dyn World) -> (SessionSpec, Callback) {
    let spec = world.spec();
    let started = world.engine().start(&spec).await;
    started.expect("the session starts");
    until_status(world, SessionStatus::QrCode).await;
    world.scan().await;
    let working = until_status(world, SessionStatus::Working).await;
    (spec, working)
}

/// Since when a status is, in a report of one.
pub(super) fn since(callback: &Callback) -> Option<DateTime<Utc>> {
    match &callback.event {
        EngineEvent::Status(report) => report.since,
        _ => None,
    }
}
