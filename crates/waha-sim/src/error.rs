//! WAHA's refusals, each in the shape WAHA gives it.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::config::Dialect;
use crate::session::Status;

/// Why a request was refused.
#[derive(Debug, Clone)]
pub(crate) enum ApiError {
    Unauthorized,
    /// The body or query breaks the declared rules.
    Invalid(Vec<String>),
    /// The body is not JSON.
    Malformed(String),
    NotFound(String),
    Unprocessable(String),
    /// The session is not in the status the call needs.
    WrongStatus {
        session: String,
        status: Status,
        expected: Status,
    },
    /// A call other than the sessions' own named an unknown session.
    NoSuchSession(String),
    /// The engine lacks the method.
    NotImplemented(Dialect),
    /// WAHA has the method and the simulator does not imitate it.
    NotImitated(String),
    /// Whatever the engine throws.
    Engine(EngineError),
}

/// An exception out of the engine; the gate completes it with the request it was thrown for.
#[derive(Debug, Clone)]
pub(crate) struct EngineError {
    pub(crate) name: &'static str,
    pub(crate) message: String,
    /// gRPC's own fields, on GOWS.
    pub(crate) extra: Option<Value>,
}

impl ApiError {
    pub(crate) fn engine(name: &'static str, message: impl Into<String>) -> Self {
        Self::Engine(EngineError {
            name,
            message: message.into(),
            extra: None,
        })
    }

    /// GOWS' engine is another process; its errors arrive as gRPC's.
    pub(crate) fn grpc(details: impl Into<String>) -> Self {
        let details = details.into();
        Self::Engine(EngineError {
            name: "Error",
            message: format!("2 UNKNOWN: {details}"),
            extra: Some(json!({"code": 2, "details": details, "metadata": {}})),
        })
    }

    /// What JavaScript says of a method called on a missing field.
    pub(crate) fn undefined(method: &str) -> Self {
        let message = format!("Cannot read properties of undefined (reading '{method}')");
        Self::engine("TypeError", message)
    }
}

fn nest(status: StatusCode, message: impl Into<Value>, error: &str) -> Response {
    let message: Value = message.into();
    let body = json!({"statusCode": status.as_u16(), "message": message, "error": error});
    (status, Json(body)).into_response()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthorized => {
                let body = json!({"message": "Unauthorized", "statusCode": 401});
                (StatusCode::UNAUTHORIZED, Json(body)).into_response()
            }
            Self::Invalid(messages) => nest(StatusCode::BAD_REQUEST, messages, "Bad Request"),
            Self::Malformed(message) => nest(StatusCode::BAD_REQUEST, message, "Bad Request"),
            Self::NotFound(message) => nest(StatusCode::NOT_FOUND, message, "Not Found"),
            Self::Unprocessable(message) => nest(
                StatusCode::UNPROCESSABLE_ENTITY,
                message,
                "Unprocessable Entity",
            ),
            Self::WrongStatus {
                session,
                status,
                expected,
            } => {
                let body = json!({
                    "error": "Session status is not as expected. \
                              Try again later or restart the session",
                    "session": session,
                    "status": status,
                    "expected": [expected],
                });
                (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
            }
            Self::NoSuchSession(session) => {
                let error = format!("Session \"{session}\" does not exist");
                let body = json!({"error": error, "session": session});
                (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
            }
            Self::NotImplemented(engine) => {
                let message = format!(
                    "The method is not implemented by '{engine}' engine. \
                     Check the docs and try another engine: https://waha.devlike.pro/"
                );
                nest(StatusCode::NOT_IMPLEMENTED, message, "Not Implemented")
            }
            Self::NotImitated(route) => {
                let message = format!("waha-sim does not imitate {route}");
                nest(StatusCode::NOT_IMPLEMENTED, message, "Not Implemented")
            }
            Self::Engine(error) => {
                let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
                response.extensions_mut().insert(error);
                response
            }
        }
    }
}

/// 2xx with nothing in it and no content type: how a handler without a result answers.
pub(crate) fn nothing(status: StatusCode) -> Response {
    status.into_response()
}
