//! The HTTP surface: WAHA's routes, and the remote control below `/sim`.

mod auth;
mod calls;
mod channels;
mod chats;
mod chatting;
mod contacts;
mod extract;
mod gaps;
mod gate;
mod group_settings;
mod groups;
mod history;
mod labels;
mod message_ops;
mod people;
mod profile;
mod remote;
mod remote_messages;
mod remote_world;
mod sending_files;
mod server;
mod sessions;
mod wire;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware;

use crate::error::ApiError;
use crate::sim::Sim;

pub(crate) use wire::serve;

/// All routes, behind the gate.
pub(crate) fn router(sim: Sim) -> Router {
    Router::new()
        .merge(server::routes())
        .merge(sessions::routes())
        .merge(auth::routes())
        .merge(chatting::routes())
        .merge(sending_files::routes())
        .merge(message_ops::routes())
        .merge(chats::routes())
        .merge(history::routes())
        .merge(contacts::routes())
        .merge(people::routes())
        .merge(profile::routes())
        .merge(groups::routes())
        .merge(group_settings::routes())
        .merge(labels::routes())
        .merge(channels::routes())
        .merge(calls::routes())
        .merge(remote::routes())
        .merge(remote_messages::routes())
        .merge(remote_world::routes())
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        // The gate has a limit of its own.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(sim.clone(), gate::gate))
        .with_state(sim)
}

/// A route WAHA has and this does not, or one nobody has.
async fn unknown(method: Method, uri: Uri) -> ApiError {
    gaps::refusal(&method, uri.path()).unwrap_or_else(|| {
        let path = uri
            .path_and_query()
            .map_or("/", axum::http::uri::PathAndQuery::as_str);
        ApiError::NotFound(format!("Cannot {method} {path}"))
    })
}
