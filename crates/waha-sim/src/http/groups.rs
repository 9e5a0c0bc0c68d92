//! Groups: `/api/{s}/groups`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::config::Dialect;
use crate::error::{ApiError, nothing};
use crate::group_shapes;
use crate::groups::{Group, Step, not_in_group};
use crate::session::{Session, Status};
use crate::sim::Sim;

use super::extract::{Body, Params, number};

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/{session}/groups", get(list).post(create))
        .route("/api/{session}/groups/count", get(count))
        .route("/api/{session}/groups/refresh", post(refresh))
        .route("/api/{session}/groups/join-info", get(join_info))
        .route("/api/{session}/groups/join", post(join))
        .route("/api/{session}/groups/{id}", get(read).delete(delete))
        .route("/api/{session}/groups/{id}/leave", post(leave))
        .route("/api/{session}/groups/{id}/participants", get(raw_members))
        .route("/api/{session}/groups/{id}/participants/v2", get(members))
        .route("/api/{session}/groups/{id}/participants/add", post(add))
        .route(
            "/api/{session}/groups/{id}/participants/remove",
            post(remove),
        )
        .route("/api/{session}/groups/{id}/admin/promote", post(promote))
        .route("/api/{session}/groups/{id}/admin/demote", post(demote))
}

/// The id as a chat.
pub(super) fn group_id(given: &str) -> String {
    if given.contains('@') {
        given.to_owned()
    } else {
        format!("{given}@g.us")
    }
}

/// A group the account is in, or what the engine throws.
pub(super) fn joined(sim: &Sim, session: &Session, id: &str) -> Result<Group, ApiError> {
    let state = session.state();
    let group = state.realm.joined(&group_id(id)).cloned();
    group.ok_or_else(|| not_in_group(sim.world.config.engine))
}

/// The people that a body names, `[{id}]`.
fn people(body: &Value) -> Result<Vec<String>, ApiError> {
    let named = body["participants"]
        .as_array()
        .ok_or_else(|| ApiError::undefined("map"))?;
    named
        .iter()
        .map(|one| {
            let id = one["id"].as_str().map(str::to_owned);
            id.ok_or_else(|| ApiError::undefined("endsWith"))
        })
        .collect()
}

async fn create(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let people = people(&body)?;
    let subject = body["name"]
        .as_str()
        .ok_or_else(|| ApiError::engine("Error", "bad-request"))?;
    let (group, outcomes) = sim.create_group(&session, subject, &people);
    let engine = sim.world.config.engine;
    let state = session.state();
    let shown = group_shapes::created(engine, &group, &state.realm, &outcomes);
    Ok((StatusCode::CREATED, Json(shown)))
}

/// A map on NOWEB, a list elsewhere.
async fn list(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let mut broken = Vec::new();
    let limit = number(&params, "limit", &mut broken);
    let offset = number(&params, "offset", &mut broken).unwrap_or(0);
    let sort = params.get("sortBy").map(String::as_str);
    if sort.is_some_and(|sort| !matches!(sort, "id" | "subject")) {
        broken.push("sortBy must be one of the following values: id, subject".to_owned());
    }
    if !broken.is_empty() {
        return Err(ApiError::Invalid(broken));
    }
    let session = sim.session_in(&name, Status::Working).await?;
    let engine = sim.world.config.engine;
    let members = params
        .get("exclude")
        .is_none_or(|out| out != "participants");
    let state = session.state();
    let mut groups: Vec<&Group> = state.realm.joined_groups().collect();
    if sort == Some("subject") {
        groups.sort_by(|one, other| one.subject.cmp(&other.subject));
    }
    if params.get("sortOrder").is_some_and(|order| order == "desc") {
        groups.reverse();
    }
    let page = groups
        .iter()
        .skip(usize::try_from(offset).unwrap_or(0))
        .take(limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(0)))
        .map(|group| {
            let shown = group_shapes::raw(engine, group, &state.realm, members);
            (group.id.clone(), shown)
        });
    Ok(Json(if engine == Dialect::Noweb {
        Value::Object(page.collect::<Map<_, _>>())
    } else {
        page.map(|(_, shown)| shown).collect()
    }))
}

async fn count(State(sim): State<Sim>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let count = session.state().realm.joined_groups().count();
    Ok(Json(json!({"count": count})))
}

