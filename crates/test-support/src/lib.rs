//! What tests stand on: a database of their own, and HTTP clients that say what they got.
//!
//! Everything here panics when something is not as it should be, with the request and the
//! answer in the message: that is how a test fails.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is test code: a panic is a test's way to fail"
)]

mod answer;
mod client;
mod database;
mod sse;

use std::{future::Future, panic::Location, time::Duration};

pub use answer::Answer;
pub use client::{Call, Client, Credential, http};
pub use database::{TestDatabase, superuser_url};
pub use sse::{Event, EventStream, EventText};

/// Longer than anything takes on a busy machine: what is not there by then never comes.
const SOON: Duration = Duration::from_secs(20);

/// What the future gives, soon. Nothing a test waits for takes long; what does is stuck.
#[track_caller]
pub fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let place = Location::caller();
    async move {
        let output = tokio::time::timeout(SOON, future).await;
        output.unwrap_or_else(|_| panic!("what {place} waits for did not happen in {SOON:?}"))
    }
}
