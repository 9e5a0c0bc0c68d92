//! Every request that the adapter makes must be one of the vendor's own document.
//!
//! The document is the vendor's and not kept here: `MOLTFLOW_WAHA_OPENAPI` names a copy.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use mf_domain::{Jid, PhoneNumber, WaMessageId};
use mf_engine::{Engine as _, ReplyTo, TextToSend, conformance::World as _};
use mf_waha_sim::Dialect;
use serde_json::Value;

use crate::{
    receiver::{self, Request},
    world::{SimWorld, adapter},
};

/// What the adapter asks for, in all its calls; the answers make it go all its ways.
async fn requests() -> Vec<Request> {
    let seen = Arc::new(Mutex::new(Vec::<Request>::new()));
    let log = Arc::clone(&seen);
    let address = receiver::serve(move |request| {
        let mut log = log.lock().unwrap();
        let first = !log.iter().any(|known| known.target == request.target);
        let first_put = !log.iter().any(|known| known.method == "PUT");
        let answer = match (request.method.as_str(), request.target.as_str()) {
            (_, "/api/server/version") => (200, r#"{"version":"2026.7.1","engine":"NOWEB"}"#),
            ("GET", "/api/sessions?all=true") => (200, "[]"),
            ("GET", target) if target.starts_with("/api/sessions/") && first => {
                (404, r#"{"message":"Session not found"}"#)
            }
            ("GET", target) if target.contains("check-exists") => {
                (200, r#"{"numberExists":false}"#)
            }
            ("GET", target) if target.contains("/auth/qr") => (200, r#"{"value":"2@"}"#),
            ("PUT", _) if !first_put => (200, r#"{"name":"mf","status":"FAILED"}"#),
            _ => (200, r#"{"name":"mf","status":"STOPPED","config":{}}"#),
        };
        log.push(request);
        (answer.0, answer.1.to_owned())
    })
    .await;
    let waha = adapter(&address, "k", Duration::from_secs(5));
    let world = SimWorld::new(Dialect::Noweb).await;
    let spec = world.spec();
    let chat = Jid::parse("15550000002@c.us").unwrap();
    let id = WaMessageId::new("3EB0");
    waha.ping().await.unwrap();
    waha.sessions().await.unwrap();
    // Missing, then with another configuration: stopped, and failed.
    waha.start(&spec).await.unwrap();
    waha.start(&spec).await.unwrap();
    waha.restart(&spec).await.unwrap();
    waha.qr(&spec.key).await.unwrap();
    let reply_to = Some(ReplyTo {
        id: id.clone(),
        from_me: false,
        participant: None,
    });
    let text = TextToSend {
        chat: chat.clone(),
        text: "hello".to_owned(),
        reply_to,
        id: Some(id.clone()),
    };
    waha.send_text(&spec.key, &text).await.unwrap();
    waha.find_message(&spec.key, &chat, &id).await.unwrap();
    waha.typing(&spec.key, &chat, true).await.unwrap();
    waha.typing(&spec.key, &chat, false).await.unwrap();
    let phone = PhoneNumber::parse("15550000002").unwrap();
    waha.look_up_number(&spec.key, &phone).await.unwrap();
    waha.logout(&spec.key).await.unwrap();
    waha.delete(&spec.key).await.unwrap();
    let seen = seen.lock().unwrap();
    seen.clone()
}

#[tokio::test]
async fn every_call_is_made_by_the_requests_that_are_checked() {
    let calls: BTreeSet<_> = requests()
        .await
        .iter()
        .map(|request| {
            let path = request.target.split('?').next().unwrap();
            let path = path.replace("mf_00000000000000000000000000007e57", "{}");
            format!("{} {path}", request.method)
        })
        .collect();
    let calls: Vec<_> = calls.iter().map(String::as_str).collect();
    assert_eq!(
        calls,
        [
            "DELETE /api/sessions/{}",
            "GET /api/contacts/check-exists",
            "GET /api/server/version",
            "GET /api/sessions",
            "GET /api/sessions/{}",
            "GET /api/{}/auth/qr",
            "GET /api/{}/chats/15550000002%40c.us/messages/3EB0",
            "GET /ping",
            "POST /api/sendText",
            "POST /api/sessions",
            "POST /api/sessions/{}/logout",
            "POST /api/sessions/{}/restart",
            "POST /api/sessions/{}/start",
            "POST /api/sessions/{}/stop",
            "POST /api/startTyping",
            "POST /api/stopTyping",
            "PUT /api/sessions/{}",
        ]
    );
}

#[tokio::test]
async fn every_request_is_one_of_the_vendors_document() {
    let Some(path) = std::env::var_os("MOLTFLOW_WAHA_OPENAPI") else {
        eprintln!("skipped: MOLTFLOW_WAHA_OPENAPI names no copy of WAHA's OpenAPI document");
        return;
    };
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for request in requests().await {
        let said = format!("{} {}", request.method, request.target);
        check(&document, &request).unwrap_or_else(|fault| panic!("{said}: {fault}"));
    }
}

fn check(document: &Value, request: &Request) -> Result<(), String> {
    let url = format!("http://waha{}", request.target);
    let url = reqwest::Url::parse(&url).map_err(|error| error.to_string())?;
    let operation = operation(document, &request.method, url.path()).ok_or("no such operation")?;
    let parameters: Vec<_> = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] == "query")
        .collect();
    let given: BTreeSet<_> = url
        .query_pairs()
        .map(|(name, _)| name.into_owned())
        .collect();
    for name in &given {
        if !parameters
            .iter()
            .any(|parameter| parameter["name"] == **name)
        {
            return Err(format!("no query parameter {name}"));
        }
    }
    for parameter in parameters {
        let name = parameter["name"].as_str().unwrap_or_default();
        if parameter["required"] == true && !given.contains(name) {
            return Err(format!("without the required query parameter {name}"));
        }
    }
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    match (request.body.as_slice(), schema) {
        ([], Value::Null) => Ok(()),
        ([], _) => Err("without its body".to_owned()),
        (_, Value::Null) => Err("with a body that it has not".to_owned()),
        (body, schema) => {
            let body = serde_json::from_slice(body).map_err(|error| error.to_string())?;
            fits(document, schema, &body, "body")
        }
    }
}

/// The operation with the most literal path of those that fit.
fn operation<'a>(document: &'a Value, method: &str, path: &str) -> Option<&'a Value> {
    let segments: Vec<_> = path.split('/').collect();
    let fitting = document["paths"]
        .as_object()?
        .iter()
        .filter(|(template, _)| {
            let template: Vec<_> = template.split('/').collect();
            template.len() == segments.len()
                && template
                    .iter()
                    .zip(&segments)
                    .all(|(hole, segment)| hole.starts_with('{') || hole == segment)
        });
    let (_, item) = fitting
        .filter(|(_, item)| item.get(method.to_ascii_lowercase()).is_some())
        .min_by_key(|(template, _)| template.matches('{').count())?;
    item.get(method.to_ascii_lowercase())
}

/// Whether a value has only what its schema names, and all that it requires.
fn fits(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.trim_start_matches('#');
        let schema = document
            .pointer(pointer)
            .ok_or_else(|| format!("{name} is missing"))?;
        return fits(document, schema, value, at);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts
            .iter()
            .try_for_each(|part| fits(document, part, value, at));
    }
    match value {
        Value::Object(members) => {
            let Some(known) = schema["properties"].as_object() else {
                // An object of whatever one likes, such as the metadata.
                return Ok(());
            };
            for (name, member) in members {
                let schema = known
                    .get(name)
                    .ok_or_else(|| format!("{at}.{name} is unknown"))?;
                fits(document, schema, member, &format!("{at}.{name}"))?;
            }
            let required = schema["required"].as_array().into_iter().flatten();
            let missing = required
                .filter_map(Value::as_str)
                .find(|name| !members.contains_key(*name));
            missing.map_or(Ok(()), |name| Err(format!("{at}.{name} is missing")))
        }
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| fits(document, &schema["items"], item, at)),
        _ => {
            let kind = match value {
                Value::String(_) => "string",
                Value::Bool(_) => "boolean",
                _ => "number",
            };
            // Enumerations of strings are declared as objects there.
            match schema["type"].as_str() {
                None | Some("object") => Ok(()),
                Some(declared) if declared == kind => Ok(()),
                Some(declared) => Err(format!("{at} is no {declared}")),
            }
        }
    }
}
