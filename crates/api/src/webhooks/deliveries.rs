use mf_domain::{DeliveryId, WebhookId};
use mf_http_kit::{
    ApiError, ApiResult, Caller, Path, Query, Reply,
    caller::WebhooksRead,
    openapi::{AuthErrors, NotFoundError, ParamErrors, ServerErrors},
};
use serde_json::value::RawValue;

use super::{
    delivery_dto::{DeliveriesOut, DeliveryDetailOut, DeliveryQuery},
    may_read_messages, not_found,
};

/// List a webhook's deliveries
///
/// The newest event first.
#[utoipa::path(
    get, path = "/webhooks/{webhook_id}/deliveries", tag = "webhooks",
    params(("webhook_id" = Uuid, Path, description = "The webhook's id"), DeliveryQuery),
    security(("ApiKeyAuth" = ["webhooks:read"]), ("BearerAuth" = ["webhooks:read"])),
    responses((status = 200, body = DeliveriesOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn list_webhook_deliveries(
    caller: Caller<WebhooksRead>,
    Path(id): Path<WebhookId>,
    Query(query): Query<DeliveryQuery>,
) -> ApiResult<Reply<DeliveriesOut>> {
    let page = query.page();
    let mut tx = caller.begin_reading().await?;
    tx.webhooks().lookup(id).await?.ok_or_else(not_found)?;
    let (deliveries, total) = tx
        .deliveries()
        .list(id, query.filter(), page.limit, page.offset)
        .await?;
    tx.commit().await?;
    Ok(Reply(DeliveriesOut::new(deliveries, total, page)))
}

/// Get a delivery
///
/// With every attempt, and what is sent.
#[utoipa::path(
    get, path = "/webhooks/deliveries/{delivery_id}", tag = "webhooks",
    params(("delivery_id" = Uuid, Path, description = "The delivery's id")),
    security(("ApiKeyAuth" = ["webhooks:read"]), ("BearerAuth" = ["webhooks:read"])),
    responses((status = 200, body = DeliveryDetailOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn get_webhook_delivery(
    caller: Caller<WebhooksRead>,
    Path(id): Path<DeliveryId>,
) -> ApiResult<Reply<DeliveryDetailOut>> {
    let mut tx = caller.begin_reading().await?;
    let delivery = tx.deliveries().lookup(id).await?;
    let delivery = delivery.ok_or_else(|| ApiError::not_found("Delivery"))?;
    let payload = if may_read_messages(&caller, &mut tx).await? {
        tx.deliveries().body(id).await?
    } else {
        None
    };
    tx.commit().await?;
    let payload = payload.map(RawValue::from_string).transpose();
    let payload = payload.map_err(ApiError::internal)?;
    Ok(Reply(DeliveryDetailOut::new(delivery, payload)))
}
