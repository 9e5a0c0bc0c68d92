use std::borrow::Cow;

use chrono::{DateTime, Utc};
use mf_domain::{EventName, Invalid};
use mf_http_kit::{Faults, Input};
use mf_store::Webhook;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Stands for every event, also for those that are yet to be thought of.
const EVERYTHING: &str = "*";
/// Characters of a name.
const LONGEST_NAME: usize = 100;

const fn everyone() -> i64 {
    mf_domain::MAX_WEBHOOKS
}

/// Which webhooks.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WebhookQuery {
    /// Most webhooks to answer. All there are, unless given.
    #[serde(default = "everyone")]
    #[param(minimum = 1, maximum = 100, default = 100)]
    pub(super) limit: i64,
    /// Webhooks to leave out first.
    #[serde(default)]
    #[param(minimum = 0, default = 0)]
    pub(super) offset: i64,
}

impl Input for WebhookQuery {}

/// A webhook to be.
#[derive(Deserialize, ToSchema)]
pub(crate) struct WebhookCreate {
    /// What to call it. The address's host, unless given.
    #[schema(min_length = 1, max_length = 100, example = "Orders")]
    name: Option<String>,
    /// Where events go: `https`, and of the internet, unless the operator allows more.
    #[schema(
        min_length = 1,
        max_length = 2048,
        example = "https://example.com/hooks/whatsapp"
    )]
    pub(super) url: String,
    /// Names of events, such as `message.received`; `*` is all of them.
    #[schema(min_items = 1, max_items = 50, example = json!(["message.received", "message.failed"]))]
    events: Vec<String>,
    /// Whether anything is sent.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(super) is_active: bool,
    /// What signs. One is made, unless given.
    #[schema(min_length = 8, max_length = 255, format = Password)]
    pub(super) secret: Option<String>,
}

const fn yes() -> bool {
    true
}

impl WebhookCreate {
    pub(super) fn name(&self) -> Cow<'_, str> {
        match &self.name {
            Some(name) => name.trim().into(),
            None => host(&self.url).into(),
        }
    }

    pub(super) fn events(&self) -> Vec<String> {
        once(&self.events)
    }
}

impl Input for WebhookCreate {
    fn check(&self, faults: &mut Faults) {
        check(faults, self.name.as_deref(), &self.events);
    }
}

/// A change of a webhook. What is left out stays.
#[derive(Deserialize, ToSchema)]
pub(crate) struct WebhookPatch {
    /// What to call it.
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Where events go, those included that wait already.
    #[schema(min_length = 1, max_length = 2048)]
    pub(super) url: Option<String>,
    /// Names of events; `*` is all of them.
    #[schema(min_items = 1, max_items = 50, example = json!(["*"]))]
    events: Option<Vec<String>>,
    /// Whether anything is sent. What waits is sent once it is on again; after three days of
    /// waiting it has to be replayed.
    pub(super) is_active: Option<bool>,
    /// What signs from the next attempt on, and nothing beside it. To change it without a
    /// moment in which a receiver refuses what comes, rotate it.
    #[schema(min_length = 8, max_length = 255, format = Password)]
    pub(super) secret: Option<String>,
}

impl WebhookPatch {
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref().map(str::trim)
    }

    pub(super) fn events(&self) -> Option<Vec<String>> {
        self.events.as_deref().map(once)
    }
}

impl Input for WebhookPatch {
    fn check(&self, faults: &mut Faults) {
        let events = self.events.as_deref().unwrap_or_default();
        check(faults, self.name.as_deref(), events);
    }
}

fn check(faults: &mut Faults, name: Option<&str>, events: &[String]) {
    if name.is_some_and(|name| name.trim().is_empty()) {
        faults.add("name", Invalid::new("value_error.blank", "value is blank"));
    }
    for (index, event) in events.iter().enumerate() {
        let wanted = event.parse().is_ok_and(|name: EventName| name.is_for_all());
        if event != EVERYTHING && !wanted {
            faults.add(("events", index), unknown_event());
        }
    }
}

/// What there is in its place.
pub(super) fn unknown_event() -> Invalid {
    let known = EventName::ALL.iter().filter(|name| name.is_for_all());
    let known: Vec<&str> = known.map(|name| name.as_str()).collect();
    let message = format!(
        "unknown event; known are {EVERYTHING}, {}",
        known.join(", ")
    );
    Invalid::new("value_error.event", message)
}

/// Each name once, in the order given.
fn once(events: &[String]) -> Vec<String> {
    let mut folded: Vec<String> = Vec::with_capacity(events.len());
    for event in events {
        if !folded.contains(event) {
            folded.push(event.clone());
        }
    }
    folded
}

