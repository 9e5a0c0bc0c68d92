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

use mf_domain::Invalid;
use mf_http_kit::{ApiError, Faults};
use mf_services::{Services, WebhookRefused};
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

fn not_found() -> ApiError {
    ApiError::not_found("Webhook")
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
        WebhookRefused::Url(_) => fault("url", "value_error.url"),
        WebhookRefused::Secret(_) => fault("secret", "value_error.secret"),
        WebhookRefused::NoRotation | WebhookRefused::Off => ApiError::bad_request(sentence),
        WebhookRefused::Failed(error) => error.into(),
    }
}
