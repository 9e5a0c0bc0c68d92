//! What the schema and the store promise, against a real PostgreSQL, as a login that row
//! security stops.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "these are tests: a panic is a test's way to fail"
)]

mod catalogue;
mod deliveries;
mod deliveries_breaker;
mod deliveries_cost;
mod deliveries_fair;
mod deliveries_race;
mod deliveries_replay;
mod dice;
mod event_days;
mod events;
mod health;
mod history;
mod marks;
mod media;
mod messages;
mod migrations;
mod order;
mod outbox;
mod peers;
mod people;
mod queue;
mod rejected;
mod retention;
mod sessions;
mod settings;
mod support;
mod tenancy;
mod upgrade;
mod vanish;
mod webhooks;
