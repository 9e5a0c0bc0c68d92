use mf_domain::WebhookId;
use mf_http_kit::{
    ApiResult, Caller, Path, Reply,
    caller::WebhooksManage,
    openapi::{AuthErrors, NotFoundError, ParamErrors, ServerErrors},
};

use super::{dto::WebhookTestOut, health_dto::rounded, refused};

/// Try out a webhook
///
/// Sends it the event `webhook.test`, now and once, whether it is on or off, and answers what
/// came of it: 200 also where that was a failure. It counts neither for nor against the webhook.
#[utoipa::path(
    post, path = "/webhooks/{webhook_id}/test", tag = "webhooks",
    params(("webhook_id" = Uuid, Path, description = "The webhook's id")),
    security(("ApiKeyAuth" = ["webhooks:manage"]), ("BearerAuth" = ["webhooks:manage"])),
    responses((status = 200, body = WebhookTestOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn test_webhook(
    caller: Caller<WebhooksManage>,
    Path(id): Path<WebhookId>,
) -> ApiResult<Reply<WebhookTestOut>> {
    let tried = caller
        .services
        .try_out_webhook(caller.tenant(), id)
        .await
        .map_err(refused)?;
    Ok(Reply(WebhookTestOut {
        success: tried.success,
        status_code: tried.status_code,
        latency_ms: rounded(tried.latency.as_secs_f64() * 1000.0, 10.0),
        error: tried.error,
        delivery_id: tried.delivery_id.uuid(),
    }))
}
