use chrono::TimeDelta;
use mf_domain::{DeliveryId, WebhookId};
use mf_http_kit::{
    ApiError, ApiResult, Caller, Path, Query, Reply,
    caller::WebhooksManage,
    openapi::{AuthErrors, NotFoundError, ParamErrors, ServerErrors},
};
use mf_services::WebhookRefused;

use super::{
    delivery_dto::{DeliveryOut, ReplayQuery, ReplayedOut},
    may_read_messages, not_found, refused,
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
/// with the `webhook-id` that they had. All of them are past messages: beyond the last 24 hours
/// that needs `messages:read` too, and of an API key that it may read the chat history.
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
    let history = range.since < caller.services.clock.now() - TimeDelta::hours(24);
    if range.all && history {
        let mut tx = caller.begin_reading().await?;
        let may_read = may_read_messages(&caller, &mut tx).await?;
        tx.commit().await?;
        if !may_read {
            return Err(ApiError::forbidden(
                "Whoever has everything sent again reads past messages: beyond the last 24 hours \
                 that needs messages:read, and for an API key chat_history_access_enabled in the \
                 tenant's settings",
            ));
        }
    }
    let replayed = caller
        .services
        .replay_webhook(caller.tenant(), id, range)
        .await
        .map_err(refused)?;
    Ok(Reply(ReplayedOut { replayed }))
}
