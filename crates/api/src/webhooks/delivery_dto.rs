use chrono::{DateTime, Utc};
use mf_domain::{DeliveryState, EventName, Invalid};
use mf_http_kit::{Faults, Input, Page};
use mf_store::{Delivery, DeliveryAttempt, DeliveryFilter, ReplayRange};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{dto::unknown_event, health_dto::rounded};

const fn default_limit() -> i64 {
    50
}

/// Which deliveries of a webhook.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveryQuery {
    /// Most deliveries to answer.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: i64,
    /// Deliveries to leave out first.
    #[serde(default)]
    #[param(minimum = 0, default = 0)]
    offset: i64,
    /// Only those that stand so.
    #[param(inline)]
    status: Option<DeliveryStatus>,
    /// Only those of events of this name.
    #[param(max_length = 100, example = "message.received")]
    event: Option<String>,
    /// Only those of events from then on, RFC 3339.
    #[param(max_length = 64, example = "2026-11-21T19:00:00Z")]
    since: Option<String>,
    /// Only those of events before then, RFC 3339.
    #[param(max_length = 64, example = "2026-11-22T19:00:00Z")]
    until: Option<String>,
}

impl DeliveryQuery {
    pub(super) const fn page(&self) -> Page {
        Page {
            limit: self.limit,
            offset: self.offset,
        }
    }

    pub(super) fn filter(&self) -> DeliveryFilter {
        DeliveryFilter {
            state: self.status.map(DeliveryState::from),
            event: event(self.event.as_deref()).ok().flatten(),
            since: moment(self.since.as_deref()).ok().flatten(),
            until: moment(self.until.as_deref()).ok().flatten(),
        }
    }
}

impl Input for DeliveryQuery {
    fn check(&self, faults: &mut Faults) {
        faults.keep("event", event(self.event.as_deref()));
        faults.keep("since", moment(self.since.as_deref()));
        faults.keep("until", moment(self.until.as_deref()));
    }
}

fn event(name: Option<&str>) -> Result<Option<EventName>, Invalid> {
    let parsed = said(name).map(str::parse).transpose();
    parsed.map_err(|_| unknown_event())
}

/// A moment, also where its `+` was not written as `%2B` and so reads as a blank.
fn moment(text: Option<&str>) -> Result<Option<DateTime<Utc>>, Invalid> {
    let Some(text) = said(text) else {
        return Ok(None);
    };
    let read = |text: &str| DateTime::parse_from_rfc3339(text).map(|moment| moment.to_utc());
    let parsed = read(text).or_else(|error| match text.rsplit_once(' ') {
        Some((time, zone)) => read(&format!("{time}+{zone}")),
        None => Err(error),
    });
    let invalid = |_| Invalid::new("value_error.datetime", "invalid datetime format");
    parsed.map(Some).map_err(invalid)
}

/// Blank is nothing: forms send empty fields.
fn said(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// What of a webhook's past is to be sent again.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReplayQuery {
    /// Events from then on, RFC 3339.
    #[param(max_length = 64, example = "2026-11-21T19:00:00Z")]
    since: String,
    /// And before then, RFC 3339. Until now, unless given.
    #[param(max_length = 64, example = "2026-11-22T19:00:00Z")]
    until: Option<String>,
    /// `failed`, unless given: what was given up. `all`: every event that the webhook wants,
    /// delivered or not, also what happened while it was off or not there yet.
    #[param(inline)]
    what: Option<ReplayWhat>,
}

/// What is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReplayWhat {
    Failed,
    All,
}

impl ReplayQuery {
    pub(super) fn range(&self) -> Result<ReplayRange, Faults> {
        let mut faults = Faults::new(mf_http_kit::Place::Query);
        let since = faults.keep("since", moment(Some(&self.since)));
        let until = faults.keep("until", moment(self.until.as_deref()));
        if since == Some(None) {
            faults.missing("since");
        }
        let (since, until) = (since.flatten(), until.flatten());
        match since {
            Some(since) if until.is_some_and(|until| until <= since) => {
                let invalid = Invalid::new("value_error.range", "until must be later than since");
                Err(Faults::query("until", invalid))
            }
            Some(since) if faults.is_empty() => Ok(ReplayRange {
                since,
                until,
                all: self.what == Some(ReplayWhat::All),
            }),
            _ => Err(faults),
        }
    }
}

impl Input for ReplayQuery {}

/// How many are sent again.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReplayedOut {
    pub(super) replayed: u64,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeliveryStatus {
    /// It will be sent, or sent again.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// It was given up, and can be replayed.
    Dead,
}

impl From<DeliveryStatus> for DeliveryState {
    fn from(status: DeliveryStatus) -> Self {
        match status {
            DeliveryStatus::Pending => Self::Pending,
            DeliveryStatus::Delivered => Self::Delivered,
            DeliveryStatus::Dead => Self::Dead,
        }
    }
}

impl From<DeliveryState> for DeliveryStatus {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Pending => Self::Pending,
            DeliveryState::Delivered => Self::Delivered,
            DeliveryState::Dead => Self::Dead,
        }
    }
}

