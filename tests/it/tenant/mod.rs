//! What a tenant sets for itself, and what that changes.

mod content;
mod settings;
