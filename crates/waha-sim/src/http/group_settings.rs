//! What a group is called, looks like and allows.

use axum::extract::{Path, State};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::error::ApiError;
use crate::groups::{Aspect, Role, admins_only, invite_code};
use crate::ids::now_ms;
use crate::session::{Session, Status};
use crate::sim::Sim;

use super::extract::Body;
use super::groups::{group_id, joined};
use super::profile::picture_of;

pub(super) fn routes() -> Router<Sim> {
    let security = "/api/{session}/groups/{id}/settings/security";
    Router::new()
        .route("/api/{session}/groups/{id}/subject", put(subject))
        .route("/api/{session}/groups/{id}/description", put(description))
        .route(
            "/api/{session}/groups/{id}/picture",
            get(picture).put(set_picture).delete(delete_picture),
        )
        .route("/api/{session}/groups/{id}/invite-code", get(invite))
        .route(
            "/api/{session}/groups/{id}/invite-code/revoke",
            post(revoke),
        )
        .route(
            &format!("{security}/info-admin-only"),
            get(info_admin_only).put(set_info_admin_only),
        )
        .route(
            &format!("{security}/messages-admin-only"),
            get(messages_admin_only).put(set_messages_admin_only),
        )
}

type Answer = Result<Json<Value>, ApiError>;
type Of = Path<(String, String)>;

/// WEBJS answers false where the others throw.
async fn change(sim: Sim, name: &str, id: &str, aspect: Aspect) -> Result<bool, ApiError> {
    let session = sim.session_in(name, Status::Working).await?;
    let id = group_id(id);
    joined(&sim, &session, &id)?;
    match sim.change_group(&session, &id, &aspect) {
        Ok(()) => Ok(true),
        Err(_) if sim.world.config.engine == Dialect::Webjs => Ok(false),
        Err(error) => Err(error),
    }
}

async fn subject(State(sim): State<Sim>, Path((name, id)): Of, Body(body): Body) -> Answer {
    let subject = body["subject"]
        .as_str()
        .ok_or_else(|| ApiError::undefined("length"))?;
    let done = change(sim, &name, &id, Aspect::Subject(subject.to_owned())).await?;
    Ok(Json(json!(done)))
}

async fn description(State(sim): State<Sim>, Path((name, id)): Of, Body(body): Body) -> Answer {
    let text = body["description"].as_str().unwrap_or_default().to_owned();
    let done = change(sim, &name, &id, Aspect::Description(text)).await?;
    Ok(Json(json!(done)))
}

async fn picture(State(sim): State<Sim>, Path((name, id)): Of) -> Answer {
    let session = sim.session_in(&name, Status::Working).await?;
    Ok(Json(json!({"url": joined(&sim, &session, &id)?.picture})))
}

async fn set_picture(State(sim): State<Sim>, Path((name, id)): Of, Body(body): Body) -> Answer {
    let url = picture_of(&sim, &body["file"]).await?;
    let done = change(sim, &name, &id, Aspect::Picture(Some(url))).await?;
    Ok(Json(json!({"success": done})))
}

async fn delete_picture(State(sim): State<Sim>, Path((name, id)): Of) -> Answer {
    let done = change(sim, &name, &id, Aspect::Picture(None)).await?;
    Ok(Json(json!({"success": done})))
}

/// Whether the account may see and change the invitation.
fn as_admin(sim: &Sim, session: &Session, id: &str) -> Result<String, ApiError> {
    let group = joined(sim, session, id)?;
    match group.role_of(&session.state().realm.me()) {
        Some(Role::Admin | Role::Superadmin) => Ok(group.invite),
        _ => Err(admins_only(sim.world.config.engine)),
    }
}

async fn invite(State(sim): State<Sim>, Path((name, id)): Of) -> Answer {
    let session = sim.session_in(&name, Status::Working).await?;
    Ok(Json(json!(as_admin(&sim, &session, &id)?)))
}

async fn revoke(State(sim): State<Sim>, Path((name, id)): Of) -> Answer {
    let session = sim.session_in(&name, Status::Working).await?;
    let old = as_admin(&sim, &session, &id)?;
    // From the code before, so that no two are the same.
    let code = invite_code(&old, now_ms());
    sim.change_group(&session, &group_id(&id), &Aspect::Invite(code.clone()))?;
    Ok(Json(json!(code)))
}

fn admins_alone(body: &Value) -> bool {
    body["adminsOnly"].as_bool().unwrap_or(false)
}

async fn info_admin_only(State(sim): State<Sim>, Path((name, id)): Of) -> Answer {
    let session = sim.session_in(&name, Status::Working).await?;
    let group = joined(&sim, &session, &id)?;
    Ok(Json(json!({"adminsOnly": group.locked})))
}

async fn set_info_admin_only(
    State(sim): State<Sim>,
    Path((name, id)): Of,
    Body(body): Body,
) -> Answer {
    let done = change(sim, &name, &id, Aspect::Locked(admins_alone(&body))).await?;
    Ok(Json(json!(done)))
}

async fn messages_admin_only(State(sim): State<Sim>, Path((name, id)): Of) -> Answer {
    let session = sim.session_in(&name, Status::Working).await?;
    let group = joined(&sim, &session, &id)?;
    Ok(Json(json!({"adminsOnly": group.announce})))
}

async fn set_messages_admin_only(
    State(sim): State<Sim>,
    Path((name, id)): Of,
    Body(body): Body,
) -> Answer {
    let done = change(sim, &name, &id, Aspect::Announce(admins_alone(&body))).await?;
    Ok(Json(json!(done)))
}
