//! Where a tenant wants events sent to, how that goes, and what became of each.

mod crud;
mod deliveries;
mod delivery_dto;
mod dto;
mod health_dto;
mod replay;
mod secret;
mod try_out;

use std::sync::Arc;

use mf_domain::{Invalid, Scope};
use mf_http_kit::{ApiError, ApiResult, Caller, Faults};
use mf_services::{Services, WebhookRefused};
use mf_store::TenantTx;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::new()
        .routes(routes!(crud::list_webhooks, crud::create_webhook))
        .routes(routes!(
            crud::get_webhook,
            crud::update_webhook,
            crud::delete_webhook
        ))
        .routes(routes!(try_out::test_webhook))
        .routes(routes!(secret::rotate_webhook_secret))
        .routes(routes!(deliveries::list_webhook_deliveries))
        .routes(routes!(deliveries::get_webhook_delivery))
        .routes(routes!(replay::replay_webhook_delivery))
        .routes(routes!(replay::replay_webhook))
}

/// Seconds until one of those trials is over, more or less.
const TRIAL: u64 = 5;

fn not_found() -> ApiError {
    ApiError::not_found("Webhook")
}

/// What is sent holds what people wrote: a key that may see how deliveries fare learns it only
/// where it could read it among the messages too.
async fn may_read_messages<P>(caller: &Caller<P>, tx: &mut TenantTx) -> ApiResult<bool> {
    Ok(caller.scopes().allows(Scope::MessagesRead)
        && (!caller.is_api_key() || tx.tenants().settings().await?.chat_history_access_enabled))
}

fn refused(refusal: WebhookRefused) -> ApiError {
    let sentence = refusal.to_string();
    let fault = |field, code| {
        let invalid = Invalid::new(code, sentence.clone());
        ApiError::invalid(Faults::body(field, invalid))
    };
    match refusal {
        WebhookRefused::NotFound => not_found(),
        WebhookRefused::TooMany => ApiError::forbidden(sentence),
        WebhookRefused::Url(_) | WebhookRefused::Address(_) => fault("url", "value_error.url"),
        WebhookRefused::Secret(_) => fault("secret", "value_error.secret"),
        WebhookRefused::NoRotation
        | WebhookRefused::RotationUnderWay { .. }
        | WebhookRefused::Off => ApiError::bad_request(sentence),
        WebhookRefused::TooManyTrials => ApiError::rate_limited(TRIAL),
        WebhookRefused::Failed(error) => error.into(),
    }
}
