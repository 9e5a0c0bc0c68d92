//! The engine trait over WAHA's HTTP interface.
//!
//! Everything that differs between WAHA's own engines and versions is known here and nowhere
//! else: which calls exist, how ids and answers look, what its errors mean.

mod account;
mod callback;
mod channels;
mod chats;
mod client;
mod config;
mod contacts;
mod dialect;
mod endpoint;
mod failure;
mod groups;
mod ids;
mod json;
mod labels;
mod listing;
mod media;
mod messages;
mod sending;
mod sessions;
mod vcard;
mod waha;

pub use config::{WahaConfig, WahaError};
pub use waha::Waha;
