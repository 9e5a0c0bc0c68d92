use mf_http_kit::{
    ApiError, ApiResult, Caller, Reply,
    caller::Anybody,
    openapi::{AuthErrors, ServerErrors},
};

use super::dto::{MeOut, TenantOut, UserOut};

/// Who am I?
#[utoipa::path(
    get, path = "/auth/me", tag = "auth", security(("ApiKeyAuth" = []), ("BearerAuth" = [])),
    responses((status = 200, body = MeOut), AuthErrors, ServerErrors),
)]
pub(crate) async fn auth_me(caller: Caller<Anybody>) -> ApiResult<Reply<MeOut>> {
    me(&caller).await
}

/// Who am I?
///
/// The same as `/auth/me`.
#[utoipa::path(
    get, path = "/users/me", tag = "auth", security(("ApiKeyAuth" = []), ("BearerAuth" = [])),
    responses((status = 200, body = MeOut), AuthErrors, ServerErrors),
)]
pub(crate) async fn users_me(caller: Caller<Anybody>) -> ApiResult<Reply<MeOut>> {
    me(&caller).await
}

/// The person who logged in, or whom the key stands for: who made it, or the tenant's owner.
async fn me(caller: &Caller<Anybody>) -> ApiResult<Reply<MeOut>> {
    let (user, tenant) = caller
        .services
        .whoami(&caller.principal)
        .await?
        .ok_or_else(|| ApiError::not_found("User"))?;
    Ok(Reply(MeOut {
        user: UserOut::from(&user),
        created_at: user.created_at,
        tenant: TenantOut::from(&tenant),
    }))
}
