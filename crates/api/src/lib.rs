//! The HTTP interface: handlers and their DTOs, one folder per resource, and the router.
//!
//! A handler parses, calls one use case, and answers. Registering it documents it: the
//! OpenAPI document is made from the same list as the router.

mod api_keys;
mod auth;
mod docs;
mod engine_callback;
mod engine_media;
mod health;
mod messages;
mod sessions;
mod tenant;
mod webhooks;

use std::sync::Arc;

use axum::{Router, response::Redirect, routing::get};
use mf_services::Services;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use health::Metrics;

/// Every operation under the base path.
fn operations() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::new()
        .merge(auth::router())
        .merge(api_keys::router())
        .merge(sessions::router())
        .merge(messages::router())
        .merge(tenant::router())
        .merge(webhooks::router())
}

/// The whole router, with the state in it, and without the layers that hold for every request.
pub fn router(services: &Arc<Services>, metrics: Metrics) -> Router {
    let (router, document) = docs::base().nest("/api/v2", operations()).split_for_parts();
    router
        .merge(engine_callback::router())
        .merge(engine_media::router())
        .with_state(Arc::clone(services))
        .merge(health::router(Arc::clone(services), metrics))
        .merge(docs::router(document))
        .route("/", get(|| async { Redirect::temporary("/docs/") }))
}

/// What a process without an API serves: whether it lives, whether it can work, how it does.
pub fn health_router(services: &Arc<Services>, metrics: Metrics) -> Router {
    health::router(Arc::clone(services), metrics)
}

/// The OpenAPI document of everything the router serves under `/api/v2`.
pub fn openapi() -> OpenApi {
    docs::base().nest("/api/v2", operations()).into_openapi()
}
