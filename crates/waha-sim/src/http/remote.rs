//! The remote control over HTTP: `/sim`.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::control::{Replay, SimError};
use crate::error::ApiError;
use crate::faults::Failure;
use crate::inbound::Inbound;
use crate::record::{CallbackRecord, SentMessage};
use crate::session::Status;
use crate::sim::Sim;

use super::extract::{Body, Params};

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/sim/sessions/{session}/scan", post(scan))
        .route("/sim/sessions/{session}/inbound", post(inbound))
        .route("/sim/sessions/{session}/ack", post(ack))
        .route("/sim/sessions/{session}/status", post(status))
        .route("/sim/sessions/{session}/disconnect", post(disconnect))
        .route("/sim/sessions/{session}/unlink", post(unlink))
        .route("/sim/acks", post(acks))
        .route("/sim/slow", post(slow))
        .route("/sim/fail-next", post(fail_next))
        .route("/sim/offline", post(offline))
        .route("/sim/sent", get(sent))
        .route("/sim/callbacks", get(callbacks))
        .route("/sim/callbacks/replay", post(replay))
        .route("/sim/reset", post(reset))
}

/// An order that was refused.
pub(super) enum Refused {
    Sim(SimError),
    Body(serde_json::Error),
}

impl From<SimError> for Refused {
    fn from(error: SimError) -> Self {
        Self::Sim(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let message = match &self {
            Self::Sim(error) => error.to_string(),
            Self::Body(error) => error.to_string(),
        };
        match self {
            Self::Sim(
                SimError::NoSession(_)
                | SimError::NoMessage(_)
                | SimError::NoCallback
                | SimError::Unknown(..),
            ) => ApiError::NotFound(message),
            Self::Sim(SimError::WrongStatus { .. }) => ApiError::Unprocessable(message),
            Self::Sim(SimError::Incomplete(_)) | Self::Body(_) => ApiError::Malformed(message),
        }
        .into_response()
    }
}

pub(super) type Done = Result<Json<Value>, Refused>;

pub(super) fn done() -> Json<Value> {
    Json(json!({"success": true}))
}

pub(super) fn order<T: DeserializeOwned>(body: Value) -> Result<T, Refused> {
    serde_json::from_value(body).map_err(Refused::Body)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scan {
    phone: Option<String>,
    push_name: Option<String>,
}

async fn scan(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let scan: Scan = order(body)?;
    sim.scan_as(&name, scan.phone, scan.push_name).await?;
    Ok(done())
}

async fn inbound(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    Body(body): Body,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let inbound: Inbound = order(body)?;
    Ok((
        StatusCode::CREATED,
        Json(sim.inbound(&name, inbound).await?),
    ))
}

#[derive(Deserialize)]
struct Receipt {
    id: String,
    ack: i8,
    /// One member of a group; all of them when left out.
    participant: Option<String>,
}

async fn ack(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let Receipt {
        id,
        ack,
        participant,
    } = order(body)?;
    match participant {
        Some(participant) => sim.ack_in_group(&name, &id, &participant, ack)?,
        None => sim.ack(&name, &id, ack)?,
    }
    Ok(done())
}

#[derive(Deserialize)]
struct Forced {
    status: Status,
}

async fn status(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Done {
    let Forced { status } = order(body)?;
    sim.set_status(&name, status)?;
    Ok(done())
}

async fn disconnect(State(sim): State<Sim>, Path(name): Path<String>) -> Done {
    sim.disconnect(&name)?;
    Ok(done())
}

async fn unlink(State(sim): State<Sim>, Path(name): Path<String>) -> Done {
    sim.unlink(&name)?;
    Ok(done())
}

#[derive(Deserialize)]
struct Acks {
    acks: AckMode,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum AckMode {
    Auto,
    Manual,
}

async fn acks(State(sim): State<Sim>, Body(body): Body) -> Done {
    let Acks { acks } = order(body)?;
    sim.set_manual_acks(acks == AckMode::Manual);
    Ok(done())
}

#[derive(Deserialize)]
struct Slow {
    millis: u64,
}

async fn slow(State(sim): State<Sim>, Body(body): Body) -> Done {
    let Slow { millis } = order(body)?;
    sim.set_slow(Duration::from_millis(millis));
    Ok(done())
}

async fn fail_next(State(sim): State<Sim>, Body(body): Body) -> Done {
    let failure: Failure = order(body)?;
    sim.fail_next(failure);
    Ok(done())
}

#[derive(Deserialize)]
struct Offline {
    offline: bool,
}

async fn offline(State(sim): State<Sim>, Body(body): Body) -> Done {
    let Offline { offline } = order(body)?;
    sim.set_offline(offline);
    Ok(done())
}

async fn sent(State(sim): State<Sim>, params: Params) -> Json<Vec<SentMessage>> {
    Json(match params.get("session") {
        Some(session) => sim.sent(session),
        None => sim.sent_by_all(),
    })
}

async fn callbacks(State(sim): State<Sim>) -> Json<Vec<CallbackRecord>> {
    Json(sim.callbacks())
}

async fn replay(State(sim): State<Sim>, Body(body): Body) -> Result<Json<CallbackRecord>, Refused> {
    let which: Replay = order(body)?;
    Ok(Json(sim.replay_callback(which).await?))
}

async fn reset(State(sim): State<Sim>) -> Json<Value> {
    sim.reset();
    done()
}
