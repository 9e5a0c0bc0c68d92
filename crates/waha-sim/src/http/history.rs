//! The messages of a chat: `/api/{s}/chats/{c}/messages`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::error::ApiError;
use crate::ids::{as_chat, bare_id, same_person};
use crate::media::Showing;
use crate::message::{Message, ack_name};
use crate::session::Session;
use crate::sim::Sim;

use super::chats::{Page, check_sorting, merges, stored};
use super::extract::{Params, number};

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/{session}/chats/{chat}/messages", get(messages))
        .route("/api/{session}/chats/{chat}/messages/read", post(read))
        .route("/api/{session}/chats/{chat}/messages/{id}", get(message))
}

/// The messages of a chat, oldest first; `all` is every chat, where the engine knows the word.
/// Chats under the number and under the hidden id of one person are one, unless the query says
/// otherwise.
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
    let merge = merges(params);
    let wanted = |message: &&Message| {
        everything || message.chat == chat || (merge && same_person(&message.chat, &chat))
    };
    let mut found: Vec<Message> = {
        let state = session.state();
        state.messages.iter().filter(wanted).cloned().collect()
    };
    found.sort_by_key(|message| message.timestamp);
    Ok(found)
}

/// Files are downloaded unless the query says otherwise.
fn downloads(params: &Params) -> bool {
    params
        .get("downloadMedia")
        .is_none_or(|download| download != "false")
}

async fn messages(
    State(sim): State<Sim>,
    Path((name, chat)): Path<(String, String)>,
    params: Params,
) -> Result<Json<Vec<Value>>, ApiError> {
    let mut broken = Vec::new();
    let page = Page::of(&params, 10, &mut broken);
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
    check_sorting(&params, &["timestamp", "messageTimestamp"], &mut broken);
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
    let mut page = page.cut(found);
    // Pages are cut before that, and can come out short.
    page.retain(|message| !hidden(&sim, message));
    let showing = Showing::List {
        download: downloads(&params),
    };
    let shown = page
        .iter()
        .map(|message| sim.show(&session, message, showing));
    Ok(Json(shown.collect()))
}

/// Messages taken back stay in the list on WEBJS alone, as empty ones.
fn hidden(sim: &Sim, message: &Message) -> bool {
    message.revoked && sim.world.config.engine != Dialect::Webjs
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
    let showing = Showing::One {
        download: downloads(&params),
    };
    of_chat(&sim, &session, &chat, &params)?
        .iter()
        .find(|message| message.id == bare && !hidden(&sim, message))
        .map(|message| Json(sim.show(&session, message, showing)))
        .ok_or_else(|| ApiError::NotFound("Message not found".to_owned()))
}

async fn read(
    State(sim): State<Sim>,
    Path((name, chat)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let session = stored(&sim, &name).await?;
    let ids = sim.mark_seen(&session, &as_chat(&chat), &[]);
    Ok((StatusCode::CREATED, Json(json!({"ids": ids}))))
}
