//! Sending, and what became of it.

mod acts;
mod arriving;
mod dialects;
mod history;
mod incoming_kinds;
mod kinds;
mod media_reading;
mod missed;
mod outbox;
mod outcomes;
mod people;
mod refused;
mod send;
mod sending_media;
mod status;
mod taken_back;
