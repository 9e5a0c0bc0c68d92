//! Sending, and what became of it.

mod arriving;
mod dialects;
mod outbox;
mod outcomes;
mod refused;
mod send;
mod status;
