use mf_domain::WebhookId;
use mf_http_kit::{
    ApiResult, Caller, OptionalBody, Path, Reply,
    caller::WebhooksManage,
    openapi::{AuthErrors, InputErrors, NotFoundError, ServerErrors},
};

use super::{
    dto::{SecretRotate, SecretRotatedOut},
    refused,
};

/// Rotate a webhook's secret
///
/// In two steps, so that nothing is refused in between. The first answers the new secret. For a
/// day both sign: `webhook-signature` has a signature of each, and `X-Webhook-Signature`, which
/// holds one, is still made with the old one. The second, `{"activate": true}`, ends the day at
/// once: the new one alone signs. If the answer to the first was lost, `{"replace": true}` puts
/// another secret in the place of the new one.
#[utoipa::path(
    post, path = "/webhooks/{webhook_id}/rotate-secret", tag = "webhooks",
    params(("webhook_id" = Uuid, Path, description = "The webhook's id")),
    request_body = Option<SecretRotate>,
    security(("ApiKeyAuth" = ["webhooks:manage"]), ("BearerAuth" = ["webhooks:manage"])),
    responses((status = 200, body = SecretRotatedOut), AuthErrors, NotFoundError, InputErrors, ServerErrors),
)]
pub(crate) async fn rotate_webhook_secret(
    caller: Caller<WebhooksManage>,
    Path(id): Path<WebhookId>,
    OptionalBody(body): OptionalBody<SecretRotate>,
) -> ApiResult<Reply<SecretRotatedOut>> {
    let (services, tenant) = (&caller.services, caller.tenant());
    if body.activates() {
        let activated = services.activate_webhook_secret(tenant, id).await;
        let webhook = activated.map_err(refused)?;
        return Ok(Reply(SecretRotatedOut {
            id: webhook.id.uuid(),
            secret: None,
            previous_secret_valid_until: None,
        }));
    }
    let rotated =
        services.rotate_webhook_secret(tenant, id, body.secret.as_deref(), body.replaces());
    let keyed = rotated.await.map_err(refused)?;
    Ok(Reply(SecretRotatedOut {
        id: keyed.webhook.id.uuid(),
        secret: Some(keyed.secret),
        previous_secret_valid_until: keyed.webhook.previous_until,
    }))
}
