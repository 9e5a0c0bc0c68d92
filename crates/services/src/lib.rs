//! Use cases: what the HTTP interface and background work do alike.
//!
//! One place sends messages, one takes in what the engine reports, one says whose a
//! credential is. Handlers parse and answer; jobs claim and repeat; what happens in between
//! is here.

mod accounts;
mod acts;
mod api_keys;
mod auth;
mod catch_up;
mod contacts;
mod content;
mod entropy;
mod error;
mod event_retention;
mod events;
mod first_run;
mod health;
mod hub;
mod inbound;
mod lanes;
mod media;
mod outbox;
mod password;
mod reconcile;
mod rejected;
mod retention;
mod send;
mod sessions;
mod settings;
mod shares;
mod token;
mod vault;
mod webhooks;
mod work;

use std::{sync::Arc, time::Duration};

use mf_domain::{Clock, Ids};
use mf_engine::Engine;
use mf_files::Files;
use mf_outbound::Outbound;
use mf_store::{Store, StoreResult};
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinSet,
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;
use uuid::Uuid;

pub use accounts::{Login, LoginRefused, NewAccount, Registered};
pub use acts::ActRefused;
pub use api_keys::{KeyRefused, KeyRequest, MintedKey};
pub use mf_engine::EngineError;

pub use content::{ContactExtra, Extra, LocationExtra, MediaRef, PollExtra};

pub use auth::{Actor, Auth, AuthError, Credential, Principal};
pub use entropy::OsEntropy;
pub use error::ServiceError;
pub use events::{Envelope, SessionStatusData};
pub use first_run::{FirstRun, FirstRunError};
pub use hub::{EventHub, Frame, Subscription, TooSlow};
pub use inbound::CallbackRefused;
pub use media::{MAX_MEDIA, MediaRefused, MediaUnavailable, OpenedMedia};
pub use password::{Passwords, WeakPassword};
pub use send::{Draft, MediaSource, Recipient, SendRefused, SendRequest};
pub use sessions::{QrCode, SessionRefused};
pub use settings::Settings;
pub use token::Tokens;
pub use vault::{Vault, VaultError};
pub use webhooks::{KeyedWebhook, TriedOut, WebhookChange, WebhookDraft, WebhookRefused};

/// Everything that a use case needs, made once at start and shared by all.
pub struct Services {
    /// The database.
    pub store: Store,
    /// The connection to WhatsApp.
    pub engine: Arc<dyn Engine>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Ids,
    /// Where media is kept.
    pub files: Files,
    /// The way to addresses that tenants name.
    pub outbound: Outbound,
    /// Who somebody is.
    pub auth: Auth,
    /// Hashing of passwords.
    pub passwords: Passwords,
    /// Sealing of what must be readable again.
    pub vault: Vault,
    /// What happens, as it happens.
    pub hub: EventHub,
    /// What the operator chose.
    pub settings: Settings,
    /// Work that goes on when its caller hangs up, and that shutdown waits for.
    pub tracker: TaskTracker,
    /// Cancelled when the server goes down: streams end, jobs finish what they hold.
    pub shutdown: CancellationToken,
    /// This process, as it signs the messages that it is about to send.
    instance: Uuid,
    lanes: lanes::Lanes,
    lifecycles: lanes::Lanes,
    /// What each tenant's reports may have under way in the database.
    reports: shares::Shares,
    /// What each tenant's webhooks may be tried out at a time.
    trials: shares::Shares,
    strays: reconcile::Strays,
    /// Rung when it is known what became of a file.
    media_settled: Notify,
    /// Places for those who wait for a file.
    media_waiters: Semaphore,
    /// Rung when a session came back, and may have missed something.
    catch_up_soon: Notify,
}

/// What use cases work with, made before them.
pub struct ServiceParts {
    /// The database.
    pub store: Store,
    /// The connection to WhatsApp.
    pub engine: Arc<dyn Engine>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Ids,
    /// Where media is kept.
    pub files: Files,
    /// The way to addresses that tenants name.
    pub outbound: Outbound,
    /// Sealing of what must be readable again.
    pub vault: Vault,
    /// Signing of access tokens.
    pub tokens: Tokens,
    /// What the operator chose.
    pub settings: Settings,
}

impl std::fmt::Debug for ServiceParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceParts")
    }
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Most requests at a time that wait for a file which is on its way.
const MEDIA_WAITERS: usize = 32;

/// How soon a reader that the database cut off tries again.
const REJOIN: Duration = Duration::from_millis(500);

impl Services {
    /// Keeps this process in step with the database and with the other processes on it: reads
    /// the event log for its streams, hears of changes to credentials, passes on which bells are
    /// rung, and shows that the process lives. Each begins anew when the database was away.
    ///
    /// Streams are fed until shutdown. The rest has no end but that of the future: requests and
    /// deliveries that are still under way need it, and what they hold is taken over by others
    /// the moment that this process no longer shows that it lives.
    pub async fn follow(&self) {
        let streams = persist("the event log cannot be read; trying again", || {
            let (hub, store) = (self.hub.clone(), self.store.clone());
            async move { hub.run(&store).await }
        });
        let peers = persist("other processes are not heard; trying again", || {
            let auth = self.auth.clone();
            async move { auth.listen().await }
        });
        tokio::join!(self.shutdown.run_until_cancelled(streams), peers);
    }

    /// Gets ready to serve: streams that are opened from now on miss nothing.
    pub async fn open(&self) -> StoreResult<()> {
        self.hub.open(&self.store).await
    }

    /// Puts the parts together. Nothing runs yet.
    pub fn new(parts: ServiceParts) -> Arc<Self> {
        let ServiceParts {
            store,
            engine,
            clock,
            ids,
            files,
            outbound,
            vault,
            tokens,
            settings,
        } = parts;
        Arc::new(Self {
            auth: Auth::new(store.clone(), tokens, Arc::clone(&clock)),
            passwords: Passwords::new(),
            hub: EventHub::default(),
            tracker: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            lanes: lanes::Lanes::default(),
            lifecycles: lanes::Lanes::default(),
            reports: shares::Shares::of(store.tenant_share()),
            trials: shares::Shares::of(webhooks::TRIALS),
            strays: reconcile::Strays::default(),
            instance: ids.mint(),
            media_settled: Notify::new(),
            media_waiters: Semaphore::new(MEDIA_WAITERS),
            catch_up_soon: Notify::new(),
            store,
            engine,
            clock,
            ids,
            files,
            outbound,
            vault,
            settings,
        })
    }
}

/// Does what should have no end, and does it again whatever ended it: the database, or a fault
/// of ours.
async fn persist<F>(complaint: &'static str, begin: impl Fn() -> F)
where
    F: Future<Output = StoreResult<()>> + Send + 'static,
{
    loop {
        // A task of its own: a panic ends that and nothing else.
        let mut turn = JoinSet::new();
        turn.spawn(begin());
        for ended in work::next(&mut turn).await {
            if let Err(error) = ended {
                warn!(error = %error, "{complaint}");
            }
        }
        sleep(REJOIN).await;
    }
}
