use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Write as _};

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mf_domain::Scope;
use serde_json::json;

use crate::{Faults, RequestId};

/// What a handler answers: its success, or one of the contract's error bodies.
pub type ApiResult<T> = Result<T, ApiError>;

/// An error as the client sees it, with what only the log may see beside it.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    detail: Detail,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Debug)]
enum Detail {
    /// `{"detail": "<sentence>"}`
    Sentence(Cow<'static, str>),
    /// FastAPI's list.
    Faults(Faults),
    /// `{"detail": "Internal Server Error", "request_id": "…"}`
    Hidden,
}

impl ApiError {
    /// An error of any status with a sentence for the client.
    pub fn new(status: StatusCode, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            detail: Detail::Sentence(sentence.into()),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// 400: the request cannot be understood, or does not fit the state of things.
    pub fn bad_request(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    /// 401: no credential was given, or not one of any known form.
    pub fn not_authenticated() -> Self {
        Self::unauthorized("Not authenticated")
    }

    /// 401: the API key is unknown, revoked or expired.
    pub fn invalid_api_key() -> Self {
        Self::unauthorized("Invalid API key")
    }

    /// 401: the access token is forged, damaged or expired.
    pub fn invalid_token() -> Self {
        Self::unauthorized("Invalid or expired token")
    }

    /// 401 with a sentence of its own, such as a failed login's.
    pub fn unauthorized(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, sentence)
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403: the key has not the scope that the operation needs.
    pub fn missing_scope(scope: Scope) -> Self {
        Self::forbidden(format!("Missing required scope: {scope}")).with_header(
            HeaderName::from_static("x-required-scopes"),
            HeaderValue::from_static(scope.as_str()),
        )
    }

    /// 403: the plan, the role or a setting forbids it.
    pub fn forbidden(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, sentence)
    }

    /// 404: `what` is not there, or not this tenant's. `not_found("Session")` says
    /// `Session not found`.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// 404: no such route.
    pub fn unknown_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    /// 405: the route exists, its method does not. The router adds `Allow`.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
    }

    /// 409: something like it exists already, or is under way.
    pub fn conflict(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, sentence)
    }

    /// 413: the body is larger than the server takes.
    pub fn too_large() -> Self {
        Self::too_large_because("The request body is too large")
    }

    /// 413: and it is not the body itself.
    pub fn too_large_because(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// 415: the body is said to be something else than JSON.
    pub fn unsupported_media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Unsupported Media Type: send application/json",
        )
    }

    /// 422: FastAPI's list of faults.
    pub fn invalid(faults: Faults) -> Self {
        Self {
            detail: Detail::Faults(faults),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "")
        }
    }

    /// 422 with a sentence, where no field is at fault.
    pub fn unprocessable(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, sentence)
    }

    /// 429: over the rate limit for `seconds` more.
    pub fn rate_limited(seconds: u64) -> Self {
        let sentence = format!("Rate limit exceeded. Try again in {seconds} seconds.");
        Self::new(StatusCode::TOO_MANY_REQUESTS, sentence).retry_after(seconds)
    }

    /// 502: the engine cannot be reached or answered rubbish.
    pub fn bad_gateway(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, sentence)
    }

    /// 503: something the server needs is away; worth another try after `seconds`.
    pub fn unavailable(sentence: impl Into<Cow<'static, str>>, seconds: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, sentence).retry_after(seconds)
    }

    /// 504: the engine, or the handler, took too long.
    pub fn gateway_timeout(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, sentence)
    }

    /// 500: the client learns nothing but the request's id, the log everything.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            detail: Detail::Hidden,
            cause: Some(cause.into()),
            ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "")
        }
    }

    /// The same error with what led to it, for the log only.
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same error with one more header.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    fn retry_after(self, seconds: u64) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Written once, here, where an error becomes an answer: nothing else logs it again.
    fn log(&self) {
        let status = self.status.as_u16();
        match &self.cause {
            Some(cause) if self.status == StatusCode::INTERNAL_SERVER_ERROR => {
                tracing::error!(status, error = %chain(cause.as_ref()), "request failed");
            }
            Some(cause) => {
                tracing::warn!(status, error = %chain(cause.as_ref()), "request failed: {self}");
            }
            None if self.status.is_server_error() => {
                tracing::warn!(status, "request failed: {self}");
            }
            None => tracing::debug!(status, "request refused: {self}"),
        }
    }
}

/// An error and everything under it, outermost first.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {source}");
        next = source.source();
    }
    text
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Detail::Sentence(sentence) => f.write_str(sentence),
            Detail::Faults(faults) => faults.fmt(f),
            Detail::Hidden => f.write_str("Internal Server Error"),
        }
    }
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause
            .as_deref()
            .map(|cause| cause as &(dyn Error + 'static))
    }
}

impl From<Faults> for ApiError {
    fn from(faults: Faults) -> Self {
        Self::invalid(faults)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let body = match self.detail {
            Detail::Sentence(sentence) => json!({ "detail": sentence }),
            Detail::Faults(faults) => json!({ "detail": faults.list() }),
            Detail::Hidden => match RequestId::current() {
                Some(id) => json!({ "detail": "Internal Server Error", "request_id": id.as_str() }),
                None => json!({ "detail": "Internal Server Error" }),
            },
        };
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}
