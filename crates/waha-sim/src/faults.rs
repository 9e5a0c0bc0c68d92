//! Faults on order: a slow, failing or absent server.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

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

/// The orders in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) slow: Duration,
    pub(crate) offline: bool,
    pub(crate) failures: Vec<Failure>,
    /// Set by `acks: manual`, over the configured delays.
    pub(crate) manual_acks: bool,
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
