//! The guard from outside: what is dialled, and what is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fetch;
mod names;
mod policy;
mod support;
mod tricks;
