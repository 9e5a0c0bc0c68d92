//! Black-box tests over HTTP: the real server, one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    reason = "these are tests: a panic is a test's way to fail"
)]

mod support;

mod api_keys;
mod auth;
mod binary;
mod callbacks;
mod chaos;
mod docs;
mod errors;
mod events;
mod health;
mod isolation;
mod messages;
mod sessions;
mod tenant;
mod webhooks;
