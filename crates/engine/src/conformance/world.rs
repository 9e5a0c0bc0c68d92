use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mf_domain::{Jid, MessageKind, PhoneNumber, SessionStatus, WaMessageId};
use secrecy::ExposeSecret;

use super::Happening;
use crate::{
    Callback, CallbackError, ContactCard, Engine, EngineEvent, MediaKind, Place, Poll, SessionSpec,
};

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

    /// Puts a file where the engine can fetch it.
    async fn serve(&self, bytes: Vec<u8>) -> Served;

    /// Whether the engine tells both names of those who hide their number.
    fn tells_both_names(&self) -> bool;

    /// Something happens on WhatsApp; gives the id of what came of it, where that has one.
    async fn happen(&self, happening: Happening) -> String;

    /// Brings trouble on the engine.
    async fn bring(&self, trouble: Trouble);

    /// The next callback, as it came in over HTTP.
    async fn next_callback(&self) -> Received;

    /// Somebody who is on WhatsApp.
    fn somebody(&self) -> PhoneNumber;

    /// Somebody else who is.
    fn somebody_else(&self) -> PhoneNumber;

    /// Somebody who lets nobody add them to a group.
    fn unwilling(&self) -> PhoneNumber;

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
    /// What; of files the words below.
    pub text: String,
    /// What it carries besides.
    pub carried: Carried,
    /// Whether the session's own phone writes it.
    pub from_me: bool,
    /// Who writes it, in a group.
    pub participant: Option<Jid>,
    /// The writer's other name, which some engines tell.
    pub alternate: Option<Jid>,
    /// The name that the writer shows.
    pub sender_name: Option<String>,
    /// When; now, where nothing is said.
    pub at: Option<DateTime<Utc>>,
}

impl Written {
    /// A text of somebody else's, in a chat of two.
    pub fn text(chat: &Jid, text: &str) -> Self {
        Self {
            chat: chat.clone(),
            text: text.to_owned(),
            carried: Carried::Nothing,
            from_me: false,
            participant: None,
            alternate: None,
            sender_name: None,
            at: None,
        }
    }

    /// Something else than a text.
    pub fn of(chat: &Jid, carried: Carried) -> Self {
        Self {
            carried,
            ..Self::text(chat, "")
        }
    }
}

/// What somebody's message carries besides text.
#[derive(Debug, Clone, PartialEq)]
pub enum Carried {
    /// Nothing.
    Nothing,
    /// A file.
    File {
        /// As what it is shown.
        kind: MediaKind,
        /// Its type.
        mimetype: String,
        /// Its name.
        filename: Option<String>,
        /// What is in it.
        bytes: Vec<u8>,
    },
    /// A question.
    Poll(Poll),
    /// A place.
    Location(Place),
    /// Contact cards.
    Contacts(Vec<ContactCard>),
}

/// A message that really went out.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// To whom.
    pub chat: Jid,
    /// Under which bare id.
    pub id: WaMessageId,
    /// What it is made of.
    pub kind: MessageKind,
    /// The text, or the words below a file.
    pub text: String,
    /// The file's SHA-256, in hexadecimal.
    pub sha256: Option<String>,
    /// The file's name.
    pub filename: Option<String>,
    /// The question, the place, or the cards.
    pub carried: Carried,
}

/// A file that the engine can fetch.
#[derive(Debug, Clone)]
pub struct Served {
    /// Where.
    pub url: String,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
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
    /// The engine fails to fetch the files that come in, until it is asked for them.
    FilesDropped,
    /// The time is over for which the engine keeps the files that it has.
    FilesGone,
    /// The session goes on to look alive, and is dead.
    Zombie,
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
