//! Labels: `/api/{s}/labels`. On accounts that are no business ones there are none: lists are
//! empty on NOWEB and GOWS, and everything else fails within the engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::error::{ApiError, nothing};
use crate::group_shapes::wid;
use crate::ids::{as_jid, destination, is_group};
use crate::labels::{Label, color_of, is_color};
use crate::realm::Realm;
use crate::session::{Session, Status};
use crate::sim::Sim;

use super::extract::Body;

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/{session}/labels", get(list).post(create))
        .route("/api/{session}/labels/{id}", put(update).delete(delete))
        .route("/api/{session}/labels/{id}/chats", get(chats))
        .route(
            "/api/{session}/labels/chats/{chat}",
            get(of_chat).put(set_of_chat),
        )
}

/// A session that reads labels; NOWEB keeps them in its store. `None` when there cannot be any.
async fn reading(sim: &Sim, name: &str) -> Result<Option<Arc<Session>>, ApiError> {
    let session = super::chats::stored(sim, name).await?;
    match (sim.is_business(&session), sim.world.config.engine) {
        (true, _) => Ok(Some(session)),
        (false, Dialect::Webjs) => Err(no_business(Dialect::Webjs)),
        (false, Dialect::Noweb | Dialect::Gows) => Ok(None),
    }
}

/// A session that changes labels, for which NOWEB looks into its store, too.
async fn changing(sim: &Sim, name: &str) -> Result<Arc<Session>, ApiError> {
    sim.session_in(name, Status::Working).await?;
    let session = super::chats::stored(sim, name).await?;
    if sim.is_business(&session) {
        return Ok(session);
    }
    Err(no_business(sim.world.config.engine))
}

fn no_business(engine: Dialect) -> ApiError {
    match engine {
        Dialect::Noweb => ApiError::engine("Error", "not-allowed"),
        Dialect::Gows => ApiError::grpc("server returned error 405"),
        Dialect::Webjs => {
            ApiError::engine("Error", "Evaluation failed: [LT01] Only Whatsapp business")
        }
    }
}

async fn list(
    State(sim): State<Sim>,
    Path(name): Path<String>,
) -> Result<Json<Vec<Value>>, ApiError> {
    let Some(session) = reading(&sim, &name).await? else {
        return Ok(Json(Vec::new()));
    };
    let state = session.state();
    Ok(Json(state.realm.labels.values().map(Label::show).collect()))
}

/// Name and color of a body: by number, by hexadecimal value, or the first one.
fn wanted(body: &Value) -> Result<(String, u8), ApiError> {
    let mut broken = Vec::new();
    let name = body["name"].as_str();
    if name.is_none() {
        broken.push("name must be a string".to_owned());
    }
    let (color, hex) = (&body["color"], &body["colorHex"]);
    if !color.is_null() && !color.is_number() {
        broken.push("color must be a number conforming to the specified constraints".to_owned());
    }
    if !hex.is_null() && !hex.is_string() {
        broken.push("colorHex must be a string".to_owned());
    }
    if !broken.is_empty() {
        return Err(ApiError::Invalid(broken));
    }
    let unfit = |message: &str| ApiError::Unprocessable(message.to_owned());
    let color = match (color.as_i64(), hex.as_str()) {
        (Some(_), Some(_)) => {
            return Err(unfit("Use either 'color' or 'colorHex', not both"));
        }
        (Some(color), None) => {
            is_color(color).ok_or_else(|| unfit("Color must be between 0 and 19"))?
        }
        (None, Some(hex)) => color_of(hex).ok_or_else(|| unfit("Invalid 'colorHex'"))?,
        (None, None) => 0,
    };
    Ok((name.unwrap_or_default().to_owned(), color))
}

fn no_label() -> ApiError {
    ApiError::NotFound("Label not found".to_owned())
}

async fn create(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let (called, color) = wanted(&body)?;
    let session = changing(&sim, &name).await?;
    let label = sim.put_label(&session, None, &called, color);
    Ok((StatusCode::CREATED, Json(label.show())))
}

async fn update(
    State(sim): State<Sim>,
    Path((name, id)): Path<(String, String)>,
    Body(body): Body,
) -> Result<Json<Value>, ApiError> {
    let (called, color) = wanted(&body)?;
    let session = changing(&sim, &name).await?;
    let id = known(&session, &id)?;
    Ok(Json(
        sim.put_label(&session, Some(id), &called, color).show(),
    ))
}

fn known(session: &Session, id: &str) -> Result<u32, ApiError> {
    let id: u32 = id.parse().map_err(|_| no_label())?;
    let there = session.state().realm.labels.contains_key(&id);
    there.then_some(id).ok_or_else(no_label)
}

async fn delete(
    State(sim): State<Sim>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let session = changing(&sim, &name).await?;
    let id = known(&session, &id)?;
    sim.drop_label(&session, id).ok_or_else(no_label)?;
    Ok(Json(json!({"success": true})))
}

/// A chat as the engine lists chats.
fn show_chat(engine: Dialect, realm: &Realm, chat: &str) -> Value {
    let name = match realm.groups.get(chat) {
        Some(group) => Some(group.subject.clone()),
        None => realm.name_of(chat),
    };
    match engine {
        Dialect::Noweb => json!({"id": as_jid(chat), "name": name}),
        Dialect::Gows => json!({"id": chat, "name": name}),
        Dialect::Webjs => json!({"id": wid(chat), "name": name, "isGroup": is_group(chat)}),
    }
}

async fn chats(
    State(sim): State<Sim>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Vec<Value>>, ApiError> {
    let Some(session) = reading(&sim, &name).await? else {
        return Ok(Json(Vec::new()));
    };
    let state = session.state();
    let label = id
        .parse()
        .ok()
        .and_then(|id: u32| state.realm.labels.get(&id));
    let chats = label.map(|label| &label.chats).into_iter().flatten();
    let engine = sim.world.config.engine;
    let shown = chats.map(|chat| show_chat(engine, &state.realm, chat));
    Ok(Json(shown.collect()))
}

async fn of_chat(
    State(sim): State<Sim>,
    Path((name, chat)): Path<(String, String)>,
) -> Result<Json<Vec<Value>>, ApiError> {
    let Some(session) = reading(&sim, &name).await? else {
        return Ok(Json(Vec::new()));
    };
    let chat = destination(sim.world.config.engine, &chat)?;
    let state = session.state();
    let labels = state.realm.labels.values();
    let on = labels.filter(|label| label.is_on(&chat)).map(Label::show);
    Ok(Json(on.collect()))
}

/// Exactly these labels, and no others.
async fn set_of_chat(
    State(sim): State<Sim>,
    Path((name, chat)): Path<(String, String)>,
    Body(body): Body,
) -> Result<Response, ApiError> {
    let session = changing(&sim, &name).await?;
    let chat = destination(sim.world.config.engine, &chat)?;
    let named = body["labels"].as_array();
    let named = named.ok_or_else(|| ApiError::undefined("map"))?;
    let wanted: BTreeSet<u32> = named
        .iter()
        .map(|label| {
            let id = &label["id"];
            let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
            known(&session, &id)
        })
        .collect::<Result<_, _>>()?;
    let all: Vec<u32> = session.state().realm.labels.keys().copied().collect();
    for id in all {
        sim.mark_chat(&session, id, &chat, wanted.contains(&id));
    }
    Ok(nothing(StatusCode::OK))
}
