//! The account's own profile: `/api/{s}/profile`.

use axum::extract::{Path, State};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::session::Status;
use crate::sim::Sim;

use super::extract::Body;

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/api/{session}/profile", get(profile))
        .route("/api/{session}/profile/name", put(set_name))
        .route("/api/{session}/profile/status", put(set_status))
        .route(
            "/api/{session}/profile/picture",
            put(set_picture).delete(delete_picture),
        )
}

type Answer = Result<Json<Value>, ApiError>;

/// Where WhatsApp would keep the picture of a request.
pub(super) async fn picture_of(sim: &Sim, file: &Value) -> Result<String, ApiError> {
    let file = sim.load(file, "image/jpeg").await?;
    let name = hex::encode(file.sha256().get(..12).unwrap_or_default());
    Ok(format!(
        "https://pps.whatsapp.net/v/t61.24694-24/{name}.jpg"
    ))
}

fn done() -> Json<Value> {
    Json(json!({"success": true}))
}

async fn profile(State(sim): State<Sim>, Path(name): Path<String>) -> Answer {
    let session = sim.session_in(&name, Status::Working).await?;
    let state = session.state();
    let called = state.account.as_ref().map(|account| &account.push_name);
    Ok(Json(json!({
        "id": state.own_id(),
        "picture": state.realm.picture,
        "name": called,
    })))
}

async fn set_name(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Answer {
    let session = sim.session_in(&name, Status::Working).await?;
    let called = body["name"]
        .as_str()
        .ok_or_else(|| ApiError::undefined("length"))?;
    if let Some(account) = &mut session.state().account {
        called.clone_into(&mut account.push_name);
    }
    sim.save();
    Ok(done())
}

async fn set_status(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Answer {
    let session = sim.session_in(&name, Status::Working).await?;
    let about = body["status"]
        .as_str()
        .ok_or_else(|| ApiError::undefined("length"))?;
    session.state().realm.about = Some(about.to_owned());
    Ok(done())
}

async fn set_picture(State(sim): State<Sim>, Path(name): Path<String>, Body(body): Body) -> Answer {
    let session = sim.session_in(&name, Status::Working).await?;
    let url = picture_of(&sim, &body["file"]).await?;
    session.state().realm.picture = Some(url);
    Ok(done())
}

async fn delete_picture(State(sim): State<Sim>, Path(name): Path<String>) -> Answer {
    let session = sim.session_in(&name, Status::Working).await?;
    session.state().realm.picture = None;
    Ok(done())
}
