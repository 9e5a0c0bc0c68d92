//! The HTTP surface: WAHA's routes, and the remote control below `/sim`.

mod auth;
mod chats;
mod chatting;
mod contacts;
mod extract;
mod gaps;
mod gate;
mod remote;
mod server;
mod sessions;
mod wire;

use axum::Router;
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
        .merge(chats::routes())
        .merge(contacts::routes())
        .merge(remote::routes())
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(middleware::from_fn_with_state(sim.clone(), gate::gate))
        .with_state(sim)
}

/// A route WAHA has and this does not, or one nobody has.
async fn unknown(
    axum::extract::State(sim): axum::extract::State<Sim>,
    method: Method,
    uri: Uri,
) -> ApiError {
    gaps::refusal(sim.world.config.engine, &method, uri.path()).unwrap_or_else(|| {
        let path = uri
            .path_and_query()
            .map_or("/", axum::http::uri::PathAndQuery::as_str);
        ApiError::NotFound(format!("Cannot {method} {path}"))
    })
}
