//! WhatsApp numbers: pairing, lifecycle, events.

mod crud;
mod dto;
mod events;
mod lifecycle;
mod pairing_code;
mod qr;
mod qr_image;
mod settings;

use std::sync::Arc;

use mf_http_kit::ApiError;
use mf_services::{Services, SessionRefused};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::new()
        .routes(routes!(crud::list_sessions, crud::create_session))
        .routes(routes!(crud::get_session, crud::delete_session))
        .routes(routes!(lifecycle::start_session))
        .routes(routes!(lifecycle::stop_session))
        .routes(routes!(lifecycle::restart_session))
        .routes(routes!(lifecycle::logout_session))
        .routes(routes!(qr::get_session_qr))
        .routes(routes!(pairing_code::create_session_pairing_code))
        .routes(routes!(events::stream_session_events))
        .routes(routes!(
            settings::get_session_settings,
            settings::update_session_settings
        ))
}

fn refused(refusal: SessionRefused) -> ApiError {
    match refusal {
        SessionRefused::NotFound => ApiError::not_found("Session"),
        SessionRefused::NoQrCode { .. } | SessionRefused::NoPairingCode { .. } => {
            ApiError::bad_request(refusal.to_string())
        }
        SessionRefused::Failed(error) => error.into(),
    }
}
