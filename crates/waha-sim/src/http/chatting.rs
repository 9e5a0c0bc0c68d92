//! Sending, typing and reading.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::error::{ApiError, nothing};
use crate::ids::{destination, message_id};
use crate::session::Status;
use crate::sim::Sim;

use super::extract::Body;

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/sendText", post(send_text))
        .route("/api/startTyping", post(typing))
        .route("/api/stopTyping", post(typing))
        .route("/api/sendSeen", post(send_seen))
        .route("/api/{session}/new-message-id", get(new_message_id))
}

/// The session a body names. Leaving it out names one called `undefined`.
fn named(body: &Value) -> String {
    match &body["session"] {
        Value::String(name) => name.clone(),
        Value::Null => "undefined".to_owned(),
        other => other.to_string(),
    }
}

async fn send_text(
    State(sim): State<Sim>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let session = sim.session_in(&named(&body), Status::Working).await?;
    Ok((StatusCode::CREATED, Json(sim.send_text(&session, &body)?)))
}

async fn typing(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    sim.session_in(&named(&body), Status::Working).await?;
    chat_of(&sim, &body)?;
    Ok(nothing(StatusCode::CREATED))
}

async fn send_seen(State(sim): State<Sim>, Body(body): Body) -> Result<Response, ApiError> {
    let session = sim.session_in(&named(&body), Status::Working).await?;
    let chat = chat_of(&sim, &body)?;
    sim.mark_seen(&session, &chat);
    Ok((StatusCode::CREATED, Json(json!({"success": true}))).into_response())
}

fn chat_of(sim: &Sim, body: &Value) -> Result<String, ApiError> {
    let given = body["chatId"]
        .as_str()
        .ok_or_else(|| ApiError::undefined("includes"))?;
    destination(sim.world.config.engine, given)
}

async fn new_message_id(
    State(sim): State<Sim>,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    sim.session_in(&name, Status::Working).await?;
    if sim.world.config.engine == Dialect::Webjs {
        return Err(ApiError::NotImplemented(sim.world.config.engine));
    }
    Ok(Json(json!({"id": message_id()})))
}
