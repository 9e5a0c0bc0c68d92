//! Faults on order: a slow, failing or absent server.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::callbacks::Parcel;

/// An order to fail the next requests.
#[derive(Debug, Clone, Deserialize)]
pub struct Failure {
    /// Which requests: part of the path, or a method and part of the path (`POST /api/sendText`).
    /// `None` takes any. The simulator's own routes are never hit.
    #[serde(default)]
    pub route: Option<String>,
    /// The status to answer with; 0 closes the connection without an answer.
    pub status: u16,
    /// The body to answer with instead of WAHA's usual one for the status.
    #[serde(default)]
    pub body: Option<Value>,
    /// How many requests.
    #[serde(default = "once")]
    pub count: u32,
    /// Whether the request has its effect nevertheless.
    #[serde(default)]
    pub when: Moment,
}

fn once() -> u32 {
    1
}

impl Failure {
    /// One failure before anything happens, of any request.
    pub fn new(status: u16) -> Self {
        Self {
            route: None,
            status,
            body: None,
            count: 1,
            when: Moment::Before,
        }
    }

    /// Only of requests to this route.
    pub fn on(mut self, route: impl Into<String>) -> Self {
        self.route = Some(route.into());
        self
    }

    /// The request has its effect, and only its answer is lost or wrong.
    pub fn after(mut self) -> Self {
        self.when = Moment::After;
        self
    }

    /// That many times.
    pub fn times(mut self, count: u32) -> Self {
        self.count = count;
        self
    }

    /// With this body.
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// When a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Moment {
    /// Before it has any effect.
    #[default]
    Before,
    /// After it had its effect.
    After,
}

/// Which downloads of files from WhatsApp fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaDrop {
    /// None.
    #[default]
    Never,
    /// Those for callbacks and lists; asking for the message by its id works.
    AtFirst,
    /// The next so many, whatever for. A message told by two callbacks is downloaded once.
    Next(u32),
    /// All.
    Always,
}

/// The orders in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) slow: Duration,
    pub(crate) offline: bool,
    pub(crate) failures: Vec<Failure>,
    /// Set by `acks: manual`, over the configured delays.
    pub(crate) manual_acks: bool,
    /// Over the configured delays.
    pub(crate) ack_delays: Option<[Duration; 3]>,
    /// Sends answer 201 and nothing more.
    pub(crate) empty_answers: bool,
    /// Sessions that may not write to strangers.
    pub(crate) restricted: BTreeSet<String>,
    pub(crate) media: MediaDrop,
    /// How often each callback is posted; 0 is once, too.
    pub(crate) copies: u32,
    /// Callbacks held back, while they are.
    pub(crate) held: Option<Vec<Parcel>>,
}

impl Faults {
    /// The first order that fits the request, used up by one.
    pub(crate) fn take(&mut self, method: &str, path: &str) -> Option<Failure> {
        let at = self
            .failures
            .iter()
            .position(|failure| fits(failure, method, path))?;
        let failure = self.failures.get_mut(at)?;
        failure.count = failure.count.saturating_sub(1);
        let taken = failure.clone();
        if taken.count == 0 {
            self.failures.remove(at);
        }
        Some(taken)
    }

    /// Whether this download fails; `by_id` when somebody asked for just this message.
    pub(crate) fn drops_media(&mut self, by_id: bool) -> bool {
        match &mut self.media {
            MediaDrop::Never => false,
            MediaDrop::AtFirst => !by_id,
            MediaDrop::Next(0) => {
                self.media = MediaDrop::Never;
                false
            }
            MediaDrop::Next(left) => {
                *left -= 1;
                true
            }
            MediaDrop::Always => true,
        }
    }
}

fn fits(failure: &Failure, method: &str, path: &str) -> bool {
    match failure
        .route
        .as_deref()
        .map(|route| route.split_once(' ').ok_or(route))
    {
        None => true,
        Some(Ok((wanted, part))) => wanted.eq_ignore_ascii_case(method) && path.contains(part),
        Some(Err(part)) => path.contains(part),
    }
}
