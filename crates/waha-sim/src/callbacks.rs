//! Callbacks: envelopes, signatures and retries.

use std::sync::{Arc, OnceLock};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha512;

use crate::config::{Config, Dialect};
use crate::ids::{now_ms, ulid};
use crate::record::{CallbackRecord, push_bounded};
use crate::session::Session;
use crate::sim::{Sim, lock};

/// The HTTP client of all deliveries, built with the first one.
#[derive(Debug, Default)]
pub(crate) struct Courier(OnceLock<Option<reqwest::Client>>);

impl Courier {
    pub(crate) fn client(&self, user_agent: &str) -> Option<&reqwest::Client> {
        self.0.get_or_init(|| build_client(user_agent)).as_ref()
    }
}

fn build_client(user_agent: &str) -> Option<reqwest::Client> {
    // Fails when the program around already installed one, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(user_agent)
        // As WAHA: any certificate will do, and no proxy comes between.
        .tls_danger_accept_invalid_certs(true)
        .no_proxy()
        .build()
        .inspect_err(|error| tracing::error!(%error, "no HTTP client, no callbacks"))
        .ok()
}

/// One event on its way to one url.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    session: String,
    pub(crate) event: String,
    envelope_id: String,
    url: String,
    body: String,
    headers: Vec<(String, String)>,
    policy: Policy,
    replayed: bool,
}

/// When a failed delivery is tried again.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Policy {
    backoff: Backoff,
    delay: f64,
    /// Tries after the first.
    attempts: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backoff {
    Constant,
    Linear,
    Exponential,
}

impl Policy {
    fn of(callback: &Value) -> Self {
        let retries = &callback["retries"];
        Self {
            backoff: match retries["policy"].as_str() {
                Some("linear") => Backoff::Linear,
                Some("exponential") => Backoff::Exponential,
                _ => Backoff::Constant,
            },
            delay: retries["delaySeconds"].as_f64().unwrap_or(2.0),
            attempts: retries["attempts"]
                .as_u64()
                .and_then(|attempts| u32::try_from(attempts).ok())
                .unwrap_or(15),
        }
    }

    /// Seconds until the given retry, from 1.
    fn wait(self, retry: u32, retry_after: Option<f64>) -> f64 {
        let own = match self.backoff {
            Backoff::Constant => self.delay,
            Backoff::Linear => self.delay * f64::from(retry),
            Backoff::Exponential => {
                let jitter = 1.0 + rand::random::<f64>() * 0.2;
                self.delay * 2_f64.powi(retry.min(30).cast_signed()) * jitter
            }
        };
        own.max(retry_after.unwrap_or(0.0)).clamp(0.0, 86_400.0)
    }
}

/// The value of `X-Webhook-Hmac`.
fn sign(key: &str, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(body.as_bytes());
    Some(hex::encode(mac.finalize().into_bytes()))
}

/// What the server says of itself, in events and at `/api/server/version`.
pub(crate) fn environment(config: &Config) -> Value {
    let browser = (config.engine == Dialect::Webjs).then_some("/usr/bin/google-chrome-stable");
    json!({
        "version": config.version,
        "engine": config.engine.to_string(),
        "tier": "CORE",
        "browser": browser,
        "platform": "linux/x64",
        "worker": {"id": "waha"},
    })
}

impl Sim {
    /// Sends an event to every callback of the session that wants it.
    pub(crate) fn emit(&self, session: &Arc<Session>, event: &str, payload: &Value) {
        let (callbacks, metadata, me) = {
            let state = session.state();
            if state.zombie {
                return;
            }
            let callbacks = state
                .setting("/webhooks")
                .and_then(Value::as_array)
                .cloned();
            (
                callbacks.unwrap_or_default(),
                state.setting("/metadata").cloned(),
                state.me(),
            )
        };
        if callbacks.is_empty() {
            return;
        }
        let id = format!("evt_{}", ulid());
        let timestamp = now_ms();
        let mut envelope = json!({
            "id": id,
            "timestamp": timestamp,
            "event": event,
            "session": session.name,
            "me": me,
            "payload": payload,
            "engine": self.world.config.engine.to_string(),
            "environment": environment(&self.world.config),
        });
        if let Some(metadata) = metadata {
            envelope["metadata"] = metadata;
        }
        let body = envelope.to_string();
        for callback in callbacks.iter().filter(|callback| wants(callback, event)) {
            let parcel = Parcel {
                session: session.name.clone(),
                event: event.to_owned(),
                envelope_id: id.clone(),
                url: callback["url"].as_str().unwrap_or_default().to_owned(),
                headers: headers(callback, &body, timestamp),
                body: body.clone(),
                policy: Policy::of(callback),
                replayed: false,
            };
            self.hand_over(&parcel);
        }
    }

