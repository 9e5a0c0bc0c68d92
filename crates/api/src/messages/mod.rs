//! Sending, and what became of it.

mod dto;
mod read;
mod send;

use std::sync::Arc;

use mf_services::Services;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::new()
        .routes(routes!(send::send_message))
        .routes(routes!(read::get_message))
}
