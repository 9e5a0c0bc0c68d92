//! The guard from outside: what is dialled, and what is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod endpoint;
mod fetch;
mod names;
mod policy;
mod post;
mod support;
mod tricks;
