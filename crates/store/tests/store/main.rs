//! What the schema and the store promise, against a real PostgreSQL, as a login that row
//! security stops.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "these are tests: a panic is a test's way to fail"
)]

mod catalogue;
mod events;
mod messages;
mod migrations;
mod outbox;
mod sessions;
mod support;
mod tenancy;
