//! People: whether they exist, their hidden ids, their presence.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::error::{ApiError, nothing};
use crate::ids::{as_chat, destination, exists, lid_of, number_of_lid};
use crate::session::Status;
use crate::sim::Sim;

use super::chats::stored;
use super::extract::{Body, Params};

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/contacts/check-exists", get(check_exists))
        .route("/api/{session}/lids/{lid}", get(by_lid))
        .route("/api/{session}/lids/pn/{phone}", get(by_phone))
        .route("/api/{session}/presence", post(set_presence))
        .route("/api/{session}/presence/{chat}", get(presence))
        .route("/api/{session}/presence/{chat}/subscribe", post(subscribe))
}

async fn check_exists(State(sim): State<Sim>, params: Params) -> Result<Json<Value>, ApiError> {
    let name = params.get("session").map_or("undefined", String::as_str);
    sim.session_in(name, Status::Working).await?;
    let phone = params
        .get("phone")
        .ok_or_else(|| ApiError::undefined("includes"))?;
    let digits = phone.trim_start_matches('+');
    let digits = digits.split_once('@').map_or(digits, |(user, _)| user);
    let chat = format!("{digits}@c.us");
    let number_exists = exists(digits) && destination(sim.world.config.engine, &chat).is_ok();
    Ok(Json(if number_exists {
        json!({"numberExists": true, "chatId": chat})
    } else {
        json!({"numberExists": false})
    }))
}

async fn by_lid(
    State(sim): State<Sim>,
    Path((name, lid)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    stored(&sim, &name).await?;
    let lid = if lid.contains('@') {
        lid
    } else {
        format!("{lid}@lid")
    };
    let pn = number_of_lid(&lid).map(|number| format!("{number}@c.us"));
    Ok(Json(json!({"lid": lid, "pn": pn})))
}

async fn by_phone(
    State(sim): State<Sim>,
    Path((name, phone)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    stored(&sim, &name).await?;
    let pn = as_chat(&phone);
    let digits = pn.split_once('@').map_or("", |(digits, _)| digits);
    let known = exists(digits) && destination(sim.world.config.engine, &pn).is_ok();
    Ok(Json(
        json!({"lid": known.then(|| lid_of(digits)), "pn": pn}),
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
    session.state().watched.insert(chat.clone());
    let known = json!({"participant": chat, "lastKnownPresence": "offline", "lastSeen": null});
    Ok(Json(json!({"id": chat, "presences": [known]})))
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
