use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::TryStreamExt as _;
use mf_http_kit::{ApiError, ApiResult, Path};
use mf_services::{MediaUnavailable, Services};

/// Where the engine fetches the files that it is to send. Not in the document: it is not for
/// clients. Whoever knows the address may read what is behind it, so it stands in no log.
pub(crate) fn router() -> Router<Arc<Services>> {
    Router::new().route("/engine/media/{ticket}", get(read))
}

async fn read(
    State(services): State<Arc<Services>>,
    Path(ticket): Path<String>,
) -> ApiResult<Response> {
    let opened = services.open_for_engine(&ticket).await;
    let opened = opened.map_err(unavailable)?;
    let length = opened.range.end - opened.range.start;
    let body = opened.stream.inspect_err(|error| {
        tracing::warn!(error = %error, "a file broke off while the engine fetched it");
    });
    // The engine was told what it is. It goes out as it is, so that its length can be said.
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (
            header::CONTENT_ENCODING,
            HeaderValue::from_static("identity"),
        ),
        (header::CONTENT_LENGTH, HeaderValue::from(length)),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

fn unavailable(reason: MediaUnavailable) -> ApiError {
    match reason {
        MediaUnavailable::Store(error) => ApiError::internal(error),
        MediaUnavailable::Failed(error) => error.into(),
        _ => ApiError::not_found("Media"),
    }
}
