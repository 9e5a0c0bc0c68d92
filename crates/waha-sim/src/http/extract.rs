//! Request bodies and queries, read the way Express reads them.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Query, Request};
use axum::http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::error::ApiError;

/// A JSON body; without one, or with another content type, an empty object.
pub(crate) struct Body(pub(crate) Value);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let is_json = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/json"));
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| ApiError::Malformed(error.to_string()))?;
        if !is_json || bytes.is_empty() {
            return Ok(Self(json!({})));
        }
        match serde_json::from_slice(&bytes) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => Ok(Self(value)),
            Ok(_) => Err(ApiError::Malformed(
                "Unexpected token in JSON at position 0".to_owned(),
            )),
            Err(error) => Err(ApiError::Malformed(format!(
                "Unexpected token in JSON: {error}"
            ))),
        }
    }
}

/// Query parameters; of repeated ones the last.
pub(crate) type Params = Query<HashMap<String, String>>;

pub(crate) fn truthy(params: &Params, name: &str) -> bool {
    params
        .get(name)
        .is_some_and(|value| matches!(value.as_str(), "true" | "1"))
}

/// A number of the query. Leaves a complaint when it is none.
pub(crate) fn number(params: &Params, name: &str, broken: &mut Vec<String>) -> Option<i64> {
    let given = params.get(name)?;
    let parsed = given.parse().ok();
    if parsed.is_none() {
        broken.push(format!(
            "{name} must be a number conforming to the specified constraints"
        ));
    }
    parsed
}
