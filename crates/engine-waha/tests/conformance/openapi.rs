//! Every request that the adapter makes must be one of the vendor's own document.
//!
//! The document is the vendor's and not kept here. It is taken from where
//! `MOLTFLOW_WAHA_OPENAPI` says, or else from a file called `waha-openapi.json` in the
//! workspace's folder (git does not see it there) or in the one around it. WAHA gives it out at
//! `/-json`. Without it, these tests check only that every call is made.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use mf_domain::{Jid, PhoneNumber, WaMessageId};
use mf_engine::{
    ContactCard, Content, Engine as _, EnginePage, FileToSend, MediaKind, MessageRef,
    MessagesQuery, Outgoing, Place, Poll, ReplyTo, SessionKey, conformance::World as _,
};
use mf_engine_waha::Waha;
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
            (_, "/api/server/version") => (200, r#"{"version":"2026.8.2","engine":"NOWEB"}"#),
            ("GET", "/api/sessions?all=true") => (200, "[]"),
            ("GET", target) if target.starts_with("/api/sessions/") && first => {
                (404, r#"{"message":"Session not found"}"#)
            }
            ("GET", target) if target.contains("check-exists") => {
                (200, r#"{"numberExists":false}"#)
            }
            ("GET", target) if target.contains("/auth/qr") => (200, r#"{"value":"2@"}"#),
            ("POST", target) if target.contains("/auth/request-code") => {
                (201, r#"{"code":"ABCD-EFGH"}"#)
            }
            ("GET", target) if target.contains("/chats/overview") => (200, "[]"),
            ("GET", target) if target.contains("/messages?") => (200, "[]"),
            ("GET", target) if target.contains("/messages/") => (200, "null"),
            ("PUT", _) if !first_put => (200, r#"{"name":"mf","status":"FAILED"}"#),
            _ => (200, r#"{"name":"mf","status":"STOPPED","config":{}}"#),
        };
        log.push(request);
        (answer.0, answer.1.to_owned())
    })
    .await;
    let waha = adapter(&address, "k", Duration::from_secs(5));
    let spec = SimWorld::new(Dialect::Noweb).await.spec();
    waha.ping().await.unwrap();
    waha.sessions().await.unwrap();
    // Missing, then with another configuration: stopped, and failed.
    waha.start(&spec).await.unwrap();
    waha.start(&spec).await.unwrap();
    waha.restart(&spec).await.unwrap();
    waha.qr(&spec.key).await.unwrap();
    ask_whatsapp(&waha, &spec.key).await;
    send(&waha, &spec.key).await;
    act(&waha, &spec.key).await;
    read(&waha, &spec.key).await;
    waha.logout(&spec.key).await.unwrap();
    waha.delete(&spec.key).await.unwrap();
    let seen = seen.lock().unwrap();
    seen.clone()
}

fn chat() -> Jid {
    Jid::parse("15550000002@c.us").unwrap()
}

fn phone() -> PhoneNumber {
    PhoneNumber::parse("15550000002").unwrap()
}

async fn ask_whatsapp(waha: &Waha, key: &SessionKey) {
    waha.pairing_code(key, &phone()).await.unwrap();
    waha.look_up_number(key, &phone()).await.unwrap();
    // Nobody is known to be paired.
    waha.probe(key).await.unwrap();
}

/// Every kind, with all that it may have.
fn contents() -> Vec<Content> {
    let mut contents = vec![
        Content::Text("hello".to_owned()),
        Content::Poll(Poll {
            title: "When?".to_owned(),
            options: vec!["Now".to_owned(), "Later".to_owned()],
            multiple: true,
        }),
        Content::Location(Place {
            latitude: 53.5,
            longitude: -9.9,
            title: Some("Harbour".to_owned()),
            address: Some("Pier 5".to_owned()),
        }),
    ];
    let card = |phone| ContactCard {
        full_name: "Ada".to_owned(),
        phone,
        organization: Some("Engines".to_owned()),
    };
    contents.push(Content::Contacts(vec![card(Some(phone())), card(None)]));
    for kind in [
        MediaKind::Image,
        MediaKind::Video,
        MediaKind::Gif,
        MediaKind::Audio,
        MediaKind::Voice,
        MediaKind::Sticker,
        MediaKind::Document,
    ] {
        let file = FileToSend {
            mimetype: "application/octet-stream".to_owned(),
            filename: (kind == MediaKind::Document).then(|| "a.pdf".to_owned()),
            url: "http://moltflow:8000/file".to_owned(),
        };
        contents.push(Content::Media {
            kind,
            file,
            caption: Some("look".to_owned()),
        });
    }
    contents
}

async fn send(waha: &Waha, key: &SessionKey) {
    for content in contents() {
        let out = Outgoing {
            chat: chat(),
            content,
            reply_to: Some(ReplyTo {
                id: WaMessageId::new("3EB0"),
                from_me: false,
                participant: None,
            }),
            id: Some(WaMessageId::new("3EB0")),
        };
        waha.send(key, &out).await.unwrap();
    }
}

fn message() -> MessageRef {
    MessageRef {
        chat: chat(),
        id: WaMessageId::new("3EB0"),
        from_me: true,
        participant: None,
    }
}

async fn act(waha: &Waha, key: &SessionKey) {
    waha.react(key, &message(), "👍").await.unwrap();
    waha.star(key, &message(), true).await.unwrap();
    waha.edit(key, &message(), "bye").await.unwrap();
    waha.unsend(key, &message()).await.unwrap();
    waha.mark_read(key, &chat()).await.unwrap();
    waha.typing(key, &chat(), true).await.unwrap();
    waha.typing(key, &chat(), false).await.unwrap();
}

async fn read(waha: &Waha, key: &SessionKey) {
    let page = EnginePage {
        limit: 100,
        offset: 0,
    };
    let since = chrono::DateTime::from_timestamp(1_783_641_600, 0);
    waha.chats(key, page).await.unwrap();
    let query = MessagesQuery { since, page };
    waha.messages(key, &chat(), query).await.unwrap();
    waha.message(key, &message()).await.unwrap();
    let found = waha.find_message(key, &chat(), &message().id).await;
    found.unwrap();
}

#[tokio::test]
async fn every_call_is_made_by_the_requests_that_are_checked() {
    let calls: BTreeSet<_> = requests()
        .await
        .iter()
        .map(|request| {
            let path = request.target.split('?').next().unwrap();
            let path = path
                .replace("mf_00000000000000000000000000007e57", "{}")
                .replace("15550000002%40c.us", "{c}");
            format!("{} {path}", request.method)
        })
        .collect();
    let calls: Vec<_> = calls.iter().map(String::as_str).collect();
    assert_eq!(
        calls,
        [
            "DELETE /api/sessions/{}",
            "DELETE /api/{}/chats/{c}/messages/true_{c}_3EB0",
            "GET /api/contacts/check-exists",
            "GET /api/server/version",
            "GET /api/sessions",
            "GET /api/sessions/{}",
            "GET /api/{}/auth/qr",
            "GET /api/{}/chats/overview",
            "GET /api/{}/chats/{c}/messages",
            "GET /api/{}/chats/{c}/messages/3EB0",
            "GET /api/{}/profile",
            "GET /ping",
            "POST /api/sendContactVcard",
            "POST /api/sendFile",
            "POST /api/sendImage",
            "POST /api/sendLocation",
            "POST /api/sendPoll",
            "POST /api/sendSeen",
            "POST /api/sendSticker",
            "POST /api/sendText",
            "POST /api/sendVideo",
            "POST /api/sendVoice",
            "POST /api/sessions",
            "POST /api/sessions/{}/logout",
            "POST /api/sessions/{}/restart",
            "POST /api/sessions/{}/start",
            "POST /api/sessions/{}/stop",
            "POST /api/startTyping",
            "POST /api/stopTyping",
            "POST /api/{}/auth/request-code",
            "PUT /api/reaction",
            "PUT /api/sessions/{}",
            "PUT /api/star",
            "PUT /api/{}/chats/{c}/messages/true_{c}_3EB0",
        ]
    );
}

#[tokio::test]
async fn every_request_is_one_of_the_vendors_document() {
    check_all(&requests().await);
}

/// Calls that came with a version, so that older documents do not have them.
const SINCE: &[(&str, [u32; 3])] = &[("/api/sendSticker", [2026, 8, 2])];

/// Holds requests against the vendor's document, where there is one.
#[allow(
    clippy::print_stderr,
    reason = "who runs the tests should know what they leave out"
)]
pub(crate) fn check_all(requests: &[Request]) {
    let Some(path) = document() else {
        eprintln!("skipped: there is no copy of WAHA's OpenAPI document");
        return;
    };
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let version = document["info"]["version"].as_str().unwrap_or_default();
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let version: [u32; 3] = std::array::from_fn(|_| parts.next().unwrap_or(0));
    for request in requests {
        let newer = |(path, since): &(&str, [u32; 3])| request.target == *path && version < *since;
        if SINCE.iter().any(newer) {
            continue;
        }
        let said = format!("{} {}", request.method, request.target);
        check(&document, request).unwrap_or_else(|fault| panic!("{said}: {fault}"));
    }
}

fn document() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("MOLTFLOW_WAHA_OPENAPI") {
        return Some(named.into());
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let folders = [Some(workspace), workspace.parent()];
    let mut files = folders
        .into_iter()
        .flatten()
        .map(|folder| folder.join("waha-openapi.json"));
    files.find(|file| file.is_file())
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
    if let Some(choices) = schema["oneOf"].as_array() {
        let faults: Vec<_> = choices
            .iter()
            .map(|choice| fits(document, choice, value, at).err())
            .collect();
        // What fits none of them is told by the first: it is the one that is used.
        return if faults.iter().any(Option::is_none) {
            Ok(())
        } else {
            Err(faults.into_iter().flatten().next().unwrap_or_default())
        };
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
        // What is left out, said aloud.
        Value::Null if schema.get("default") == Some(&Value::Null) => Ok(()),
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
