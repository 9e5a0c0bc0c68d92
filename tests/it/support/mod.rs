//! A whole server for each test: database, engine and callers of its own.

mod app;
mod form;
mod receiver;
pub(crate) mod samples;
mod sessions;
mod shelf;
mod wire;

pub(crate) use app::TestApp;
pub(crate) use form::Form;
pub(crate) use mf_test_support::{Answer, Client, Event, EventStream, soon};
pub(crate) use receiver::{Arrival, Receiver, Told};
pub(crate) use sessions::Session;
pub(crate) use shelf::Shelf;
pub(crate) use wire::Wire;
