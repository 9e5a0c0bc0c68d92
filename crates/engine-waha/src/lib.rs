//! The engine trait over WAHA's HTTP interface.
//!
//! Everything that differs between WAHA's own engines and versions is known here and nowhere
//! else: which calls exist, how ids and answers look, what its errors mean.

mod callback;
mod client;
mod config;
mod dialect;
mod endpoint;
mod failure;
mod ids;
mod json;
mod messages;
mod sessions;
mod waha;

pub use config::{WahaConfig, WahaError};
pub use waha::Waha;
