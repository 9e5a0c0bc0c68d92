use base64::{Engine as _, engine::general_purpose::STANDARD};
use mf_test_support::Credential;
use mf_waha_sim::{Inbound, InboundContent, MediaFile};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Client, TestApp, samples};

/// Operations that nobody has to be somebody for.
pub(crate) const PUBLIC: [&str; 3] = ["login", "refresh", "signup"];

/// Somebody to whom the tenant writes, and who writes back.
const FRIEND: &str = "15550000002@c.us";

/// One operation of the document.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// Below the server's root, with its holes.
    pub(crate) path: String,
    /// Its holes, in their order.
    pub(crate) holes: Vec<String>,
    /// What an API key must have for it; `None` where keys are not taken at all.
    pub(crate) key_scopes: Option<Vec<String>>,
}

/// The ids with which an operation is called.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    pub(crate) session: String,
    pub(crate) key: String,
    pub(crate) message: String,
    pub(crate) wa_message: String,
    pub(crate) chat: String,
    /// What a path names that takes either.
    pub(crate) session_or_chat: String,
    pub(crate) media: String,
    pub(crate) webhook: String,
    pub(crate) delivery: String,
}

/// Every operation that the running server documents.
pub(crate) async fn operations(app: &TestApp) -> Vec<Operation> {
    let document = app
        .anonymous()
        .root()
        .get("/openapi.json")
        .await
        .expect(200);
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            operations.push(read(method, path, operation));
        }
    }
    assert!(operations.len() > 20, "{operations:?}");
    operations
}

fn read(method: Method, path: &str, operation: &Value) -> Operation {
    let id = operation["operationId"].as_str().unwrap().to_owned();
    let security = operation["security"].as_array();
    let security = security.unwrap_or_else(|| panic!("{id} does not say who may call it"));
    let key_scopes = security
        .iter()
        .find_map(|scheme| scheme.get("ApiKeyAuth"))
        .map(|scopes| serde_json::from_value(scopes.clone()).unwrap());
    let holes = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(str::to_owned)
        .collect();
    let path = path.to_owned();
    Operation {
        id,
        method,
        path,
        holes,
        key_scopes,
    }
}

impl Ids {
    /// Ids of nothing at all.
    pub(crate) fn of_nothing() -> Self {
        let id = |last: u8| format!("0197f000-0000-7000-8000-0000000000{last:02}");
        Self {
            session: id(1),
            key: id(2),
            message: id(3),
            wa_message: "3EB0000000000000000000".to_owned(),
            chat: id(4),
            session_or_chat: id(1),
            media: id(5),
            webhook: id(6),
            delivery: id(7),
        }
    }

    /// The same things by each of the names that they are called by.
    pub(crate) fn in_other_words(&self) -> [Self; 3] {
        [
            self.clone(),
            Self {
                message: self.wa_message.clone(),
                session_or_chat: self.chat.clone(),
                ..self.clone()
            },
            Self {
                chat: FRIEND.to_owned(),
                session_or_chat: FRIEND.to_owned(),
                ..self.clone()
            },
        ]
    }
}

impl Operation {
    /// Calls it with these ids in its path, and with this body.
    pub(crate) async fn call(&self, client: &Client, ids: &Ids, body: Option<&Value>) -> Answer {
        let mut path = self.path.clone();
        for hole in &self.holes {
            let id = match hole.as_str() {
                "session_id" => &ids.session,
                "key_id" => &ids.key,
                "message_id" => &ids.message,
                "chat_id" => &ids.chat,
                "chat" => &ids.session_or_chat,
                "media_id" => &ids.media,
                "webhook_id" => &ids.webhook,
                "delivery_id" => &ids.delivery,
                other => panic!(
                    "{} has {{{other}}} in its path: say in tests/it/isolation what goes there",
                    self.id
                ),
            };
            path = path.replace(&format!("{{{hole}}}"), id);
        }
        path.push_str(self.query());
        let call = client.root().call(self.method.clone(), &path);
        let call = match body {
            Some(body) => call.json(body),
            None => call,
        };
        call.send().await
    }

