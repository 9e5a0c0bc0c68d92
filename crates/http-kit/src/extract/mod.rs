//! The ways into a handler. axum's own refuse in plain text; these refuse in the contract's.

mod body;
mod path;
mod query;
mod room;
mod upload;

pub use body::{Body, OptionalBody, RawBody};
pub use path::{Path, PathParam, PathParams};
pub use query::Query;
pub use upload::{Upload, UploadPlace, UploadedFile};
