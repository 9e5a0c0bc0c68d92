use std::any::Any;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::ApiError;

/// A handler past its time is dropped and answered for.
pub(super) async fn time_out(
    State(limit): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::gateway_timeout("The request took too long").into_response(),
    }
}

/// A panic is a 500 to its client and to nobody else.
#[allow(clippy::needless_pass_by_value)] // The signature is tower-http's.
pub(super) fn answer_panic(panic: Box<dyn Any + Send>) -> Response {
    let words = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message");
    ApiError::internal(format!("the handler panicked: {words}")).into_response()
}

/// A refusal of a library, in plain text or without a body, becomes one of ours: a client
/// that reads `detail` finds it in every error.
pub(super) async fn no_plain_text(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain")) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let error = if status.as_u16() == 500 {
        ApiError::internal("a library refused the request in plain text")
    } else {
        ApiError::new(status, status.canonical_reason().unwrap_or("Error"))
    };
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        parts.headers.remove(name);
    }
    let mut ours = error.into_response();
    ours.headers_mut().extend(parts.headers);
    ours
}
