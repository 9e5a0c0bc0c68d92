//! All SQL of the server: transactions, row security, the event log, the outbox.
//!
//! Data is reached through a transaction that knows whose it is: [`TenantTx`] for one tenant,
//! opened with a [`Tenant`] that only this crate can make; [`SystemTx`] for the few jobs that
//! cross tenants, opened with the reason why. Nobody outside sees the pool.
//!
//! Times in the queue's rows are the database's, so that replicas need not agree on theirs.

mod alive;
mod api_key;
mod callback;
mod chat;
mod contact;
mod delivery;
mod error;
mod event;
mod event_place;
mod event_retention;
mod like;
mod lock;
mod media;
mod media_upload;
mod media_work;
mod message;
mod migrate;
mod outbox;
mod outbox_cancel;
mod patience;
mod peers;
mod pool;
mod refresh_token;
mod retention;
mod session;
mod tenant;
mod tx;
mod user;
mod voice;
mod wa_label;
mod wake;
mod webhook;
mod word;

pub use api_key::{ApiKey, KeyOwner, NewApiKey};
pub use callback::{NewRejected, RejectedCallback};
pub use chat::{ChatPeer, ChatRef, ChatRow};
pub use contact::{KnownAs, Learned, UnresolvedContact};
pub use delivery::{
    ClaimedDelivery, Delivery, DeliveryAttempt, DeliveryCounts, DeliveryFilter, DeliveryRoom,
    Hopeless, QueueDepth, ReplayRange, Replayed, SettledDelivery,
};
pub use error::StoreError;
pub use event::{EventPosition, LogPage, LogView, LoggedEvent, NewEvent};
pub use media::{Media, MediaOrigin, NewMedia};
pub use media_work::ClaimedMedia;
pub use message::{Advance, Cursor, Message, NewInbound, NewOutbound, PageSpec, Stored, Target};
pub use migrate::{MIGRATOR, MigrateError, ROLES_SQL};
pub use outbox::{Claim, ClaimedMessage, Outcome};
pub use peers::Peers;
pub use pool::{PoolOptions, Store};
pub use refresh_token::{NewRefreshToken, RefreshToken};
pub use session::{NewSession, ReportedStatus, Session, SessionOwner, StatusChange};
pub use tenant::{NewTenant, SettingsPatch, Tenant, TenantInfo, TenantSettings};
pub use tx::{SystemTx, TenantTx};
pub use user::{NewUser, User};
pub use voice::Vote;
pub use wa_label::WaLabel;
pub use wake::Wake;
pub use webhook::{NewWebhook, Webhook, WebhookPatch};

/// What every call here answers.
pub type StoreResult<T> = Result<T, StoreError>;
