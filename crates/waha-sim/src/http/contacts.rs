//! People: whether they exist, their hidden ids, their presence.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::error::{ApiError, nothing};
use crate::ids::{as_chat, destination, exists, is_group, registered};
use crate::media::since;
use crate::session::{self, Session, Status};
use crate::sim::Sim;

use super::chats::stored;
use super::extract::{Body, Params, number};

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/contacts/check-exists", get(check_exists))
        .route("/api/{session}/lids", get(lids))
        .route("/api/{session}/lids/count", get(lids_count))
        .route("/api/{session}/lids/{lid}", get(by_lid))
        .route("/api/{session}/lids/pn/{phone}", get(by_phone))
        .route("/api/{session}/presence", get(presences).post(set_presence))
        .route("/api/{session}/presence/{chat}", get(presence))
        .route("/api/{session}/presence/{chat}/subscribe", post(subscribe))
}

async fn check_exists(State(sim): State<Sim>, params: Params) -> Result<Json<Value>, ApiError> {
    let name = params.get("session").map_or("undefined", String::as_str);
    let session = sim.session_in(name, Status::Working).await?;
    let phone = params
        .get("phone")
        .ok_or_else(|| ApiError::undefined("includes"))?;
    let digits = phone.trim_start_matches('+');
    let digits = digits.split_once('@').map_or(digits, |(user, _)| user);
    let config = &sim.world.config;
    let valid = destination(config.engine, &format!("{digits}@c.us")).is_ok();
    let Some(real) = registered(digits).filter(|_| valid) else {
        return Ok(Json(json!({"numberExists": false})));
    };
    let chat = format!("{real}@c.us");
    if config.engine == Dialect::Gows && since(config, [2026, 8, 1]) {
        let lid = session.state().realm.lid_behind(&chat);
        let id = lid.as_ref().unwrap_or(&chat);
        return Ok(Json(
            json!({"numberExists": true, "chatId": id, "pn": chat}),
        ));
    }
    Ok(Json(json!({"numberExists": true, "chatId": chat})))
}

async fn by_lid(
    State(sim): State<Sim>,
    Path((name, lid)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let session = stored(&sim, &name).await?;
    let lid = if lid.contains('@') {
        lid
    } else {
        format!("{lid}@lid")
    };
    let pn = session.state().realm.number_behind(&lid);
    Ok(Json(json!({"lid": lid, "pn": pn})))
}

async fn by_phone(
    State(sim): State<Sim>,
    Path((name, phone)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let session = stored(&sim, &name).await?;
    let pn = as_chat(&phone);
    let digits = pn.split_once('@').map_or("", |(digits, _)| digits);
    let known = exists(digits) && destination(sim.world.config.engine, &pn).is_ok();
    let lid = if known {
        session.state().realm.lid_behind(&pn)
    } else {
        None
    };
    Ok(Json(json!({"lid": lid, "pn": pn})))
}

/// The pairs of everybody the account has met and WhatsApp has told both ids of.
fn pairs(session: &Session) -> Vec<(String, String)> {
    let state = session.state();
    let people = state.realm.people.keys();
    people
        .filter(|who| who.ends_with("@c.us"))
        .filter_map(|who| Some((state.realm.lid_behind(who)?, who.clone())))
        .collect()
}

async fn lids(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Vec<Value>>, ApiError> {
    let mut broken = Vec::new();
    let limit = number(&params, "limit", &mut broken).unwrap_or(100);
    let offset = number(&params, "offset", &mut broken).unwrap_or(0);
    if !broken.is_empty() {
        return Err(ApiError::Invalid(broken));
    }
    let session = stored(&sim, &name).await?;
    let page = pairs(&session)
        .into_iter()
        .skip(usize::try_from(offset).unwrap_or(0))
        .take(usize::try_from(limit).unwrap_or(0))
        .map(|(lid, pn)| json!({"lid": lid, "pn": pn}))
        .collect();
    Ok(Json(page))
}

async fn lids_count(
    State(sim): State<Sim>,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let session = stored(&sim, &name).await?;
    Ok(Json(json!({"count": pairs(&session).len()})))
}

/// What is known of a chat; of people nothing was heard of, that they are away.
fn show_presences(state: &session::State, chat: &str) -> Value {
    let known = state.realm.presences.get(chat);
    let mut shown: Vec<Value> = known
        .into_iter()
        .flatten()
        .map(|(participant, seen)| seen.show(participant))
        .collect();
    if shown.is_empty() && !is_group(chat) {
        let away = json!({"participant": chat, "lastKnownPresence": "offline", "lastSeen": null});
        shown.push(away);
    }
    json!({"id": chat, "presences": shown})
}

async fn presences(
    State(sim): State<Sim>,
    Path(name): Path<String>,
) -> Result<Json<Vec<Value>>, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let state = session.state();
    let chats = state.watched.iter();
    Ok(Json(
        chats.map(|chat| show_presences(&state, chat)).collect(),
    ))
}

async fn set_presence(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    Body(body): Body,
) -> Result<Response, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    match body["presence"].as_str() {
        Some(presence @ ("online" | "offline")) => {
            session.state().online = presence == "online";
        }
        Some("typing" | "recording" | "paused") => {
            let chat = body["chatId"]
                .as_str()
                .ok_or_else(|| ApiError::undefined("includes"))?;
            destination(sim.world.config.engine, chat)?;
        }
        _ => {
            return Err(ApiError::Invalid(vec![
                "presence must be one of the following values: \
                 offline, online, typing, recording, paused"
                    .to_owned(),
            ]));
        }
    }
    Ok(nothing(StatusCode::CREATED))
}

async fn presence(
    State(sim): State<Sim>,
    Path((name, chat)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let chat = destination(sim.world.config.engine, &chat)?;
    let mut state = session.state();
    state.watched.insert(chat.clone());
    Ok(Json(show_presences(&state, &chat)))
}

async fn subscribe(
    State(sim): State<Sim>,
    Path((name, chat)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let chat = destination(sim.world.config.engine, &chat)?;
    session.state().watched.insert(chat);
    Ok(nothing(StatusCode::CREATED))
}
