use mf_domain::{Invalid, SessionId};
use mf_http_kit::{
    ApiError, ApiResult, Body, Caller, Faults, Path, Reply,
    caller::SessionsManage,
    openapi::{AuthErrors, InputErrors, NotFoundError, ParamErrors, ServerErrors},
};
use serde_json::Value;

use super::{dto::SettingsOut, refused};

/// Most bytes of a session's settings: they are answered with each session.
const MOST: usize = 16 * 1024;

/// Get a session's settings
#[utoipa::path(
    get, path = "/sessions/{session_id}/settings", tag = "sessions",
    params(("session_id" = Uuid, Path, description = "The session's id")),
    security(("ApiKeyAuth" = ["sessions:manage"]), ("BearerAuth" = ["sessions:manage"])),
    responses((status = 200, body = SettingsOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn get_session_settings(
    caller: Caller<SessionsManage>,
    Path(id): Path<SessionId>,
) -> ApiResult<Reply<SettingsOut>> {
    let session = caller
        .services
        .session(caller.tenant(), id)
        .await
        .map_err(refused)?;
    Ok(Reply(SettingsOut {
        status: "ok",
        config: session.config,
    }))
}

/// Change a session's settings
///
/// Laid over those that are there; `null` removes one. `auto_transcribe` is true or false;
/// other keys are kept as they come.
#[utoipa::path(
    patch, path = "/sessions/{session_id}/settings", tag = "sessions",
    params(("session_id" = Uuid, Path, description = "The session's id")),
    request_body(content = Object, example = json!({"auto_transcribe": true})),
    security(("ApiKeyAuth" = ["sessions:manage"]), ("BearerAuth" = ["sessions:manage"])),
    responses((status = 200, body = SettingsOut), AuthErrors, NotFoundError, InputErrors, ServerErrors),
)]
pub(crate) async fn update_session_settings(
    caller: Caller<SessionsManage>,
    Path(id): Path<SessionId>,
    Body(settings): Body<Value>,
) -> ApiResult<Reply<SettingsOut>> {
    check(&settings).map_err(ApiError::invalid)?;
    let mut tx = caller.begin().await?;
    let session = tx.sessions().merge_config(id, &settings).await?;
    let session = session.ok_or_else(|| ApiError::not_found("Session"))?;
    if session.config.to_string().len() > MOST {
        return Err(ApiError::bad_request(
            "The settings of a session may take up to 16 KiB",
        ));
    }
    tx.commit().await?;
    Ok(Reply(SettingsOut {
        status: "ok",
        config: session.config,
    }))
}

fn check(settings: &Value) -> Result<(), Faults> {
    let Some(settings) = settings.as_object() else {
        return Err(Faults::body(
            (),
            Invalid::new("type_error.dict", "value is not a valid dict"),
        ));
    };
    match settings.get("auto_transcribe") {
        None | Some(Value::Bool(_) | Value::Null) => Ok(()),
        Some(_) => Err(Faults::body(
            "auto_transcribe",
            Invalid::new("type_error.bool", "value could not be parsed to a boolean"),
        )),
    }
}
