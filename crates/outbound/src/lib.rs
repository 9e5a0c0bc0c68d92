//! HTTP to addresses that tenants name, without reaching the operator's network.
//!
//! A tenant who may name an address may try to make the server talk to what only the server can
//! reach: its own ports, the database, the cloud's metadata service. So an address is judged
//! twice. [`Outbound::check_url`] judges what is written; the resolver inside the client judges
//! every answer when a connection is made, so that the address judged is the address dialled and a
//! name cannot change its answer in between. Nothing else in the workspace may dial what a tenant
//! named.

mod address;
mod fetch;
mod filename;
mod outbound;
mod policy;
mod port;
mod post;
mod refused;
mod resolver;
mod special;

pub use fetch::{Body, FetchError, Fetched, Limits};
pub use outbound::{BuildError, Outbound, Purpose};
pub use policy::Policy;
pub use post::{Answered, BadCertificate, Patience, Post, PostError};
pub use refused::Refused;
pub use resolver::{Lookup, SystemLookup};