/// An event on its way to a webhook.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryOut {
    /// The delivery's own id.
    id: Uuid,
    webhook_id: Uuid,
    /// The event's: `webhook-id` in what is sent, the same in every attempt and replay.
    event_id: Uuid,
    /// What happened.
    #[schema(example = "message.received")]
    event: String,
    status: DeliveryStatus,
    /// Attempts so far, those before a replay included.
    attempt_count: i32,
    /// When it is tried next, while it is pending and its webhook is on.
    next_attempt_at: Option<DateTime<Utc>>,
    /// What the endpoint answered last. Null: nothing.
    #[schema(example = 500)]
    last_status_code: Option<u16>,
    /// How long the last attempt took, in milliseconds.
    #[schema(example = 41.5)]
    last_latency_ms: Option<f64>,
    /// What was wrong with the last attempt.
    #[schema(example = "The endpoint answered 500")]
    last_error: Option<String>,
    /// When it happened.
    event_at: DateTime<Utc>,
    /// When the delivery was made: with the event, or by a replay.
    created_at: DateTime<Utc>,
    /// When it was delivered, or given up.
    finished_at: Option<DateTime<Utc>>,
}

impl DeliveryOut {
    fn of(delivery: &Delivery) -> Self {
        let last = delivery.attempts.last();
        Self {
            id: delivery.id.uuid(),
            webhook_id: delivery.webhook_id.uuid(),
            event_id: delivery.event_id.uuid(),
            event: delivery.event_name.clone(),
            status: delivery.state.into(),
            attempt_count: last.map_or(0, |attempt| attempt.number),
            next_attempt_at: delivery.next_at,
            last_status_code: last.and_then(|attempt| attempt.status_code),
            last_latency_ms: last.map(|attempt| rounded(attempt.latency_ms, 10.0)),
            last_error: last.and_then(|attempt| attempt.error.clone()),
            event_at: delivery.event_at,
            created_at: delivery.created_at,
            finished_at: delivery.finished_at,
        }
    }
}

impl From<Delivery> for DeliveryOut {
    fn from(delivery: Delivery) -> Self {
        Self::of(&delivery)
    }
}

/// A part of a webhook's deliveries.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveriesOut {
    /// The newest event first.
    items: Vec<DeliveryOut>,
    /// All that fit.
    total: i64,
    /// As asked for.
    limit: i64,
    /// As asked for.
    offset: i64,
    /// Whether there are more behind these.
    has_more: bool,
}

impl DeliveriesOut {
    pub(super) fn new(items: Vec<Delivery>, total: i64, page: Page) -> Self {
        let shown = i64::try_from(items.len()).unwrap_or(i64::MAX);
        Self {
            items: items.into_iter().map(DeliveryOut::from).collect(),
            total,
            limit: page.limit,
            offset: page.offset,
            has_more: page.has_more(shown, total),
        }
    }
}

/// One attempt to deliver.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttemptOut {
    /// Its number, from 1.
    number: i32,
    /// When it began.
    at: DateTime<Utc>,
    /// What the endpoint answered. Null: nothing.
    status_code: Option<u16>,
    /// How long it took, in milliseconds.
    latency_ms: f64,
    /// What went wrong.
    error: Option<String>,
    /// How the body of its answer begins, up to 1 KiB.
    response: Option<String>,
}

impl From<DeliveryAttempt> for AttemptOut {
    fn from(attempt: DeliveryAttempt) -> Self {
        Self {
            number: attempt.number,
            at: attempt.at,
            status_code: attempt.status_code,
            latency_ms: rounded(attempt.latency_ms, 10.0),
            error: attempt.error,
            response: attempt.response,
        }
    }
}

/// An event on its way to a webhook, with all there is to know.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryDetailOut {
    #[serde(flatten)]
    delivery: DeliveryOut,
    /// The newest 20, oldest first.
    attempts: Vec<AttemptOut>,
    /// What is sent: the envelope. Null once the event is no longer kept, and for API keys that
    /// may not read messages.
    #[schema(value_type = Option<Object>)]
    payload: Option<Box<RawValue>>,
}

impl DeliveryDetailOut {
    pub(super) fn new(delivery: Delivery, payload: Option<Box<RawValue>>) -> Self {
        Self {
            delivery: DeliveryOut::of(&delivery),
            attempts: delivery
                .attempts
                .into_iter()
                .map(AttemptOut::from)
                .collect(),
            payload,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn a_moment_is_read_with_any_offset_and_with_a_plus_that_became_a_blank() {
        let expected = moment(Some("2026-11-21T19:00:00Z")).unwrap();
        assert!(expected.is_some());
        for text in [
            "2026-11-21T20:00:00+01:00",
            "2026-11-21T20:00:00 01:00",
            "2026-11-21T19:00:00.000000 00:00",
            "2026-11-21 20:00:00 01:00",
            "2026-11-21T14:00:00-05:00",
        ] {
            assert_eq!(moment(Some(text)).unwrap(), expected, "{text}");
        }
        assert_eq!(moment(Some(" ")).unwrap(), None);
        for text in [
            "yesterday",
            "2026-11-21",
            "2026-11-21T19:00:00",
            "1795287600",
        ] {
            assert!(moment(Some(text)).is_err(), "{text}");
        }
    }
}
