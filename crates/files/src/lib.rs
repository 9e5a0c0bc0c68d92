//! Where media is kept, and what kind of thing it is by its bytes.
//!
//! A file has a [`Key`] of two UUIDs and no other name, so that nothing that somebody typed ever
//! becomes a path. It is there as a whole or not at all. What it is called, and by whom, is in the
//! database; what it is, [`sniff`] says from its first bytes, since a name and a header say what
//! their sender wants.

mod error;
mod files;
mod key;
mod put;
mod sniff;

pub use error::{FilesError, PutError};
pub use files::{Contents, Files, Opened, S3Config};
pub use key::Key;
pub use put::{HEAD, Stored};
pub use sniff::{Kind, Sniffed, sniff};
