//! The people an account knows: `/api/contacts`, `/api/{s}/contacts`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::error::{ApiError, nothing};
use crate::ids::{destination, exists, number_of_chat};
use crate::realm::{Person, Realm, person};
use crate::session::Status;
use crate::sim::Sim;

use super::chats::stored;
use super::extract::{Body, Params, number};

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/contacts", get(by_query))
        .route("/api/contacts/all", get(all))
        .route("/api/contacts/about", get(about))
        .route("/api/contacts/profile-picture", get(picture))
        .route("/api/contacts/block", post(block))
        .route("/api/contacts/unblock", post(unblock))
        .route("/api/{session}/contacts/{id}", get(by_id).put(rename))
}

fn named(params: &Params) -> &str {
    params.get("session").map_or("undefined", String::as_str)
}

fn contact_id(params: &Params) -> Result<&String, ApiError> {
    params
        .get("contactId")
        .ok_or_else(|| ApiError::undefined("includes"))
}

/// Somebody as the engine shows them. Only WEBJS says more than the names.
fn show(engine: Dialect, realm: &Realm, id: &str, known: Option<&Person>) -> Value {
    let nobody = Person::default();
    let someone = known.unwrap_or(&nobody);
    if engine != Dialect::Webjs {
        let mut shown = json!({"id": id});
        if let Some(name) = &someone.name {
            shown["name"] = json!(name);
        }
        if let Some(name) = &someone.push_name {
            shown["pushname"] = json!(name);
        }
        return shown;
    }
    let digits = number_of_chat(id);
    let short = someone
        .name
        .as_deref()
        .and_then(|name| name.split(' ').next());
    json!({
        "id": id,
        "number": digits,
        "name": someone.name,
        "pushname": someone.push_name,
        "shortName": short,
        "type": "in",
        "isMe": id == realm.me(),
        "isUser": true,
        "isGroup": false,
        "isWAContact": digits.as_deref().is_none_or(exists),
        "isMyContact": someone.name.is_some(),
        "isBlocked": someone.blocked,
        "isBusiness": false,
        "isEnterprise": false,
    })
}

async fn all(State(sim): State<Sim>, params: Params) -> Result<Json<Vec<Value>>, ApiError> {
    let mut broken = Vec::new();
    let limit = number(&params, "limit", &mut broken);
    let offset = number(&params, "offset", &mut broken).unwrap_or(0);
    let sort = params.get("sortBy").map(String::as_str);
    if sort.is_some_and(|sort| !matches!(sort, "id" | "name")) {
        broken.push("sortBy must be one of the following values: id, name".to_owned());
    }
    if !broken.is_empty() {
        return Err(ApiError::Invalid(broken));
    }
    let session = stored(&sim, named(&params)).await?;
    let state = session.state();
    let mut people: Vec<_> = state.realm.people.iter().collect();
    if sort == Some("name") {
        people.sort_by_key(|(id, someone)| (someone.name.clone(), (*id).clone()));
    }
    if params.get("sortOrder").is_some_and(|order| order == "desc") {
        people.reverse();
    }
    let page = people
        .iter()
        .skip(usize::try_from(offset).unwrap_or(0))
        .take(limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(0)))
        .map(|(id, someone)| show(sim.world.config.engine, &state.realm, id, Some(someone)))
        .collect();
    Ok(Json(page))
}

async fn by_query(State(sim): State<Sim>, params: Params) -> Result<Response, ApiError> {
    one(&sim, named(&params), contact_id(&params)?).await
}

async fn by_id(
    State(sim): State<Sim>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    one(&sim, &name, &id).await
}

/// Somebody by whichever id. Of strangers NOWEB has nothing to say, the others make something up.
async fn one(sim: &Sim, name: &str, given: &str) -> Result<Response, ApiError> {
    let session = stored(sim, name).await?;
    let engine = sim.world.config.engine;
    let chat = destination(engine, given)?;
    let state = session.state();
    let known = state.realm.people.get(&person(&chat));
    if known.is_none() && engine == Dialect::Noweb {
        return Ok(nothing(StatusCode::OK));
    }
    Ok(Json(show(engine, &state.realm, &chat, known)).into_response())
}

async fn rename(
    State(sim): State<Sim>,
    Path((name, id)): Path<(String, String)>,
    Body(body): Body,
) -> Result<Json<Value>, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let chat = destination(sim.world.config.engine, &id)?;
    let part = |field: &str| body[field].as_str().unwrap_or_default().trim().to_owned();
    let full = format!("{} {}", part("firstName"), part("lastName"));
    let full = full.trim().to_owned();
    let mut state = session.state();
    let someone = state.realm.people.entry(person(&chat)).or_default();
    someone.name = (!full.is_empty()).then_some(full);
    Ok(Json(json!({"success": true})))
}

/// Only on WEBJS; null of whoever keeps it from strangers.
async fn about(State(sim): State<Sim>, params: Params) -> Result<Json<Value>, ApiError> {
    let session = sim.session_in(named(&params), Status::Working).await?;
    let chat = destination(sim.world.config.engine, contact_id(&params)?)?;
    let state = session.state();
    let who = person(&chat);
    let about = if who == state.realm.me() {
        state.realm.about.clone()
    } else {
        state
            .realm
            .people
            .get(&who)
            .and_then(|known| known.about.clone())
    };
    Ok(Json(json!({"about": about})))
}

async fn picture(State(sim): State<Sim>, params: Params) -> Result<Json<Value>, ApiError> {
    let session = sim.session_in(named(&params), Status::Working).await?;
    let chat = destination(sim.world.config.engine, contact_id(&params)?)?;
    let url = session.state().realm.picture_of(&chat);
    Ok(Json(json!({"profilePictureURL": url})))
}

async fn block(sim: State<Sim>, body: Body) -> Result<Response, ApiError> {
    set_blocked(sim, body, true).await
}

async fn unblock(sim: State<Sim>, body: Body) -> Result<Response, ApiError> {
    set_blocked(sim, body, false).await
}

async fn set_blocked(
    State(sim): State<Sim>,
    Body(body): Body,
    blocked: bool,
) -> Result<Response, ApiError> {
    let name = body["session"].as_str().unwrap_or("undefined");
    let session = sim.session_in(name, Status::Working).await?;
    let given = body["contactId"]
        .as_str()
        .ok_or_else(|| ApiError::undefined("includes"))?;
    let chat = destination(sim.world.config.engine, given)?;
    let mut state = session.state();
    let someone = state.realm.people.entry(person(&chat)).or_default();
    someone.blocked = blocked;
    Ok(nothing(StatusCode::CREATED))
}
