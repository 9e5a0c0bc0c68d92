use axum::http::StatusCode;
use mf_domain::WebhookId;
use mf_http_kit::{
    ApiResult, Body, Caller, Path, Query, Reply,
    caller::{WebhooksManage, WebhooksRead},
    openapi::{AuthErrors, InputErrors, NotFoundError, ParamErrors, ServerErrors},
};
use mf_services::{WebhookChange, WebhookDraft};

use super::{
    dto::{
        KeyedWebhookOut, WebhookCreate, WebhookDeletedOut, WebhookOut, WebhookPatch, WebhookQuery,
    },
    health_dto::WebhookDetailOut,
    not_found, refused,
};

/// List webhooks
///
/// Newest first.
#[utoipa::path(
    get, path = "/webhooks", tag = "webhooks", params(WebhookQuery),
    security(("ApiKeyAuth" = ["webhooks:read"]), ("BearerAuth" = ["webhooks:read"])),
    responses((status = 200, body = Vec<WebhookOut>), AuthErrors, ParamErrors, ServerErrors),
)]
pub(crate) async fn list_webhooks(
    caller: Caller<WebhooksRead>,
    Query(query): Query<WebhookQuery>,
) -> ApiResult<Reply<Vec<WebhookOut>>> {
    let mut tx = caller.begin().await?;
    let webhooks = tx.webhooks().list().await?;
    tx.commit().await?;
    // There are few: the part asked for is taken here.
    let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let page = webhooks
        .into_iter()
        .skip(count(query.offset))
        .take(count(query.limit));
    Ok(Reply(page.map(WebhookOut::from).collect()))
}

/// Make a webhook
///
/// From now on, every event that it wants is sent to its address, signed, until the endpoint
/// answers 2xx. `secret` is shown this once.
#[utoipa::path(
    post, path = "/webhooks", tag = "webhooks", request_body = WebhookCreate,
    security(("ApiKeyAuth" = ["webhooks:manage"]), ("BearerAuth" = ["webhooks:manage"])),
    responses((status = 201, body = KeyedWebhookOut), AuthErrors, InputErrors, ServerErrors),
)]
pub(crate) async fn create_webhook(
    caller: Caller<WebhooksManage>,
    Body(body): Body<WebhookCreate>,
) -> ApiResult<(StatusCode, Reply<KeyedWebhookOut>)> {
    let draft = WebhookDraft {
        name: &body.name(),
        url: body.url.trim(),
        events: &body.events(),
        is_active: body.is_active,
        secret: body.secret.as_deref(),
    };
    let keyed = caller
        .services
        .create_webhook(caller.tenant(), draft)
        .await
        .map_err(refused)?;
    let made = KeyedWebhookOut {
        webhook: keyed.webhook.into(),
        secret: keyed.secret,
    };
    Ok((StatusCode::CREATED, Reply(made)))
}

/// Get a webhook
///
/// With how it fares: what waits, what failed, and why.
#[utoipa::path(
    get, path = "/webhooks/{webhook_id}", tag = "webhooks",
    params(("webhook_id" = Uuid, Path, description = "The webhook's id")),
    security(("ApiKeyAuth" = ["webhooks:read"]), ("BearerAuth" = ["webhooks:read"])),
    responses((status = 200, body = WebhookDetailOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn get_webhook(
    caller: Caller<WebhooksRead>,
    Path(id): Path<WebhookId>,
) -> ApiResult<Reply<WebhookDetailOut>> {
    let mut tx = caller.begin_reading().await?;
    let webhook = tx.webhooks().lookup(id).await?.ok_or_else(not_found)?;
    let counts = tx.deliveries().counts(id).await?;
    tx.commit().await?;
    Ok(Reply(WebhookDetailOut::new(webhook, counts)))
}

/// Change a webhook
///
/// It counts from the next attempt on, also for what waits already.
#[utoipa::path(
    patch, path = "/webhooks/{webhook_id}", tag = "webhooks", request_body = WebhookPatch,
    params(("webhook_id" = Uuid, Path, description = "The webhook's id")),
    security(("ApiKeyAuth" = ["webhooks:manage"]), ("BearerAuth" = ["webhooks:manage"])),
    responses((status = 200, body = WebhookOut), AuthErrors, NotFoundError, InputErrors, ServerErrors),
)]
pub(crate) async fn update_webhook(
    caller: Caller<WebhooksManage>,
    Path(id): Path<WebhookId>,
    Body(body): Body<WebhookPatch>,
) -> ApiResult<Reply<WebhookOut>> {
    let events = body.events();
    let change = WebhookChange {
        name: body.name(),
        url: body.url.as_deref().map(str::trim),
        events: events.as_deref(),
        is_active: body.is_active,
        secret: body.secret.as_deref(),
    };
    let webhook = caller
        .services
        .update_webhook(caller.tenant(), id, change)
        .await
        .map_err(refused)?;
    Ok(Reply(webhook.into()))
}

/// Delete a webhook
///
/// With its deliveries: what has yet to be sent is not sent.
#[utoipa::path(
    delete, path = "/webhooks/{webhook_id}", tag = "webhooks",
    params(("webhook_id" = Uuid, Path, description = "The webhook's id")),
    security(("ApiKeyAuth" = ["webhooks:manage"]), ("BearerAuth" = ["webhooks:manage"])),
    responses((status = 200, body = WebhookDeletedOut), AuthErrors, NotFoundError, ParamErrors, ServerErrors),
)]
pub(crate) async fn delete_webhook(
    caller: Caller<WebhooksManage>,
    Path(id): Path<WebhookId>,
) -> ApiResult<Reply<WebhookDeletedOut>> {
    caller
        .services
        .delete_webhook(caller.tenant(), id)
        .await
        .map_err(refused)?;
    Ok(Reply(WebhookDeletedOut {
        status: "deleted",
        id: id.uuid(),
    }))
}
