//! A server that behaves like WAHA, for machines that cannot reach WhatsApp.
//!
//! It speaks WAHA's HTTP contract and sends WAHA's callbacks; behind it is a small pretended
//! WhatsApp in memory. It shares no types with the programs it is used to test, so that a
//! misunderstanding of the contract on their side does not cancel out here.
//!
//! [`Sim`] is both the server and its remote control: tests hold a clone and scan QR codes,
//! bring in messages and break things while the program under test talks HTTP to it.

mod callbacks;
mod config;
mod control;
mod error;
mod faults;
mod http;
mod ids;
mod lifecycle;
mod message;
mod persist;
mod record;
mod sending;
mod session;
mod sim;
mod validate;

pub use config::{Config, Dialect, UnknownDialect};
pub use control::{Inbound, Replay, SimError};
pub use faults::{Failure, Moment};
pub use record::{CallbackRecord, SentMessage};
pub use session::Status;
pub use sim::Sim;
