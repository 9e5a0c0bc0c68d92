use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A JSON answer.
///
/// Answers only: axum's `Json` is an extractor too, and one that refuses in plain text.
#[derive(Debug, Clone, Copy)]
pub struct Reply<T>(pub T);

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}
