//! The binary's parts: configuration, wiring, first start, command line.
//!
//! A library, so that tests start exactly what production starts.

mod banner;
pub mod cli;
mod commands;
mod config;
mod database;
mod engine;
mod first_start;
mod logging;
mod outside;
mod secrets;
mod server;

pub use commands::env_example;
pub use config::{Config, ConfigFaults, LogFormat, SETTINGS, Setting};
pub use server::{Role, Server, StartError};

/// Makes the process's TLS use ring. Every client that is built afterwards does.
pub fn install_crypto() {
    // A second installation is refused, and is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
