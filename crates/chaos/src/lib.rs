//! Breaks the real server on purpose, and counts what is lost.
//!
//! A [`Lab`] knows which program is under test. A [`Rig`] is that program as a child process,
//! between a PostgreSQL that can be killed, an engine that is ours (`waha-sim`, and a [`Poster`]
//! that reports as the engine does, quicker), and a [`Receiver`] of webhooks that misbehaves when
//! told to. Each of [`injections`] breaks one thing, and says in one line what came of it.

mod accounts;
mod api;
mod clock;
mod database;
mod free_port;
mod gate;
pub mod injections;
mod lab;
mod machine;
mod outcome;
mod poster;
mod process;
mod receiver;
mod rig;
mod server;
mod stream;
mod wait;
mod webhooks;

pub use accounts::{Tally, percentile};
pub use api::{Api, Reply};
pub use clock::unix_seconds;
pub use database::{Database, Source};
pub use free_port::free_port;
pub use gate::{Held, PostgresGate};
pub use lab::Lab;
pub use machine::Machine;
pub use outcome::{Form, Outcome, seconds, table};
pub use poster::{Ledger, Posted, Poster, Posting};
pub use process::{descendants, is_alive, resident_bytes};
pub use receiver::{Arrival, Behaviour, Receiver};
pub use rig::{Plan, Rig, Session};
pub use server::{Server, Setup};
pub use stream::Follower;
pub use wait::until;
pub use webhooks::Webhook;
