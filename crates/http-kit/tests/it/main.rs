//! The dialect of the API, byte for byte, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod app;
mod bodies;
mod connections;
mod errors;
mod log;
mod openapi;
mod parameters;
mod requests;
mod schemas;
