use mf_http_kit::{ApiError, ApiResult, Caller};
use mf_store::TenantTx;

/// Refuses API keys the history of chats unless the tenant lets them read it. Whoever logged
/// in may read what their role lets them read.
pub(super) async fn let_read_history<P>(caller: &Caller<P>, tx: &mut TenantTx) -> ApiResult<()> {
    if !caller.is_api_key() || tx.tenants().settings().await?.chat_history_access_enabled {
        return Ok(());
    }
    Err(ApiError::forbidden(
        "API keys may not read the chat history: turn on chat_history_access_enabled with \
         PATCH /api/v2/tenant/settings",
    ))
}
