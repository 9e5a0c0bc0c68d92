//! Credentials for programs.

mod crud;
mod dto;

use std::sync::Arc;

use mf_services::Services;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::new()
        .routes(routes!(crud::list_api_keys, crud::create_api_key))
        .routes(routes!(crud::get_api_key, crud::delete_api_key))
        .routes(routes!(crud::rotate_api_key))
}
