//! WhatsApp numbers: pairing, lifecycle, settings.

mod crud;
mod failure;
mod health;
mod lifecycle;
mod pairing_code;
mod qr;
mod recovery;
mod settings;

use crate::support::Event;

/// What was told, without repeats.
fn steps(events: &[Event]) -> Vec<String> {
    let mut steps: Vec<String> = events
        .iter()
        .map(|event| format!("{} {}", event.name, event.status()))
        .collect();
    steps.dedup();
    steps
}
