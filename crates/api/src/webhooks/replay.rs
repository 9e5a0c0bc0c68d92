use mf_domain::{DeliveryId, WebhookId};
use mf_http_kit::{
    ApiError, ApiResult, Caller, Path, Query, Reply,
    caller::WebhooksManage,
    openapi::{AuthErrors, NotFoundError, ParamErrors, ServerErrors},
};
use mf_services::WebhookRefused;

use super::{
    delivery_dto::{DeliveryOut, ReplayQuery, ReplayedOut},
    not_found, refused,
};

/// Replay a delivery
///
/// It is sent again at once, whatever came of it before, and tried as often as a new one. Its
/// `webhook-id` stays, so that a receiver who has it already knows it.
#[utoipa::path(
    post, path = "/webhooks/deliveries/{delivery_id}/replay", tag = "webhooks",
    params(("delivery_id" = Uuid, Path, description = "The delivery's id")),
    security(("ApiKeyAuth" = ["webhooks:manage"]), ("BearerAuth" = ["webhooks:manage"])),
    responses((status = 200, body = DeliveryOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn replay_webhook_delivery(
    caller: Caller<WebhooksManage>,
    Path(id): Path<DeliveryId>,
) -> ApiResult<Reply<DeliveryOut>> {
    let none = || ApiError::not_found("Delivery");
    let mut tx = caller.begin().await?;
    let delivery = tx.deliveries().lookup(id).await?.ok_or_else(none)?;
    let webhook = tx.webhooks().lookup(delivery.webhook_id).await?;
    if !webhook.ok_or_else(not_found)?.is_active {
        return Err(refused(WebhookRefused::Off));
    }
    if tx.deliveries().body(id).await?.is_none() {
        return Err(ApiError::bad_request(
            "The event is no longer kept: there is nothing to send",
        ));
    }
    tx.deliveries().replay(id).await?;
    let delivery = tx.deliveries().lookup(id).await?.ok_or_else(none)?;
    tx.commit().await?;
    Ok(Reply(delivery.into()))
}

/// Replay a webhook's events
///
/// Those since a moment that were given up, or all of them. They are sent as if they were new,
/// with the `webhook-id` that they had.
#[utoipa::path(
    post, path = "/webhooks/{webhook_id}/replay", tag = "webhooks",
    params(("webhook_id" = Uuid, Path, description = "The webhook's id"), ReplayQuery),
    security(("ApiKeyAuth" = ["webhooks:manage"]), ("BearerAuth" = ["webhooks:manage"])),
    responses((status = 200, body = ReplayedOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn replay_webhook(
    caller: Caller<WebhooksManage>,
    Path(id): Path<WebhookId>,
    Query(query): Query<ReplayQuery>,
) -> ApiResult<Reply<ReplayedOut>> {
    let range = query.range().map_err(ApiError::invalid)?;
    let replayed = caller
        .services
        .replay_webhook(caller.tenant(), id, range)
        .await
        .map_err(refused)?;
    Ok(Reply(ReplayedOut { replayed }))
}