/// The host in an address, for a name. Whether it is an address at all is judged elsewhere.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    let host = match place.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => place,
    };
    let name: String = host.trim().chars().take(LONGEST_NAME).collect();
    if name.is_empty() {
        "Webhook".to_owned()
    } else {
        name
    }
}

/// Where a tenant wants events sent to.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookOut {
    id: Uuid,
    #[schema(example = "Orders")]
    name: String,
    #[schema(example = "https://example.com/hooks/whatsapp")]
    url: String,
    #[schema(example = json!(["message.received"]))]
    events: Vec<String>,
    /// Whether anything is sent.
    is_active: bool,
    /// Always true: everything that is sent is signed.
    has_secret: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// When its endpoint last took something.
    last_delivery_at: Option<DateTime<Utc>>,
    /// Failed attempts since then.
    failure_count: i32,
    /// Why the server switched it off, if it did.
    disabled_reason: Option<String>,
    /// When it did.
    disabled_at: Option<DateTime<Utc>>,
}

impl From<Webhook> for WebhookOut {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id.uuid(),
            name: webhook.name,
            url: webhook.url,
            events: webhook.events,
            is_active: webhook.is_active,
            has_secret: true,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
            last_delivery_at: webhook.last_delivery_at,
            failure_count: webhook.failure_count,
            disabled_reason: webhook.disabled_reason,
            disabled_at: webhook.disabled_at,
        }
    }
}

/// A webhook, with what signs for it.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyedWebhookOut {
    #[serde(flatten)]
    pub(super) webhook: WebhookOut,
    /// What signs. It is shown this once.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD3p1yTzVJLQ4=")]
    pub(super) secret: String,
}

/// A webhook that is gone.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookDeletedOut {
    /// Always `deleted`.
    pub(super) status: &'static str,
    pub(super) id: Uuid,
}

/// What came of trying out a webhook.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookTestOut {
    /// Whether the endpoint took it: it answered 2xx within 15 seconds.
    pub(super) success: bool,
    /// What it answered. Null: nothing.
    #[schema(example = 200)]
    pub(super) status_code: Option<u16>,
    /// How long that took, in milliseconds.
    #[schema(example = 41.5)]
    pub(super) latency_ms: f64,
    /// What went wrong.
    pub(super) error: Option<String>,
    /// Its place in the delivery log.
    pub(super) delivery_id: Uuid,
}

/// What is to sign.
#[derive(Default, Deserialize, ToSchema)]
pub(crate) struct SecretRotate {
    /// The new secret. One is made, unless given.
    #[schema(min_length = 8, max_length = 255, format = Password)]
    pub(super) secret: Option<String>,
    /// Ends the rotation that is under way, instead of beginning one.
    #[serde(default)]
    #[schema(default = false)]
    pub(super) activate: Option<bool>,
    /// Puts another secret in the place of the new one, where a rotation is under way already.
    /// Receivers that have the new one refuse what comes from then on; the old one still signs.
    #[serde(default)]
    #[schema(default = false)]
    pub(super) replace: Option<bool>,
}

impl SecretRotate {
    pub(super) fn activates(&self) -> bool {
        self.activate == Some(true)
    }

    pub(super) fn replaces(&self) -> bool {
        self.replace == Some(true)
    }
}

impl Input for SecretRotate {
    fn check(&self, faults: &mut Faults) {
        if self.activates() && (self.secret.is_some() || self.replaces()) {
            let invalid = Invalid::new(
                "value_error.conflict",
                "either a new secret, or the end of the rotation to the last one",
            );
            faults.add("activate", invalid);
        }
    }
}

/// How a rotation stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecretRotatedOut {
    /// The webhook.
    pub(super) id: Uuid,
    /// The new secret, shown this once. Null where the rotation was ended.
    pub(super) secret: Option<String>,
    /// Until when the secret before it signs too. Null: it does no longer.
    pub(super) previous_secret_valid_until: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::{host, once};

    #[test]
    fn a_webhook_without_a_name_is_called_as_its_host() {
        for (url, name) in [
            ("https://example.com/hooks?a=b://c", "example.com"),
            ("https://example.com:8443", "example.com"),
            ("HTTPS://example.com#here", "example.com"),
            ("https://[2001:db8::1]:443/", "[2001:db8::1]"),
            ("https://[2001:db8::1]/", "[2001:db8::1]"),
            ("https://user:word@example.com/", "example.com"),
            ("https:///", "Webhook"),
            ("", "Webhook"),
        ] {
            assert_eq!(host(url), name, "{url}");
        }
        let long = format!("https://{}.example", "é".repeat(200));
        assert_eq!(host(&long).chars().count(), 100);
    }

    #[test]
    fn an_event_that_is_named_twice_is_kept_once_in_its_first_place() {
        let events = ["b", "a", "b", "*", "a"].map(str::to_owned);
        assert_eq!(once(&events), ["b", "a", "*"]);
    }
}
