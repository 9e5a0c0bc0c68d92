//! All SQL of the server: transactions, row security, the event log, the outbox.
//!
//! Data is reached through a transaction that knows whose it is: [`TenantTx`] for one tenant,
//! opened with a [`Tenant`] that only this crate can make; [`SystemTx`] for the few jobs that
//! cross tenants, opened with the reason why. Nobody outside sees the pool.
//!
//! Times in the queue's rows are the database's, so that replicas need not agree on theirs.

mod api_key;
mod callback;
mod chat;
mod credential_watch;
mod error;
mod event;
mod message;
mod migrate;
mod outbox;
mod pool;
mod refresh_token;
mod session;
mod tenant;
mod tx;
mod user;
mod wake;
mod word;

pub use api_key::{ApiKey, KeyOwner, NewApiKey};
pub use callback::NewRejected;
pub use chat::ChatPeer;
pub use credential_watch::CredentialWatch;
pub use error::StoreError;
pub use event::{EventPosition, LogView, LoggedEvent, NewEvent};
pub use message::{Advance, Message, NewInbound, NewOutbound, Stored};
pub use migrate::{MIGRATOR, MigrateError, ROLES_SQL};
pub use outbox::{Claim, ClaimedMessage, Outcome};
pub use pool::{PoolOptions, Store};
pub use refresh_token::{NewRefreshToken, RefreshToken};
pub use session::{NewSession, ReportedStatus, Session, SessionOwner, StatusChange};
pub use tenant::{NewTenant, Tenant, TenantInfo};
pub use tx::{SystemTx, TenantTx};
pub use user::{NewUser, User};
pub use wake::Wake;

/// What every call here answers.
pub type StoreResult<T> = Result<T, StoreError>;