    /// The bodies with which it is called: valid ones, each with one id in each of the ways in
    /// which it takes them.
    pub(crate) fn bodies(&self, ids: &Ids) -> Vec<Option<Value>> {
        let send = |to: Value| {
            let body = json!({"session_id": ids.session, "message": "hello"});
            Some(merged(body, &to))
        };
        let to = |more: Value| {
            vec![
                send(merged(json!({"chat_id": FRIEND}), &more)),
                send(merged(json!({"chat_id": ids.chat}), &more)),
            ]
        };
        let file = |bytes: &[u8]| to(json!({"media_base64": STANDARD.encode(bytes)}));
        match self.id.as_str() {
            "send_message" => vec![
                send(json!({"phone": "15550000002"})),
                send(json!({"chat_id": FRIEND})),
                send(json!({"chat_id": ids.chat})),
                send(json!({"chat_id": FRIEND, "reply_to": ids.message})),
                send(json!({"chat_id": FRIEND, "reply_to": ids.wa_message})),
            ],
            "send_sticker" => file(&samples::webp("walk")),
            "send_gif" => file(&samples::gif("walk")),
            "send_voice" => file(&samples::opus("walk")),
            "send_poll" => to(json!({"title": "Walk?", "options": ["yes", "no"]})),
            "send_location" => to(json!({"latitude": 1, "longitude": 2})),
            "send_contact" => to(json!({"contacts": [{"full_name": "W", "phone": "15550000003"}]})),
            "send_reaction" => [&ids.message, &ids.wa_message]
                .map(|id| send(json!({"message_id": id, "reaction": "👍"})))
                .to_vec(),
            "edit_message" => vec![Some(json!({"message": "changed"}))],
            "star_message" => vec![Some(json!({"star": true}))],
            "show_typing" => vec![None, Some(json!({"typing": false}))],
            "update_tenant_settings" => vec![Some(json!({"store_message_content": "full"}))],
            "create_session_pairing_code" => vec![Some(json!({"phone": "15550000002"}))],
            "update_session_settings" => vec![Some(json!({"auto_transcribe": true}))],
            // Nobody's ids in these.
            "create_session" | "create_api_key" | "update_webhook" => {
                vec![Some(json!({"name": "Walk"}))]
            }
            // Nobody is told anything by it.
            "create_webhook" => vec![Some(json!({
                "url": "https://example.com/", "events": ["*"], "is_active": false,
            }))],
            "rotate_webhook_secret" => vec![None, Some(json!({"activate": true}))],
            "login" => vec![Some(
                json!({"email": "a@example.com", "password": "a password"}),
            )],
            "refresh" => vec![Some(json!({"refresh_token": "none"}))],
            "signup" => vec![Some(json!({
                "email": "walk@example.com", "password": "a password", "full_name": "Walk",
            }))],
            "start_session"
            | "stop_session"
            | "restart_session"
            | "logout_session"
            | "rotate_api_key"
            | "logout"
            | "mark_chat_read"
            | "test_webhook"
            | "replay_webhook"
            | "replay_webhook_delivery" => vec![None],
            _ if self.method == Method::GET || self.method == Method::DELETE => vec![None],
            other => panic!("{other} may take a body: say in tests/it/isolation which"),
        }
    }

    /// What must be said in its query string.
    fn query(&self) -> &'static str {
        match self.id.as_str() {
            "replay_webhook" => "?since=2026-01-01T00:00:00Z",
            _ => "",
        }
    }

    /// Whether it is one that needs no credential.
    pub(crate) fn is_public(&self) -> bool {
        PUBLIC.contains(&self.id.as_str())
    }
}

/// An object with the members of another.
fn merged(mut object: Value, more: &Value) -> Value {
    let more = more.as_object().unwrap().clone();
    object.as_object_mut().unwrap().extend(more);
    object
}

/// The tenant's own ids, and what stands behind them.
pub(crate) async fn ids_of(app: &TestApp, client: &Client) -> Ids {
    assert!(matches!(client.credential(), Credential::ApiKey(_)));
    let (session, mut events) = app.working_session(client).await;
    let sent = session.send("15550000002", "hello").await;
    let picture = MediaFile::new("image/png", samples::png("theirs"));
    let picture = Inbound::of(FRIEND, InboundContent::Image(picture));
    app.sim.inbound(&session.engine, picture).await.unwrap();
    let received = events.named("message.received").await;
    let key = client.get("/api-keys").await.expect(200)[0]["id"].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let body = json!({"url": "https://example.com/", "events": ["*"], "is_active": false});
    let webhook = client.post("/webhooks", body).await.expect(201);
    // As if it had been on: nothing is sent to it.
    let delivery: Uuid = sqlx::query_scalar(
        "INSERT INTO webhook_delivery (tenant_id, webhook_id, event_id, event_at, event_name)
         SELECT w.tenant_id, w.id, e.id, e.created_at, e.name
         FROM webhook w JOIN event e USING (tenant_id)
         WHERE e.name = 'message.received' LIMIT 1 RETURNING id",
    )
    .fetch_one(app.rows())
    .await
    .unwrap();
    Ids {
        session: session.id.to_string(),
        key: text(&key),
        message: text(&sent["id"]),
        wa_message: text(&sent["wa_message_id"]),
        chat: text(&sent["chat_id"]),
        session_or_chat: session.id.to_string(),
        media: text(&received.data()["media"]["id"]),
        webhook: text(&webhook["id"]),
        delivery: delivery.to_string(),
    }
}
