use mf_http_kit::{
    ApiResult, Body, Caller, Reply,
    caller::{SettingsManage, SettingsRead},
    openapi::{AuthErrors, InputErrors, ServerErrors},
};

use super::dto::{TenantSettingsOut, TenantSettingsPatch};

/// Get the tenant's settings
#[utoipa::path(
    get, path = "/tenant/settings", tag = "tenant",
    security(("ApiKeyAuth" = ["settings:read"]), ("BearerAuth" = ["settings:read"])),
    responses((status = 200, body = TenantSettingsOut), AuthErrors, ServerErrors),
)]
pub(crate) async fn get_tenant_settings(
    caller: Caller<SettingsRead>,
) -> ApiResult<Reply<TenantSettingsOut>> {
    let mut tx = caller.begin().await?;
    let settings = tx.tenants().settings().await?;
    tx.commit().await?;
    Ok(Reply(settings.into()))
}

/// Change the tenant's settings
///
/// For owners and admins, and for API keys with `settings:manage`. It counts from the next
/// request on.
#[utoipa::path(
    patch, path = "/tenant/settings", tag = "tenant", request_body = TenantSettingsPatch,
    security(("ApiKeyAuth" = ["settings:manage"]), ("BearerAuth" = ["settings:manage"])),
    responses((status = 200, body = TenantSettingsOut), AuthErrors, InputErrors, ServerErrors),
)]
pub(crate) async fn update_tenant_settings(
    caller: Caller<SettingsManage>,
    Body(body): Body<TenantSettingsPatch>,
) -> ApiResult<Reply<TenantSettingsOut>> {
    let mut tx = caller.begin().await?;
    let settings = tx.tenants().update_settings(&body.patch()).await?;
    tx.commit().await?;
    Ok(Reply(settings.into()))
}
