use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use mf_outbound::{Answered, Outbound, Patience, Post, PostError};
use tokio::time::Instant;

use super::signature::{Signing, Told};

/// 15 s for everything is the promise. The body gets a part of it only: what it says decides
/// nothing, and an endpoint that dribbles would keep a place for as long as one that hangs.
const PATIENCE: Patience = Patience {
    timeout: Duration::from_secs(15),
    body_timeout: Duration::from_secs(2),
    max_read: 64 * 1024,
    // With room for the rest of a character that begins before the end.
    max_kept: SHOWN + 3,
};
/// Bytes of an answer's body that the tenant is shown.
const SHOWN: usize = 1024;
/// The longest that an endpoint can ask us to wait.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// A delivery, as it is tried once.
pub(crate) struct Attempt<'a> {
    /// The endpoint.
    pub(crate) url: &'a str,
    /// Who it is from.
    pub(crate) signing: &'a Signing,
    /// The event's id.
    pub(crate) event_id: &'a str,
    /// The event's name.
    pub(crate) event_name: &'a str,
    /// The envelope; these very bytes are signed and sent.
    pub(crate) body: Bytes,
    /// Now.
    pub(crate) at: DateTime<Utc>,
}

/// What became of it. All of it may be shown to the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempted {
    /// Whether the event has arrived: any 2xx, whatever came or did not come after the status.
    pub(crate) success: bool,
    /// What the endpoint answered.
    pub(crate) status_code: Option<u16>,
    /// Until the answer's status was here, or until it was clear that there is none.
    pub(crate) latency: Duration,
    /// A sentence; none on success.
    pub(crate) error: Option<String>,
    /// The beginning of the answer's body, if it has one.
    pub(crate) response: Option<String>,
    /// How long the endpoint asks us to wait, on 429 and 503; at most a day.
    pub(crate) retry_after: Option<Duration>,
    /// The endpoint wants nothing any more.
    pub(crate) gone: bool,
}

/// Tries a delivery once. Takes 15 seconds at the most.
pub(crate) async fn attempt(outbound: &Outbound, attempt: Attempt<'_>) -> Attempted {
    attempt_within(outbound, attempt, PATIENCE).await
}

async fn attempt_within(
    outbound: &Outbound,
    attempt: Attempt<'_>,
    patience: Patience,
) -> Attempted {
    let told = Told {
        id: attempt.event_id,
        name: attempt.event_name,
        body: &attempt.body,
        seconds: attempt.at.timestamp(),
    };
    let post = Post {
        url: attempt.url,
        headers: attempt.signing.headers(&told),
        body: attempt.body.clone(),
    };
    let began = Instant::now();
    match outbound.post(post, patience).await {
        Ok(answered) => Attempted::answered(&answered, attempt.at),
        Err(error) => Attempted::failed(error, began.elapsed()),
    }
}

impl Attempted {
    fn answered(answered: &Answered, at: DateTime<Utc>) -> Self {
        let status = answered.status;
        let asks_to_wait = matches!(status, 429 | 503);
        let retry_after = answered.retry_after.as_deref().filter(|_| asks_to_wait);
        Self {
            success: (200..300).contains(&status),
            status_code: Some(status),
            latency: answered.after,
            error: sentence(status),
            response: shown(&answered.body),
            retry_after: retry_after.and_then(|text| wait(text, at + answered.after)),
            gone: status == 410,
        }
    }

    /// Nothing was sent, for a reason on our side.
    pub(super) fn fault(why: &str) -> Self {
        Self {
            success: false,
            status_code: None,
            latency: Duration::ZERO,
            error: Some(why.to_owned()),
            response: None,
            retry_after: None,
            gone: false,
        }
    }

    fn failed(error: PostError, latency: Duration) -> Self {
        Self {
            success: false,
            status_code: None,
            latency,
            error: Some(error.to_string()),
            response: None,
            retry_after: None,
            gone: false,
        }
    }
}

fn sentence(status: u16) -> Option<String> {
    match status {
        200..=299 => None,
        300..=399 => Some(format!(
            "The endpoint answered {status}: redirects are not followed"
        )),
        _ => Some(format!("The endpoint answered {status}")),
    }
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date, of which what is past asks for nothing.
fn wait(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    let wait = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let until = DateTime::parse_from_rfc2822(text).ok()?;
        (until.to_utc() - now).to_std().unwrap_or_default()
    };
    Some(wait.min(LONGEST_WAIT))
}

/// The body as text that PostgreSQL takes, which knows no NUL.
fn shown(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body).replace('\0', "\u{fffd}");
    let end = text.floor_char_boundary(SHOWN);
    (end > 0).then(|| text[..end].to_owned())
}

#[cfg(test)]
mod tests;
