use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde_json::Value;
use utoipa::ToSchema;

use crate::validation::{self, Input, words};
use crate::{ApiError, Faults, Place};

/// A JSON body, held against its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body<T>(pub T);

/// A JSON body that may be left out: then the type's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionalBody<T>(pub T);

/// The bytes of a body as they came, for signatures and other formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBody(pub Bytes);

impl<T: Input + ToSchema, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match json(request, state).await? {
            Some(value) => read(value).map(Self),
            None => Err(Faults::body((), words::missing()).into()),
        }
    }
}

impl<T: Input + ToSchema + Default, S: Send + Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match json(request, state).await? {
            Some(Value::Null) | None => Ok(Self(T::default())),
            Some(value) => read(value).map(Self),
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        bytes(request, state).await.map(Self)
    }
}

fn read<T: Input + ToSchema>(value: Value) -> Result<T, ApiError> {
    validation::read(&validation::of_body::<T>(), Place::Body, value).map_err(ApiError::invalid)
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                ApiError::too_large()
            }
            other => ApiError::bad_request("The request body could not be read").because(other),
        })
}

/// The body as JSON, or nothing when there is none.
async fn json<S: Send + Sync>(request: Request, state: &S) -> Result<Option<Value>, ApiError> {
    let kind = Kind::of(request.headers());
    let bytes = bytes(request, state).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    if kind == Kind::Other {
        return Err(ApiError::unsupported_media_type());
    }
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(_) if kind == Kind::Form && !is_meant_as_json(&bytes) => {
            Err(ApiError::unsupported_media_type())
        }
        Err(_) if std::str::from_utf8(&bytes).is_err() => {
            Err(ApiError::bad_request("The request body is not valid UTF-8"))
        }
        Err(error) => Err(ApiError::bad_request(format!(
            "Malformed JSON at line {}, column {}",
            error.line(),
            error.column()
        ))),
    }
}

/// Whether a body begins as JSON does, if not rightly: no form does.
fn is_meant_as_json(bytes: &[u8]) -> bool {
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// What the sender calls the body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// JSON, or nothing said.
    Json,
    /// What `curl -d` says of everything it sends: believed only where it is true.
    Form,
    Other,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(header::CONTENT_TYPE) else {
            return Self::Json;
        };
        let text = value.to_str().unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "" | "application/json" | "text/json" => Self::Json,
            "application/x-www-form-urlencoded" => Self::Form,
            other if other.starts_with("application/") && other.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }
}
