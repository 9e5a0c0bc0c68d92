use chrono::{DateTime, Utc};
use mf_store::{DeliveryCounts, Webhook};
use serde::Serialize;
use utoipa::ToSchema;

use super::dto::WebhookOut;

/// A webhook, and how it fares.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookDetailOut {
    #[serde(flatten)]
    webhook: WebhookOut,
    health: WebhookHealthOut,
    /// The rotation of its secret that is under way.
    secret_rotation: Option<SecretRotationOut>,
}

/// A rotation that is under way: two secrets sign.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecretRotationOut {
    /// Until when the secret before it signs too.
    previous_secret_valid_until: DateTime<Utc>,
}

/// How a webhook fares.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookHealthOut {
    status: WebhookStatus,
    /// Deliveries that have yet to arrive.
    pending: i64,
    /// Deliveries that were given up, and can be replayed.
    dead: i64,
    /// When the oldest event happened that has yet to arrive.
    oldest_pending_at: Option<DateTime<Utc>>,
    /// When the next attempt is due: not before the end of a pause, and not while it is off.
    next_attempt_at: Option<DateTime<Utc>>,
    /// Deliveries that arrived, since the webhook was made.
    delivered_count: i64,
    /// Attempts that failed, since the webhook was made.
    failed_attempt_count: i64,
    /// The part of the attempts that succeeded, from 0 to 1. Null without any.
    #[schema(example = 0.998)]
    success_rate: Option<f64>,
    /// How long the endpoint takes, in milliseconds: a moving average of what it took.
    #[schema(example = 41.5)]
    latency_ms: Option<f64>,
    /// Since when nothing but failures came back.
    failing_since: Option<DateTime<Utc>>,
    /// What the last attempt was told, if it failed.
    last_error: Option<String>,
    /// Until when nothing is sent: it failed too often in a row, or asked for a pause.
    blocked_until: Option<DateTime<Utc>>,
}

/// What a webhook's figures come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WebhookStatus {
    /// The last attempt arrived, or there was none.
    Healthy,
    /// The last attempt failed. It is tried again.
    Failing,
    /// It failed too often in a row, or asked for a pause, and is left alone for a while.
    Paused,
    /// It is switched off.
    Off,
}

impl WebhookStatus {
    fn of(webhook: &Webhook) -> Self {
        if !webhook.is_active {
            Self::Off
        } else if webhook.blocked_until.is_some() {
            Self::Paused
        } else if webhook.failure_count > 0 {
            Self::Failing
        } else {
            Self::Healthy
        }
    }
}

impl WebhookDetailOut {
    /// A webhook as it stands now.
    pub(super) fn new(webhook: Webhook, counts: DeliveryCounts) -> Self {
        let rotation = webhook.previous_until;
        let next = counts.next_attempt_at.filter(|_| webhook.is_active);
        let next = next.map(|at| webhook.blocked_until.map_or(at, |until| until.max(at)));
        let health = WebhookHealthOut {
            status: WebhookStatus::of(&webhook),
            pending: counts.pending,
            dead: counts.dead,
            oldest_pending_at: counts.oldest_pending_at,
            next_attempt_at: next,
            delivered_count: webhook.delivered_count,
            failed_attempt_count: webhook.failed_attempt_count,
            success_rate: rate(webhook.delivered_count, webhook.failed_attempt_count),
            latency_ms: webhook.latency_ms.map(|ms| rounded(ms, 10.0)),
            failing_since: webhook.failing_since,
            last_error: webhook.last_error.clone(),
            blocked_until: webhook.blocked_until,
        };
        Self {
            webhook: webhook.into(),
            health,
            secret_rotation: rotation.map(|until| SecretRotationOut {
                previous_secret_valid_until: until,
            }),
        }
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a part of so many attempts is not told that finely"
)]
fn rate(delivered: i64, failed: i64) -> Option<f64> {
    let all = delivered.saturating_add(failed);
    (all > 0).then(|| rounded(delivered as f64 / all as f64, 10_000.0))
}

/// To so many parts of one.
pub(super) fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn without_an_attempt_there_is_no_rate() {
        assert_eq!(rate(0, 0), None);
        assert_eq!(rate(3, 1), Some(0.75));
        assert_eq!(rate(2, 1), Some(0.6667));
        assert_eq!(rate(0, 5), Some(0.0));
    }
}
