use axum::http::StatusCode;
use mf_domain::{ApiKeyId, Invalid, ScopeSet};
use mf_http_kit::{
    ApiError, ApiResult, Body, Caller, Faults, Path, Reply,
    caller::KeyMaker,
    openapi::{AuthErrors, InputErrors, NotFoundError, ParamErrors, ServerErrors},
};
use mf_services::{KeyRefused, KeyRequest};

use super::dto::{ApiKeyCreate, ApiKeyOut, KeyDeletedOut, MintedKeyOut};

/// List API keys
///
/// Newest first, all of them. The keys themselves are nowhere any more.
#[utoipa::path(
    get, path = "/api-keys", tag = "api-keys",
    security(("ApiKeyAuth" = ["*"]), ("BearerAuth" = [])),
    responses((status = 200, body = Vec<ApiKeyOut>), AuthErrors, ServerErrors),
)]
pub(crate) async fn list_api_keys(caller: Caller<KeyMaker>) -> ApiResult<Reply<Vec<ApiKeyOut>>> {
    let mut tx = caller.begin().await?;
    let keys = tx.api_keys().list().await?;
    tx.commit().await?;
    Ok(Reply(keys.into_iter().map(ApiKeyOut::from).collect()))
}

/// Make an API key
///
/// `raw_key` is shown this once. A key cannot grant more than its maker has.
#[utoipa::path(
    post, path = "/api-keys", tag = "api-keys", request_body = ApiKeyCreate,
    security(("ApiKeyAuth" = ["*"]), ("BearerAuth" = [])),
    responses((status = 201, body = MintedKeyOut), AuthErrors, InputErrors, ServerErrors),
)]
pub(crate) async fn create_api_key(
    caller: Caller<KeyMaker>,
    Body(body): Body<ApiKeyCreate>,
) -> ApiResult<(StatusCode, Reply<MintedKeyOut>)> {
    let scopes = match body.wish().ok().flatten() {
        Some(scopes) => scopes,
        None if caller.services.settings.require_key_scopes => {
            let invalid = Invalid::new("value_error.missing", "field required");
            return Err(ApiError::invalid(Faults::body("scopes", invalid)));
        }
        // "Full access", as clients that name no scopes expect: all that the maker has.
        None if caller.scopes().is_full() => ScopeSet::full(),
        None => caller.scopes(),
    };
    let request = KeyRequest {
        name: body.name.trim(),
        scopes,
        expires_in_days: body.expires_in_days,
        created_by: caller.user(),
        maker_scopes: caller.scopes(),
    };
    let minted = caller
        .services
        .mint_key(caller.tenant(), request)
        .await
        .map_err(refused)?;
    Ok((StatusCode::CREATED, Reply(minted.into())))
}

/// Get an API key
#[utoipa::path(
    get, path = "/api-keys/{key_id}", tag = "api-keys",
    params(("key_id" = Uuid, Path, description = "The key's id")),
    security(("ApiKeyAuth" = ["*"]), ("BearerAuth" = [])),
    responses((status = 200, body = ApiKeyOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn get_api_key(
    caller: Caller<KeyMaker>,
    Path(id): Path<ApiKeyId>,
) -> ApiResult<Reply<ApiKeyOut>> {
    let mut tx = caller.begin().await?;
    let key = tx.api_keys().lookup(id).await?;
    tx.commit().await?;
    Ok(Reply(key.ok_or_else(not_found)?.into()))
}

/// Delete an API key
///
/// At once: the next request with it is refused.
#[utoipa::path(
    delete, path = "/api-keys/{key_id}", tag = "api-keys",
    params(("key_id" = Uuid, Path, description = "The key's id")),
    security(("ApiKeyAuth" = ["*"]), ("BearerAuth" = [])),
    responses((status = 200, body = KeyDeletedOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn delete_api_key(
    caller: Caller<KeyMaker>,
    Path(id): Path<ApiKeyId>,
) -> ApiResult<Reply<KeyDeletedOut>> {
    if !caller.services.delete_key(caller.tenant(), id).await? {
        return Err(not_found());
    }
    Ok(Reply(KeyDeletedOut {
        status: "deleted",
        id: id.uuid(),
    }))
}

/// Rotate an API key
///
/// Answers a new `raw_key` with the same id and scopes. The old one is refused from the next
/// request on.
#[utoipa::path(
    post, path = "/api-keys/{key_id}/rotate", tag = "api-keys",
    params(("key_id" = Uuid, Path, description = "The key's id")),
    security(("ApiKeyAuth" = ["*"]), ("BearerAuth" = [])),
    responses((status = 200, body = MintedKeyOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn rotate_api_key(
    caller: Caller<KeyMaker>,
    Path(id): Path<ApiKeyId>,
) -> ApiResult<Reply<MintedKeyOut>> {
    let minted = caller
        .services
        .rotate_key(caller.tenant(), id, caller.scopes())
        .await;
    Ok(Reply(
        minted.map_err(refused)?.ok_or_else(not_found)?.into(),
    ))
}

fn not_found() -> ApiError {
    ApiError::not_found("API key")
}

fn refused(refusal: KeyRefused) -> ApiError {
    match refusal {
        KeyRefused::TooStrong => ApiError::forbidden(refusal.to_string()),
        KeyRefused::Failed(error) => error.into(),
    }
}