async fn refresh(
    State(sim): State<Sim>,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    sim.session_in(&name, Status::Working).await?;
    Ok(Json(json!({"success": true})))
}

/// Of a group one is not in, NOWEB knows nothing and says it.
async fn read(
    State(sim): State<Sim>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let engine = sim.world.config.engine;
    match joined(&sim, &session, &id) {
        Ok(group) => {
            let state = session.state();
            let shown = group_shapes::raw(engine, &group, &state.realm, true);
            Ok(Json(shown).into_response())
        }
        Err(_) if engine == Dialect::Noweb => Ok(nothing(StatusCode::OK)),
        Err(error) => Err(error),
    }
}

/// Only WEBJS has it, for groups one left.
async fn delete(
    State(sim): State<Sim>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let known = session.state().realm.groups.remove(&group_id(&id));
    known.ok_or_else(|| ApiError::undefined("delete"))?;
    Ok(Json(json!(true)))
}

async fn leave(
    State(sim): State<Sim>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    sim.leave_group(&session, &group_id(&id))?;
    Ok(nothing(StatusCode::OK))
}

async fn raw_members(
    State(sim): State<Sim>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Vec<Value>>, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let engine = sim.world.config.engine;
    let group = joined(&sim, &session, &id)?;
    let state = session.state();
    Ok(Json(group_shapes::raw_members(
        engine,
        &group,
        &state.realm,
    )))
}

async fn members(
    State(sim): State<Sim>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Vec<Value>>, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let engine = sim.world.config.engine;
    let group = joined(&sim, &session, &id)?;
    let state = session.state();
    Ok(Json(group_shapes::plain_members(
        engine,
        &group,
        &state.realm,
    )))
}

type Of = Path<(String, String)>;

async fn add(sim: State<Sim>, of: Of, body: Body) -> Result<Json<Value>, ApiError> {
    change(sim, of, body, Step::Add).await
}

async fn remove(sim: State<Sim>, of: Of, body: Body) -> Result<Json<Value>, ApiError> {
    change(sim, of, body, Step::Remove).await
}

async fn promote(sim: State<Sim>, of: Of, body: Body) -> Result<Json<Value>, ApiError> {
    change(sim, of, body, Step::Promote).await
}

async fn demote(sim: State<Sim>, of: Of, body: Body) -> Result<Json<Value>, ApiError> {
    change(sim, of, body, Step::Demote).await
}

/// 200 even when it worked with nobody; the answer says what became of whom.
async fn change(
    State(sim): State<Sim>,
    Path((name, id)): Of,
    Body(body): Body,
    step: Step,
) -> Result<Json<Value>, ApiError> {
    let session: Arc<Session> = sim.session_in(&name, Status::Working).await?;
    let people = people(&body)?;
    let engine = sim.world.config.engine;
    let (group, outcomes) = sim.change_members(&session, &group_id(&id), step, &people)?;
    let state = session.state();
    let adding = step == Step::Add;
    Ok(Json(group_shapes::outcomes(
        engine,
        &group,
        &state.realm,
        adding,
        &outcomes,
    )))
}

/// The code at the end of an invitation's link, or alone.
fn code_of(given: &str) -> &str {
    given
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(given)
}

/// What the engine throws for an invitation nobody made or somebody revoked.
fn no_invitation(engine: Dialect) -> ApiError {
    match engine {
        Dialect::Noweb => ApiError::engine("Error", "not-acceptable"),
        Dialect::Gows => ApiError::grpc("that group invite link is not valid"),
        Dialect::Webjs => ApiError::engine("Error", "Evaluation failed: Error: invalid invite"),
    }
}

async fn join_info(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let engine = sim.world.config.engine;
    let given = params
        .get("code")
        .ok_or_else(|| ApiError::undefined("split"))?;
    let state = session.state();
    let mut groups = state.realm.groups.values();
    let group = groups
        .find(|group| group.invite == code_of(given))
        .ok_or_else(|| no_invitation(engine))?;
    Ok(Json(group_shapes::raw(engine, group, &state.realm, false)))
}

async fn join(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    Body(body): Body,
) -> Result<Json<Value>, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let given = body["code"]
        .as_str()
        .ok_or_else(|| ApiError::undefined("split"))?;
    let group = sim
        .join_group(&session, code_of(given))
        .ok_or_else(|| no_invitation(sim.world.config.engine))?;
    Ok(Json(json!({"id": group.id})))
}
