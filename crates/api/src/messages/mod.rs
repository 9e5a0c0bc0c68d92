//! Sending, what became of it, and the history of chats.

mod access;
mod acts;
mod dto;
mod file_headers;
mod form_dto;
mod history;
mod history_dto;
mod kinds_dto;
mod media;
mod media_dto;
mod parts_dto;
mod read;
mod send;
mod target;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use mf_services::{MAX_MEDIA, Services};
use utoipa_axum::{router::OpenApiRouter, routes};

/// What a file in base64 takes, and the fields around it.
#[allow(
    clippy::cast_possible_truncation,
    reason = "it is a constant, and small"
)]
const FILE_LIMIT: usize = (MAX_MEDIA as usize).div_ceil(3) * 4 + 1024 * 1024;

pub(crate) fn router() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::new()
        .routes(routes!(send::send_poll))
        .routes(routes!(send::send_location))
        .routes(routes!(send::send_contact))
        .routes(routes!(acts::send_reaction))
        .routes(routes!(read::get_message, acts::unsend_message))
        .routes(routes!(acts::edit_message))
        .routes(routes!(acts::star_message))
        .routes(routes!(history::list_chats))
        .routes(routes!(history::list_session_chats))
        .routes(routes!(history::list_chat_messages))
        .routes(routes!(acts::mark_chat_read))
        .routes(routes!(acts::show_typing))
        .routes(routes!(media::get_media))
        .merge(with_files())
}

/// Those that take files, and so larger bodies than the others.
fn with_files() -> OpenApiRouter<Arc<Services>> {
    OpenApiRouter::new()
        .routes(routes!(send::send_message))
        .routes(routes!(send::send_sticker))
        .routes(routes!(send::send_gif))
        .routes(routes!(send::send_voice))
        .route_layer(DefaultBodyLimit::max(FILE_LIMIT))
}
