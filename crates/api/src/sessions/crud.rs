use axum::http::StatusCode;
use mf_domain::{SessionId, SessionName};
use mf_http_kit::{
    ApiError, ApiResult, Body, Caller, Faults, Page, Path, Query, Reply,
    caller::{SessionsManage, SessionsRead},
    openapi::{AuthErrors, EngineErrors, InputErrors, NotFoundError, ParamErrors, ServerErrors},
};

use super::{
    dto::{SessionCreate, SessionDeletedOut, SessionOut},
    refused,
};

/// List sessions
///
/// Newest first.
#[utoipa::path(
    get, path = "/sessions", tag = "sessions", params(Page),
    security(("ApiKeyAuth" = ["sessions:read"]), ("BearerAuth" = ["sessions:read"])),
    responses((status = 200, body = Vec<SessionOut>), AuthErrors, ParamErrors, ServerErrors),
)]
pub(crate) async fn list_sessions(
    caller: Caller<SessionsRead>,
    Query(page): Query<Page>,
) -> ApiResult<Reply<Vec<SessionOut>>> {
    let mut tx = caller.begin().await?;
    let sessions = tx.sessions().list(page.limit, page.offset).await?;
    tx.commit().await?;
    Ok(Reply(sessions.into_iter().map(SessionOut::from).collect()))
}

/// Make a session
///
/// It is `stopped`: start it to pair a phone.
#[utoipa::path(
    post, path = "/sessions", tag = "sessions", request_body = SessionCreate,
    security(("ApiKeyAuth" = ["sessions:manage"]), ("BearerAuth" = ["sessions:manage"])),
    responses((status = 201, body = SessionOut), AuthErrors, InputErrors, ServerErrors),
)]
pub(crate) async fn create_session(
    caller: Caller<SessionsManage>,
    Body(body): Body<SessionCreate>,
) -> ApiResult<(StatusCode, Reply<SessionOut>)> {
    let name = SessionName::parse(&body.name)
        .map_err(|invalid| ApiError::invalid(Faults::body("name", invalid)))?;
    let session = caller
        .services
        .create_session(caller.tenant(), &name)
        .await?;
    Ok((StatusCode::CREATED, Reply(session.into())))
}

/// Get a session
#[utoipa::path(
    get, path = "/sessions/{session_id}", tag = "sessions",
    params(("session_id" = Uuid, Path, description = "The session's id")),
    security(("ApiKeyAuth" = ["sessions:read"]), ("BearerAuth" = ["sessions:read"])),
    responses((status = 200, body = SessionOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn get_session(
    caller: Caller<SessionsRead>,
    Path(id): Path<SessionId>,
) -> ApiResult<Reply<SessionOut>> {
    let session = caller
        .services
        .session(caller.tenant(), id)
        .await
        .map_err(refused)?;
    Ok(Reply(session.into()))
}

/// Delete a session
///
/// Here and at the engine, with its chats and messages. The phone is logged out.
#[utoipa::path(
    delete, path = "/sessions/{session_id}", tag = "sessions",
    params(("session_id" = Uuid, Path, description = "The session's id")),
    security(("ApiKeyAuth" = ["sessions:manage"]), ("BearerAuth" = ["sessions:manage"])),
    responses((status = 200, body = SessionDeletedOut), AuthErrors, NotFoundError, ParamErrors, EngineErrors, ServerErrors),
)]
pub(crate) async fn delete_session(
    caller: Caller<SessionsManage>,
    Path(id): Path<SessionId>,
) -> ApiResult<Reply<SessionDeletedOut>> {
    caller
        .services
        .delete_session(caller.tenant(), id)
        .await
        .map_err(refused)?;
    Ok(Reply(SessionDeletedOut {
        status: "deleted",
        id: id.uuid(),
    }))
}
