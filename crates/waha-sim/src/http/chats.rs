//! Reading chats: `/api/{s}/chats`.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::error::ApiError;
use crate::ids::{as_chat, bare_id, same_person};
use crate::message::{Message, ack_name};
use crate::session::{Session, Status};
use crate::sim::Sim;

use super::extract::{Params, number};

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/{session}/chats/overview", get(overview))
        .route("/api/{session}/chats/{chat}/messages", get(messages))
        .route("/api/{session}/chats/{chat}/messages/read", post(read))
        .route("/api/{session}/chats/{chat}/messages/{id}", get(message))
}

/// A working session whose chats can be read: NOWEB keeps none unless told to.
pub(super) async fn stored(sim: &Sim, name: &str) -> Result<Arc<Session>, ApiError> {
    let session = sim.session_in(name, Status::Working).await?;
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

/// The messages of a chat; `all` is every chat, where the engine knows the word. Chats under the
/// number and under the hidden id of one person are one, unless the query says otherwise.
fn of_chat(
    sim: &Sim,
    session: &Session,
    chat: &str,
    params: &Params,
) -> Result<Vec<Message>, ApiError> {
    let everything = chat == "all";
    if everything && sim.world.config.engine == Dialect::Webjs {
        return Err(ApiError::engine(
            "Error",
            "Evaluation failed: wid error: invalid wid",
        ));
    }
    let chat = as_chat(chat);
    let merge = params.get("merge").is_none_or(|merge| merge != "false");
    let state = session.state();
    let wanted = |message: &&Message| {
        everything || message.chat == chat || (merge && same_person(&message.chat, &chat))
    };
    Ok(state.messages.iter().filter(wanted).cloned().collect())
}

async fn messages(
    State(sim): State<Sim>,
    Path((name, chat)): Path<(String, String)>,
    params: Params,
) -> Result<Json<Vec<Value>>, ApiError> {
    let mut broken = Vec::new();
    let limit = number(&params, "limit", &mut broken).unwrap_or(10);
    let offset = number(&params, "offset", &mut broken).unwrap_or(0);
    let since = number(&params, "filter.timestamp.gte", &mut broken);
    let until = number(&params, "filter.timestamp.lte", &mut broken);
    let from_me = params.get("filter.fromMe").map(|value| value == "true");
    let ack = params.get("filter.ack");
    if ack.is_some_and(|ack| !(-1..=4).any(|level| ack_name(level) == ack)) {
        let names: Vec<_> = (-1..=4).map(ack_name).collect();
        broken.push(format!(
            "filter.ack must be one of the following values: {}",
            names.join(", ")
        ));
    }
    if !broken.is_empty() {
        return Err(ApiError::Invalid(broken));
    }
    let session = stored(&sim, &name).await?;
    let mut found = of_chat(&sim, &session, &chat, &params)?;
    found.retain(|message| {
        since.is_none_or(|since| message.timestamp >= since)
            && until.is_none_or(|until| message.timestamp <= until)
            && from_me.is_none_or(|from_me| message.from_me == from_me)
            && ack.is_none_or(|ack| ack_name(message.ack) == ack)
    });
    if params.get("sortOrder").is_none_or(|order| order != "asc") {
        found.reverse();
    }
    let me = session.state().own_id();
    let page = found
        .iter()
        .skip(usize::try_from(offset).unwrap_or(0))
        .take(usize::try_from(limit).unwrap_or(0))
        .map(|message| message.show(sim.world.config.engine, &me))
        .collect();
    Ok(Json(page))
}

async fn message(
    State(sim): State<Sim>,
    Path((name, chat, id)): Path<(String, String, String)>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let session = stored(&sim, &name).await?;
    let bare = match sim.world.config.engine {
        Dialect::Webjs => bare_id(&id)?,
        Dialect::Noweb | Dialect::Gows if id.contains('_') => bare_id(&id)?,
        Dialect::Noweb | Dialect::Gows => id.as_str(),
    };
    let messages = of_chat(&sim, &session, &chat, &params)?;
    let me = session.state().own_id();
    messages
        .iter()
        .find(|message| message.id == bare)
        .map(|message| Json(message.show(sim.world.config.engine, &me)))
        .ok_or_else(|| ApiError::NotFound("Message not found".to_owned()))
}

async fn read(
    State(sim): State<Sim>,
    Path((name, chat)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let session = stored(&sim, &name).await?;
    let ids = sim.mark_seen(&session, &as_chat(&chat));
    Ok((StatusCode::CREATED, Json(json!({"ids": ids}))))
}

async fn overview(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Vec<Value>>, ApiError> {
    let mut broken = Vec::new();
    let limit = number(&params, "limit", &mut broken).unwrap_or(20);
    let offset = number(&params, "offset", &mut broken).unwrap_or(0);
    if !broken.is_empty() {
        return Err(ApiError::Invalid(broken));
    }
    let session = stored(&sim, &name).await?;
    let state = session.state();
    let me = state.own_id();
    let mut chats: Vec<(usize, &Message)> = Vec::new();
    for (at, message) in state.messages.iter().enumerate() {
        chats.retain(|(_, last)| last.chat != message.chat);
        chats.push((at, message));
    }
    chats.sort_by_key(|(at, _)| Reverse(*at));
    let page = chats
        .iter()
        .map(|(_, last)| last)
        .filter(|last| params.get("ids").is_none_or(|id| as_chat(id) == last.chat))
        .skip(usize::try_from(offset).unwrap_or(0))
        .take(usize::try_from(limit).unwrap_or(0))
        .map(|last| {
            json!({
                "id": last.chat,
                "name": last.push_name,
                "picture": null,
                "lastMessage": last.show(sim.world.config.engine, &me),
                "_chat": {"id": last.chat},
            })
        })
        .collect();
    Ok(Json(page))
}
