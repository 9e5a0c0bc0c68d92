//! The chats: `/api/{s}/chats`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::error::ApiError;
use crate::group_shapes::wid;
use crate::ids::{as_chat, as_jid, destination, is_group, now_ms};
use crate::media::Showing;
use crate::message::Message;
use crate::realm::person;
use crate::session::{ChatMarks, Session, Status};
use crate::sim::Sim;

use super::extract::{Body, Params, number};

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/{session}/chats", get(list))
        .route(
            "/api/{session}/chats/overview",
            get(overview).post(overview_by_body),
        )
        .route("/api/{session}/chats/{chat}", delete(forget))
        .route("/api/{session}/chats/{chat}/messages", delete(forget))
        .route("/api/{session}/chats/{chat}/picture", get(picture))
        .route("/api/{session}/chats/{chat}/archive", post(archive))
        .route("/api/{session}/chats/{chat}/unarchive", post(unarchive))
        .route("/api/{session}/chats/{chat}/unread", post(unread))
}

/// A working session whose chats can be read: NOWEB keeps none unless told to.
pub(super) async fn stored(sim: &Sim, name: &str) -> Result<Arc<Session>, ApiError> {
    let session = sim.local_session_in(name, Status::Working).await?;
    if sim.world.config.engine == Dialect::Noweb && !session.state().flag("/noweb/store/enabled") {
        return Err(ApiError::Unprocessable(
            "Enable NOWEB store \"config.noweb.store.enabled=True\" and \
             \"config.noweb.store.full_sync=True\" when starting a new session. \
             Read more: https://waha.devlike.pro/docs/engines/noweb#store"
                .to_owned(),
        ));
    }
    Ok(session)
}

/// A chat, as far as its messages show it.
struct Chat {
    id: String,
    name: Option<String>,
    last: Message,
    /// The last message's place among all, for those of one second.
    place: usize,
    unread: usize,
    marks: ChatMarks,
}

/// The chats with messages, the latest first. Chats under the number and under the hidden id of
/// one person are one when merged.
fn chats_of(session: &Session, merge: bool) -> Vec<Chat> {
    let state = session.state();
    let mut chats: BTreeMap<String, Chat> = BTreeMap::new();
    for (place, message) in state.messages.iter().enumerate() {
        let key = if merge {
            person(&message.chat)
        } else {
            message.chat.clone()
        };
        let unread = usize::from(!message.from_me && message.ack < 3);
        match chats.get_mut(&key) {
            Some(chat) => {
                chat.unread += unread;
                if message.timestamp >= chat.last.timestamp {
                    chat.id.clone_from(&message.chat);
                    chat.last = message.clone();
                    chat.place = place;
                }
            }
            None => {
                let chat = Chat {
                    id: message.chat.clone(),
                    name: None,
                    last: message.clone(),
                    place,
                    unread,
                    marks: ChatMarks::default(),
                };
                chats.insert(key, chat);
            }
        }
    }
    let mut chats: Vec<Chat> = chats.into_values().collect();
    for chat in &mut chats {
        chat.marks = state.marks.get(&chat.id).copied().unwrap_or_default();
        chat.name = match state.realm.groups.get(&chat.id) {
            Some(group) => Some(group.subject.clone()),
            None => state.realm.name_of(&chat.id),
        };
    }
    chats.sort_by_key(|chat| Reverse((chat.last.timestamp, chat.place)));
    chats
}

/// The chat as the engine's library has it.
fn raw(engine: Dialect, chat: &Chat, last: &Value) -> Value {
    match engine {
        Dialect::Noweb => json!({
            "id": as_jid(&chat.id),
            "name": chat.name,
            "conversationTimestamp": chat.last.timestamp,
            "archived": chat.marks.archived,
        }),
        Dialect::Gows => json!({
            "id": chat.id,
            "name": chat.name.clone().unwrap_or_default(),
            "conversationTimestamp": chat.last.timestamp,
        }),
        Dialect::Webjs => json!({
            "id": wid(&chat.id),
            "name": chat.name,
            "isGroup": is_group(&chat.id),
            "isReadOnly": false,
            "unreadCount": if chat.marks.unread { json!(-1) } else { json!(chat.unread) },
            "timestamp": chat.last.timestamp,
            "archived": chat.marks.archived,
            "pinned": false,
            "isMuted": false,
            "muteExpiration": 0,
            "lastMessage": last,
        }),
    }
}

