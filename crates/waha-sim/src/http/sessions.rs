//! `/api/sessions`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

use crate::error::{ApiError, nothing};
use crate::ids::ulid;
use crate::session::{Session, Status};
use crate::sim::{Sim, lock};
use crate::validate;

use super::extract::{Body, Params, truthy};

type Answer = Result<(StatusCode, Json<Value>), ApiError>;

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/sessions", get(list).post(create))
        .route(
            "/api/sessions/{session}",
            get(read).put(update).delete(delete),
        )
        .route("/api/sessions/{session}/me", get(me))
        .route("/api/sessions/{session}/start", post(start))
        .route("/api/sessions/{session}/stop", post(stop))
        .route("/api/sessions/{session}/restart", post(restart))
        .route("/api/sessions/{session}/logout", post(logout))
}

fn found(sim: &Sim, name: &str) -> Result<Arc<Session>, ApiError> {
    sim.session(name)
        .ok_or_else(|| ApiError::NotFound("Session not found".to_owned()))
}

fn created(sim: &Sim, session: &Session) -> (StatusCode, Json<Value>) {
    (
        StatusCode::CREATED,
        Json(session.info(Some(sim.world.config.engine))),
    )
}

/// What JavaScript takes for true.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

async fn list(State(sim): State<Sim>, params: Params) -> Json<Vec<Value>> {
    let all = truthy(&params, "all");
    let sessions: Vec<_> = lock(&sim.world.sessions).values().cloned().collect();
    let shown = sessions
        .iter()
        .filter(|session| all || session.state().status != Status::Stopped)
        .map(|session| session.info(None))
        .collect();
    Json(shown)
}

async fn create(State(sim): State<Sim>, Body(body): Body) -> Answer {
    let mut broken = Vec::new();
    let name = validate::name(&body, &mut broken);
    let config = validate::config(&body, &mut broken);
    if !broken.is_empty() {
        return Err(ApiError::Invalid(broken));
    }
    let name = name.unwrap_or_else(|| format!("session_{}", ulid()));
    let _turn = sim.turn(&name).await?;
    if sim.session(&name).is_some() {
        let message = format!("Session '{name}' already exists. Use PUT to update it.");
        return Err(ApiError::Unprocessable(message));
    }
    let session = sim.create(&name, config);
    if is_truthy(&body["start"]) {
        sim.start(&session)?;
    }
    Ok(created(&sim, &session))
}

async fn read(State(sim): State<Sim>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    Ok(Json(
        found(&sim, &name)?.info(Some(sim.world.config.engine)),
    ))
}

/// Replaces the whole config, and restarts what runs.
async fn update(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    Body(body): Body,
) -> Result<Json<Value>, ApiError> {
    let mut broken = Vec::new();
    let config = validate::config(&body, &mut broken);
    if !broken.is_empty() {
        return Err(ApiError::Invalid(broken));
    }
    let _turn = sim.turn(&name).await?;
    let session = found(&sim, &name)?;
    let running = session.state().status != Status::Stopped;
    sim.stop(&session).await;
    session.state().config = config;
    if running {
        sim.start(&session)?;
    } else {
        sim.save();
    }
    Ok(Json(session.info(Some(sim.world.config.engine))))
}

async fn delete(State(sim): State<Sim>, Path(name): Path<String>) -> Result<Response, ApiError> {
    let _turn = sim.turn(&name).await?;
    if let Some(session) = sim.session(&name) {
        sim.stop(&session).await;
        sim.unpair(&session);
        sim.remove(&name);
    }
    Ok(nothing(StatusCode::OK))
}

async fn me(State(sim): State<Sim>, Path(name): Path<String>) -> Result<Response, ApiError> {
    let session = sim.session(&name).ok_or(ApiError::NoSuchSession(name))?;
    let me = session.state().me();
    Ok(me.map_or_else(|| nothing(StatusCode::OK), |me| Json(me).into_response()))
}

async fn start(State(sim): State<Sim>, Path(name): Path<String>) -> Answer {
    let _turn = sim.turn(&name).await?;
    let session = found(&sim, &name)?;
    sim.start(&session)?;
    Ok(created(&sim, &session))
}

async fn stop(State(sim): State<Sim>, Path(name): Path<String>) -> Answer {
    let _turn = sim.turn(&name).await?;
    let session = found(&sim, &name)?;
    sim.stop(&session).await;
    Ok(created(&sim, &session))
}

async fn restart(State(sim): State<Sim>, Path(name): Path<String>) -> Answer {
    let _turn = sim.turn(&name).await?;
    let session = found(&sim, &name)?;
    sim.stop(&session).await;
    sim.start(&session)?;
    Ok(created(&sim, &session))
}

async fn logout(State(sim): State<Sim>, Path(name): Path<String>) -> Answer {
    let _turn = sim.turn(&name).await?;
    let session = found(&sim, &name)?;
    let running = session.state().status != Status::Stopped;
    sim.stop(&session).await;
    sim.unpair(&session);
    if running {
        sim.start(&session)?;
    }
    Ok(created(&sim, &session))
}
