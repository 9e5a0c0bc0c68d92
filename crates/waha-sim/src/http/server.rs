//! The server about itself.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::callbacks::environment;
use crate::ids::now_ms;
use crate::sim::Sim;

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/ping", get(async || Json(json!({"message": "pong"}))))
        .route("/health", get(health))
        .route("/api/server/version", get(version))
        .route("/api/version", get(version))
        .route("/api/server/status", get(status))
}

async fn health() -> Json<Value> {
    let up = json!({"sessionsFiles.space": {"status": "up"}});
    Json(json!({"status": "ok", "info": up, "error": {}, "details": up}))
}

async fn version(State(sim): State<Sim>) -> Json<Value> {
    Json(environment(&sim.world.config))
}

async fn status(State(sim): State<Sim>) -> Json<Value> {
    Json(json!({
        "startTimestamp": sim.world.started_ms,
        "uptime": now_ms() - sim.world.started_ms,
        "worker": {"id": "waha"},
    }))
}
