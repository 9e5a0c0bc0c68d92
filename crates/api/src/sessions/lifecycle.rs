use mf_domain::SessionId;
use mf_http_kit::{
    ApiResult, Caller, Path, Reply,
    caller::SessionsManage,
    openapi::{AuthErrors, EngineErrors, NotFoundError, ParamErrors, ServerErrors},
};

use super::{dto::SessionOut, refused};

/// Start a session
///
/// A session that was paired comes back by itself (`working`); another shows a QR code
/// (`qr_code`). Both are told at `/events`. Starting a running one changes nothing.
#[utoipa::path(
    post, path = "/sessions/{session_id}/start", tag = "sessions",
    params(("session_id" = Uuid, Path, description = "The session's id")),
    security(("ApiKeyAuth" = ["sessions:manage"]), ("BearerAuth" = ["sessions:manage"])),
    responses((status = 200, body = SessionOut), AuthErrors, NotFoundError, ParamErrors, EngineErrors, ServerErrors),
)]
pub(crate) async fn start_session(
    caller: Caller<SessionsManage>,
    Path(id): Path<SessionId>,
) -> ApiResult<Reply<SessionOut>> {
    let session = caller
        .services
        .start_session(caller.tenant(), id)
        .await
        .map_err(refused)?;
    Ok(Reply(session.into()))
}

/// Stop a session
///
/// The pairing is kept.
#[utoipa::path(
    post, path = "/sessions/{session_id}/stop", tag = "sessions",
    params(("session_id" = Uuid, Path, description = "The session's id")),
    security(("ApiKeyAuth" = ["sessions:manage"]), ("BearerAuth" = ["sessions:manage"])),
    responses((status = 200, body = SessionOut), AuthErrors, NotFoundError, ParamErrors, EngineErrors, ServerErrors),
)]
pub(crate) async fn stop_session(
    caller: Caller<SessionsManage>,
    Path(id): Path<SessionId>,
) -> ApiResult<Reply<SessionOut>> {
    let session = caller
        .services
        .stop_session(caller.tenant(), id)
        .await
        .map_err(refused)?;
    Ok(Reply(session.into()))
}

/// Restart a session
///
/// Stops and starts it. The pairing is kept.
#[utoipa::path(
    post, path = "/sessions/{session_id}/restart", tag = "sessions",
    params(("session_id" = Uuid, Path, description = "The session's id")),
    security(("ApiKeyAuth" = ["sessions:manage"]), ("BearerAuth" = ["sessions:manage"])),
    responses((status = 200, body = SessionOut), AuthErrors, NotFoundError, ParamErrors, EngineErrors, ServerErrors),
)]
pub(crate) async fn restart_session(
    caller: Caller<SessionsManage>,
    Path(id): Path<SessionId>,
) -> ApiResult<Reply<SessionOut>> {
    let session = caller
        .services
        .restart_session(caller.tenant(), id)
        .await
        .map_err(refused)?;
    Ok(Reply(session.into()))
}

/// Log a session out
///
/// Gives up the pairing: the next start shows a new QR code.
#[utoipa::path(
    post, path = "/sessions/{session_id}/logout", tag = "sessions",
    params(("session_id" = Uuid, Path, description = "The session's id")),
    security(("ApiKeyAuth" = ["sessions:manage"]), ("BearerAuth" = ["sessions:manage"])),
    responses((status = 200, body = SessionOut), AuthErrors, NotFoundError, ParamErrors, EngineErrors, ServerErrors),
)]
pub(crate) async fn logout_session(
    caller: Caller<SessionsManage>,
    Path(id): Path<SessionId>,
) -> ApiResult<Reply<SessionOut>> {
    let session = caller
        .services
        .logout_session(caller.tenant(), id)
        .await
        .map_err(refused)?;
    Ok(Reply(session.into()))
}