/// How much of a list is asked for.
pub(super) struct Page {
    offset: usize,
    limit: usize,
}

impl Page {
    pub(super) fn of(params: &Params, default: usize, broken: &mut Vec<String>) -> Self {
        let mut size = |name: &str, default: usize| {
            number(params, name, broken)
                .map_or(default, |given| usize::try_from(given).unwrap_or(0))
        };
        Self {
            offset: size("offset", 0),
            limit: size("limit", default),
        }
    }

    pub(super) fn cut<T>(&self, all: Vec<T>) -> Vec<T> {
        all.into_iter().skip(self.offset).take(self.limit).collect()
    }
}

/// Complains when the query sorts by something else.
pub(super) fn check_sorting(params: &Params, fields: &[&str], broken: &mut Vec<String>) {
    for (name, allowed) in [("sortBy", fields), ("sortOrder", &["asc", "desc"])] {
        if params
            .get(name)
            .is_some_and(|given| !allowed.contains(&given.as_str()))
        {
            broken.push(format!(
                "{name} must be one of the following values: {}",
                allowed.join(", ")
            ));
        }
    }
}

pub(super) fn merges(params: &Params) -> bool {
    params.get("merge").is_none_or(|merge| merge != "false")
}

async fn list(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Vec<Value>>, ApiError> {
    let mut broken = Vec::new();
    let page = Page::of(&params, usize::MAX, &mut broken);
    let fields = ["conversationTimestamp", "messageTimestamp", "id", "name"];
    check_sorting(&params, &fields, &mut broken);
    if !broken.is_empty() {
        return Err(ApiError::Invalid(broken));
    }
    let session = stored(&sim, &name).await?;
    let engine = sim.world.config.engine;
    let mut chats = chats_of(&session, merges(&params));
    let order = params.get("sortOrder").map(String::as_str);
    match (params.get("sortBy").map(String::as_str), engine) {
        (Some("id"), _) | (None, Dialect::Gows) => chats.sort_by(|a, b| a.id.cmp(&b.id)),
        (Some("name"), _) => chats.sort_by(|a, b| a.name.cmp(&b.name)),
        // Newest first already, which is also what nobody has to ask for.
        (sorted, _) => {
            if sorted.is_some() && order != Some("desc") {
                chats.reverse();
            }
            return Ok(Json(show_all(&sim, &session, &page.cut(chats))));
        }
    }
    if order == Some("desc") {
        chats.reverse();
    }
    Ok(Json(show_all(&sim, &session, &page.cut(chats))))
}

fn show_all(sim: &Sim, session: &Session, chats: &[Chat]) -> Vec<Value> {
    let engine = sim.world.config.engine;
    chats
        .iter()
        .map(|chat| raw(engine, chat, &last_of(sim, session, chat)))
        .collect()
}

fn last_of(sim: &Sim, session: &Session, chat: &Chat) -> Value {
    sim.show(session, &chat.last, Showing::List { download: false })
}

async fn overview(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    params: Params,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<Value>>, ApiError> {
    let mut broken = Vec::new();
    let page = Page::of(&params, 20, &mut broken);
    if !broken.is_empty() {
        return Err(ApiError::Invalid(broken));
    }
    let session = stored(&sim, &name).await?;
    let wanted = repeated(query.as_deref().unwrap_or_default(), "ids");
    Ok(Json(summaries(
        &sim,
        &session,
        &wanted,
        &page,
        merges(&params),
    )))
}

/// All values of a parameter that may be repeated.
fn repeated(query: &str, name: &str) -> Vec<String> {
    reqwest::Url::parse(&format!("http://query/?{query}")).map_or_else(
        |_| Vec::new(),
        |url| {
            let pairs = url.query_pairs().filter(|(key, _)| key == name);
            pairs.map(|(_, value)| value.into_owned()).collect()
        },
    )
}

async fn overview_by_body(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Vec<Value>>), ApiError> {
    let session = stored(&sim, &name).await?;
    let asked = &body["pagination"];
    let size = |field: &str| {
        asked[field]
            .as_u64()
            .and_then(|size| usize::try_from(size).ok())
    };
    let page = Page {
        offset: size("offset").unwrap_or(0),
        limit: size("limit").unwrap_or(20),
    };
    let ids = body["filter"]["ids"].as_array().into_iter().flatten();
    let wanted: Vec<String> = ids
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect();
    let found = summaries(&sim, &session, &wanted, &page, asked["merge"] != false);
    Ok((StatusCode::CREATED, Json(found)))
}

fn summaries(
    sim: &Sim,
    session: &Session,
    wanted: &[String],
    page: &Page,
    merge: bool,
) -> Vec<Value> {
    let wanted: Vec<String> = wanted.iter().map(|id| as_chat(id)).collect();
    let mut chats = chats_of(session, merge);
    chats.retain(|chat| {
        wanted.is_empty()
            || wanted
                .iter()
                .any(|id| *id == chat.id || (merge && person(id) == person(&chat.id)))
    });
    let engine = sim.world.config.engine;
    page.cut(chats)
        .iter()
        .map(|chat| {
            let last = last_of(sim, session, chat);
            json!({
                "id": chat.id,
                "name": chat.name,
                "picture": picture_of(session, &chat.id),
                "_chat": raw(engine, chat, &last),
                "lastMessage": last,
            })
        })
        .collect()
}

fn picture_of(session: &Session, chat: &str) -> Option<String> {
    let state = session.state();
    match state.realm.groups.get(chat) {
        Some(group) => group.picture.clone(),
        None => state.realm.people.get(&person(chat))?.picture.clone(),
    }
}

async fn picture(
    State(sim): State<Sim>,
    Path((name, chat)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let chat = destination(sim.world.config.engine, &chat)?;
    Ok(Json(json!({"url": picture_of(&session, &chat)})))
}

/// A chat without messages is none here, so that clearing it and deleting it are the same.
async fn forget(
    State(sim): State<Sim>,
    Path((name, chat)): Path<(String, String)>,
) -> Result<Json<bool>, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let chat = destination(sim.world.config.engine, &chat)?;
    {
        let mut state = session.state();
        state.messages.retain(|message| message.chat != chat);
        state.marks.remove(&chat);
    }
    sim.note_change();
    Ok(Json(true))
}

type Marked = Result<(StatusCode, Json<Value>), ApiError>;

async fn archive(State(sim): State<Sim>, Path((name, chat)): Path<(String, String)>) -> Marked {
    put_away(&sim, &name, &chat, true).await
}

async fn unarchive(State(sim): State<Sim>, Path((name, chat)): Path<(String, String)>) -> Marked {
    put_away(&sim, &name, &chat, false).await
}

async fn put_away(sim: &Sim, name: &str, chat: &str, archived: bool) -> Marked {
    let session = sim.session_in(name, Status::Working).await?;
    let engine = sim.world.config.engine;
    let chat = destination(engine, chat)?;
    let before = {
        let mut state = session.state();
        let marks = state.marks.entry(chat.clone()).or_default();
        std::mem::replace(&mut marks.archived, archived)
    };
    let kind = if archived { "archive" } else { "unarchive" };
    sim.note_action(&session, &chat, kind, None, Value::Null);
    if engine == Dialect::Webjs && before != archived {
        let told = json!({"id": chat, "archived": archived, "timestamp": now_ms() / 1000});
        sim.emit(&session, "chat.archive", &told);
    }
    Ok((StatusCode::CREATED, Json(json!({"success": true}))))
}

async fn unread(State(sim): State<Sim>, Path((name, chat)): Path<(String, String)>) -> Marked {
    let session = sim.session_in(&name, Status::Working).await?;
    let chat = destination(sim.world.config.engine, &chat)?;
    session
        .state()
        .marks
        .entry(chat.clone())
        .or_default()
        .unread = true;
    sim.note_action(&session, &chat, "unread", None, Value::Null);
    Ok((StatusCode::CREATED, Json(json!({"success": true}))))
}
