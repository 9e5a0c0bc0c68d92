use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::HeaderMap,
    routing::post,
};
use mf_domain::SessionId;
use mf_http_kit::{ApiResult, Path, RawBody, Reply};
use mf_services::Services;
use serde_json::{Value, json};

/// Payloads may carry thumbnails and whole message trees.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// Where the engine reports what happens. Not in the document: it is not for clients.
pub(crate) fn router() -> Router<Arc<Services>> {
    Router::new()
        .route("/engine/waha/{session_id}", post(take))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

async fn take(
    State(services): State<Arc<Services>>,
    Path(session): Path<SessionId>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> ApiResult<Reply<Value>> {
    let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    services.take_callback(session, &header, &body).await?;
    Ok(Reply(json!({"status": "ok"})))
}
