//! The simulator over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "it/away.rs"]
mod away;
#[path = "it/callbacks.rs"]
mod callbacks;
#[path = "it/channels.rs"]
mod channels;
#[path = "it/faults.rs"]
mod faults;
#[path = "it/groups.rs"]
mod groups;
#[path = "it/kinds.rs"]
mod kinds;
#[path = "it/labels.rs"]
mod labels;
#[path = "it/lifecycle.rs"]
mod lifecycle;
#[path = "it/media.rs"]
mod media;
#[path = "it/message_faults.rs"]
mod message_faults;
#[path = "it/message_ops.rs"]
mod message_ops;
#[path = "it/network.rs"]
mod network;
#[path = "it/pairing.rs"]
mod pairing;
#[path = "it/people.rs"]
mod people;
#[path = "it/reading.rs"]
mod reading;
#[path = "it/refusals.rs"]
mod refusals;
#[path = "it/seed.rs"]
mod seed;
#[path = "it/sending.rs"]
mod sending;
#[path = "it/state.rs"]
mod state;
#[path = "it/support.rs"]
mod support;
