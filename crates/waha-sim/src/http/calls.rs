//! Calls: `/api/{s}/calls`.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;

use crate::error::{ApiError, nothing};
use crate::ids::destination;
use crate::session::Status;
use crate::sim::Sim;

use super::extract::Body;

pub(super) fn routes() -> Router<Sim> {
    Router::new().route("/api/{session}/calls/reject", post(reject))
}

/// Nobody checks whether there is such a call.
async fn reject(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    Body(body): Body,
) -> Result<Response, ApiError> {
    let session = sim.session_in(&name, Status::Working).await?;
    let from = body["from"]
        .as_str()
        .ok_or_else(|| ApiError::undefined("includes"))?;
    destination(sim.world.config.engine, from)?;
    sim.end_call(
        &session,
        body["id"].as_str().unwrap_or_default(),
        "rejected",
    );
    Ok(nothing(StatusCode::CREATED))
}