    /// Sends it on its way, as often as ordered, or puts it to those that are held back.
    fn hand_over(&self, parcel: &Parcel) {
        let copies = {
            let mut faults = lock(&self.world.faults);
            let copies = faults.copies.max(1);
            if let Some(held) = &mut faults.held {
                held.extend((0..copies).map(|_| parcel.clone()));
                return;
            }
            copies
        };
        for _ in 0..copies {
            let (sim, parcel) = (self.clone(), parcel.clone());
            self.spawn(async move {
                if let Err(retry_after) = sim.attempt(&parcel, 1).await {
                    sim.retry(&parcel, retry_after).await;
                }
            });
        }
    }

    /// One after the other, each tried once before the next; what fails is tried again behind
    /// their back.
    pub(crate) async fn deliver_in_turn(&self, parcels: Vec<Parcel>) {
        for parcel in parcels {
            if let Err(retry_after) = self.attempt(&parcel, 1).await {
                let sim = self.clone();
                self.spawn(async move { sim.retry(&parcel, retry_after).await });
            }
        }
    }

    /// Tries again until somebody takes it or the policy says enough; then it is lost.
    async fn retry(&self, parcel: &Parcel, mut retry_after: Option<f64>) {
        for retry in 1..=parcel.policy.attempts {
            let seconds = parcel.policy.wait(retry, retry_after);
            tokio::time::sleep(self.world.config.callback_retry_unit.mul_f64(seconds)).await;
            match self.attempt(parcel, retry + 1).await {
                Ok(()) => return,
                Err(longer) => retry_after = longer,
            }
        }
        tracing::warn!(event = parcel.event, url = parcel.url, "callback given up");
    }

    /// One attempt; what the receiver says of the next one when it did not take it.
    async fn attempt(&self, parcel: &Parcel, attempt: u32) -> Result<(), Option<f64>> {
        let (record, retry_after) = self.post(parcel, attempt).await;
        let taken = |status| (200..300).contains(&status);
        if record.status.is_some_and(taken) {
            return Ok(());
        }
        Err(retry_after)
    }

    /// One attempt, written down.
    async fn post(&self, parcel: &Parcel, attempt: u32) -> (CallbackRecord, Option<f64>) {
        let agent = format!("WAHA/{}", self.world.config.version);
        let answer = match self.world.courier.client(&agent) {
            None => None,
            Some(client) => {
                let mut request = client
                    .post(&parcel.url)
                    .header("content-type", "application/json")
                    .body(parcel.body.clone());
                for (name, value) in &parcel.headers {
                    request = request.header(name, value);
                }
                request
                    .send()
                    .await
                    .inspect_err(|error| tracing::debug!(%error, url = parcel.url, "callback"))
                    .ok()
            }
        };
        let retry_after = answer.as_ref().and_then(|answer| {
            answer
                .headers()
                .get("retry-after")?
                .to_str()
                .ok()?
                .parse::<f64>()
                .ok()
        });
        let mut record = CallbackRecord {
            index: 0,
            session: parcel.session.clone(),
            event: parcel.event.clone(),
            envelope_id: parcel.envelope_id.clone(),
            url: parcel.url.clone(),
            attempt,
            status: answer.map(|answer| answer.status().as_u16()),
            replayed: parcel.replayed,
            body: parcel.body.clone(),
            headers: parcel.headers.clone(),
        };
        {
            let mut log = lock(&self.world.callbacks);
            let mut next = lock(&self.world.next_callback);
            record.index = *next;
            *next += 1;
            push_bounded(&mut log, record.clone());
        }
        self.note_change();
        (record, retry_after)
    }

