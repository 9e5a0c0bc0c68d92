//! What a tenant sets for itself.

mod dto;
mod settings;

use std::sync::Arc;

use mf_services::Services;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::new().routes(routes!(
        settings::get_tenant_settings,
        settings::update_tenant_settings
    ))
}
