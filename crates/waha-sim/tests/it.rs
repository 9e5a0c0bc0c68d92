//! The simulator over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "it/callbacks.rs"]
mod callbacks;
#[path = "it/faults.rs"]
mod faults;
#[path = "it/lifecycle.rs"]
mod lifecycle;
#[path = "it/network.rs"]
mod network;
#[path = "it/pairing.rs"]
mod pairing;
#[path = "it/reading.rs"]
mod reading;
#[path = "it/refusals.rs"]
mod refusals;
#[path = "it/sending.rs"]
mod sending;
#[path = "it/state.rs"]
mod state;
#[path = "it/support.rs"]
mod support;
