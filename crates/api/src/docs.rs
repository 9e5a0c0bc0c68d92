use std::sync::Arc;

use axum::Router;
use mf_http_kit::openapi::{ErrorSchemas, SecurityAddon};
use mf_services::Services;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "MoltFlow, self-hosted",
        description = "WhatsApp for businesses and agencies, on your own machine. Every client \
            of the MoltFlow v2 API works when it is pointed here.\n\n\
            Authenticate with `X-API-Key: mf_…` or `Authorization: Bearer …`.",
    ),
    tags(
        (name = "auth", description = "Accounts and logins"),
        (name = "api-keys", description = "Credentials for programs"),
        (name = "sessions", description = "WhatsApp numbers: pairing, lifecycle, events"),
        (name = "messages", description = "Sending, what became of it, and the history of chats"),
        (name = "tenant", description = "What a tenant sets for itself"),
        (name = "webhooks", description = "Events sent to addresses of yours, and what became of each"),
    ),
    modifiers(&SecurityAddon, &ErrorSchemas),
)]
struct Document;

/// The document before anything is registered.
pub(crate) fn base() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::with_openapi(Document::openapi())
}

/// `/openapi.json`, and Swagger UI at `/docs`.
pub(crate) fn router(document: utoipa::openapi::OpenApi) -> Router {
    let config = Config::from("/openapi.json")
        .persist_authorization(true)
        .try_it_out_enabled(true);
    SwaggerUi::new("/docs")
        .url("/openapi.json", document)
        .config(config)
        .into()
}
