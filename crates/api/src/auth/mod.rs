//! Accounts and logins.

mod dto;
mod login;
mod me;

use std::sync::Arc;

use mf_services::Services;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::new()
        .routes(routes!(login::signup))
        .routes(routes!(login::login))
        .routes(routes!(login::refresh))
        .routes(routes!(login::logout))
        .routes(routes!(me::auth_me))
        .routes(routes!(me::users_me))
}