    /// The same bytes and headers once more, without retries.
    pub(crate) async fn deliver_again(&self, record: CallbackRecord) -> CallbackRecord {
        let parcel = Parcel {
            session: record.session,
            event: record.event,
            envelope_id: record.envelope_id,
            url: record.url,
            body: record.body,
            headers: record.headers,
            policy: Policy {
                backoff: Backoff::Constant,
                delay: 0.0,
                attempts: 0,
            },
            replayed: true,
        };
        self.post(&parcel, 1).await.0
    }
}

fn wants(callback: &Value, event: &str) -> bool {
    let Some(events) = callback["events"].as_array() else {
        return false;
    };
    // The star leaves out what is too much or too old.
    let starred = !matches!(event, "engine.event" | "state.change");
    events
        .iter()
        .filter_map(Value::as_str)
        .any(|wanted| wanted == event || (wanted == "*" && starred))
}

/// Minted once per delivery: retries carry the same.
fn headers(callback: &Value, body: &str, timestamp: i64) -> Vec<(String, String)> {
    let mut headers = vec![
        ("X-Webhook-Request-Id".to_owned(), ulid()),
        ("X-Webhook-Timestamp".to_owned(), timestamp.to_string()),
    ];
    if let Some(hmac) = callback["hmac"]["key"]
        .as_str()
        .filter(|key| !key.is_empty())
        .and_then(|key| sign(key, body))
    {
        headers.push(("X-Webhook-Hmac".to_owned(), hmac));
        headers.push(("X-Webhook-Hmac-Algorithm".to_owned(), "sha512".to_owned()));
    }
    for custom in callback["customHeaders"].as_array().into_iter().flatten() {
        if let (Some(name), Some(value)) = (custom["name"].as_str(), custom["value"].as_str()) {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use super::*;

    #[test]
    fn a_signature_is_the_hmac_sha512_of_the_raw_body_in_lower_case_hex() {
        let body = r#"{"event":"message","session":"default","engine":"WEBJS"}"#;
        let expected = "208f8a55dde9e05519e898b10b89bf0d0b3b0fdf11fdbf09b6b90476301b98d8\
                        097c462b2b17a6ce93b6b47a136cf2e78a33a63f6752c2c1631777076153fa89";
        assert_eq!(sign("my-secret-key", body).unwrap(), expected);
    }

    fn waits(retries: &Value) -> Vec<f64> {
        let policy = Policy::of(&json!({"retries": retries}));
        (1..=3).map(|retry| policy.wait(retry, None)).collect()
    }

    #[test]
    fn without_a_policy_there_are_fifteen_retries_two_seconds_apart() {
        let policy = Policy::of(&json!({}));
        assert_eq!(policy.attempts, 15);
        assert_eq!(waits(&Value::Null), [2.0, 2.0, 2.0]);
    }

    #[test]
    fn linear_retries_wait_longer_by_the_delay_each_time() {
        assert_eq!(
            waits(&json!({"policy": "linear", "delaySeconds": 2})),
            [2.0, 4.0, 6.0]
        );
    }

    #[test]
    fn exponential_retries_double_and_add_up_to_a_fifth() {
        let waits = waits(&json!({"policy": "exponential", "delaySeconds": 1}));
        for (wait, base) in waits.iter().zip([2.0, 4.0, 8.0]) {
            assert!((base..=base * 1.2).contains(wait), "{wait} for {base}");
        }
    }

    #[test]
    fn a_longer_retry_after_is_honoured_and_a_shorter_one_is_not() {
        let policy = Policy::of(&json!({"retries": {"delaySeconds": 3}}));
        assert_eq!(policy.wait(1, Some(10.0)), 10.0);
        assert_eq!(policy.wait(1, Some(1.0)), 3.0);
    }
}
