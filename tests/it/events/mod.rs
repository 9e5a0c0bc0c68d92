//! The stream of a session's events.

mod resume;
mod stream;
