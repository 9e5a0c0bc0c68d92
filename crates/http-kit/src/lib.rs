//! What every handler stands on: error bodies, extractors, pagination, layers, OpenAPI base.
//!
//! A handler takes [`Body`], [`OptionalBody`], [`Query`], [`Path`] or [`RawBody`] and answers
//! [`ApiResult`]. Each of them refuses with an [`ApiError`], so nothing answers plain text.
//! The limits of a field are stated once, in its `#[schema(…)]` or `#[param(…)]`, and are
//! thereby both documented and enforced; what a schema cannot say is said in
//! [`Input::check`]. [`harden`] puts the finished router behind everything that holds for
//! every request.

pub mod caller;
mod error;
mod extract;
mod failure;
mod layers;
pub mod openapi;
mod page;
mod reply;
mod request_id;
mod serve;
mod validation;

pub use caller::{Caller, StreamCaller};
pub use error::{ApiError, ApiResult};
pub use extract::{
    Body, OptionalBody, Path, PathParam, PathParams, Query, RawBody, Upload, UploadPlace,
    UploadedFile,
};
pub use layers::{Cors, HttpSettings, harden};
pub use page::Page;
pub use reply::Reply;
pub use request_id::RequestId;
pub use serve::{ClientLimits, serve};
pub use validation::{Fault, Faults, Input, IntoLoc, Place, Segment};
