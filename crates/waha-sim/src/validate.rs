//! The rules WAHA checks session requests by, with its words for breaking them.

use serde_json::{Map, Value};

/// What a name may be, 64 characters of the databases less the prefix put before it.
const NAME_LIMIT: usize = 54;

const EVENTS: [&str; 31] = [
    "session.status",
    "message",
    "message.reaction",
    "message.any",
    "message.ack",
    "message.ack.group",
    "message.waiting",
    "message.revoked",
    "message.edited",
    "state.change",
    "group.join",
    "group.leave",
    "group.v2.join",
    "group.v2.leave",
    "group.v2.update",
    "group.v2.participants",
    "presence.update",
    "poll.vote",
    "poll.vote.failed",
    "chat.archive",
    "call.received",
    "call.accepted",
    "call.rejected",
    "label.upsert",
    "label.deleted",
    "label.chat.added",
    "label.chat.deleted",
    "event.response",
    "event.response.failed",
    "engine.event",
    "*",
];

/// The config's own fields; others are dropped without a word.
const CONFIG_FIELDS: [&str; 9] = [
    "metadata", "proxy", "debug", "ignore", "client", "noweb", "gows", "webjs", "webhooks",
];

/// The name of `POST /api/sessions`; `None` when WAHA is to make one up.
pub(crate) fn name(body: &Value, broken: &mut Vec<String>) -> Option<String> {
    match &body["name"] {
        Value::Null => None,
        Value::String(name) => {
            if name.chars().count() > NAME_LIMIT {
                broken.push(format!(
                    "name must be shorter than or equal to {NAME_LIMIT} characters"
                ));
            }
            if !name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
            {
                broken.push(
                    "Session name can only contain alphanumeric characters, hyphens, and \
                     underscores (a-z, A-Z, 0-9, -, _) or be empty"
                        .to_owned(),
                );
            }
            (!name.is_empty()).then(|| name.clone())
        }
        _ => {
            broken.push("name must be a string".to_owned());
            None
        }
    }
}

/// The config of a session request, as it is kept.
pub(crate) fn config(body: &Value, broken: &mut Vec<String>) -> Option<Value> {
    let fields = match &body["config"] {
        Value::Null => return None,
        Value::Object(fields) => fields,
        _ => {
            broken.push("nested property config must be either object or array".to_owned());
            return None;
        }
    };
    let kept: Map<String, Value> = fields
        .iter()
        .filter(|(name, _)| CONFIG_FIELDS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    check_metadata(&kept, broken);
    if let Some(debug) = kept.get("debug")
        && !(debug.is_boolean() || debug.is_null())
    {
        broken.push("config.debug must be a boolean value".to_owned());
    }
    match kept.get("webhooks") {
        None | Some(Value::Null) => {}
        Some(Value::Array(callbacks)) => {
            for (at, callback) in callbacks.iter().enumerate() {
                check_callback(&format!("config.webhooks.{at}"), callback, broken);
            }
        }
        Some(_) => broken.push("config.webhooks must be an array".to_owned()),
    }
    Some(Value::Object(kept))
}

fn check_metadata(config: &Map<String, Value>, broken: &mut Vec<String>) {
    let fine = match config.get("metadata") {
        None | Some(Value::Null) => true,
        Some(Value::Object(entries)) => entries.values().all(Value::is_string),
        Some(_) => false,
    };
    if !fine {
        broken.push("config.metadata must be an object with string values".to_owned());
    }
}

fn check_callback(at: &str, callback: &Value, broken: &mut Vec<String>) {
    if !callback["url"].as_str().is_some_and(is_url) {
        broken.push(format!("{at}.url must be a URL address"));
    }
    match callback["events"].as_array() {
        None => broken.push(format!("{at}.events must be an array")),
        Some(events) => {
            let known = |event: &Value| event.as_str().is_some_and(|name| EVENTS.contains(&name));
            if !events.iter().all(known) {
                let names = EVENTS.join(", ");
                broken.push(format!(
                    "{at}.each value in events must be one of the following values: {names}"
                ));
            }
        }
    }
    let retries = &callback["retries"];
    if !retries.is_null() {
        let policy = &retries["policy"];
        let policies = ["linear", "exponential", "constant"];
        if !policy.is_null() && !policy.as_str().is_some_and(|name| policies.contains(&name)) {
            let names = policies.join(", ");
            broken.push(format!(
                "{at}.retries.policy must be one of the following values: {names}"
            ));
        }
        for field in ["delaySeconds", "attempts"] {
            if !(retries[field].is_null() || retries[field].is_number()) {
                broken.push(format!(
                    "{at}.retries.{field} must be a number conforming to the specified constraints"
                ));
            }
        }
    }
    let key = &callback["hmac"]["key"];
    if !(key.is_null() || key.is_string()) {
        broken.push(format!("{at}.hmac.key must be a string"));
    }
    for (place, header) in callback["customHeaders"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        for field in ["name", "value"] {
            if !header[field].is_string() {
                broken.push(format!(
                    "{at}.customHeaders.{place}.{field} must be a string"
                ));
            }
        }
    }
}

fn is_url(url: &str) -> bool {
    reqwest::Url::parse(url)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
