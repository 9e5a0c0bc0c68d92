use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use mf_domain::{ApiKeyId, Clock, RefreshFamilyId, Role, ScopeSet, UserId};
use mf_store::{Store, StoreError, StoreResult, Tenant};
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::Tokens;

/// How long a look-up is believed, at most. Changes are told at once; this is for the case
/// that nobody tells.
const BELIEVED: Duration = Duration::from_secs(30);

/// What somebody shows to be let in.
#[derive(Clone)]
pub enum Credential {
    /// The content of `X-API-Key`.
    ApiKey(String),
    /// The content of `Authorization: Bearer`: an access token, or an API key.
    Bearer(String),
}

/// Nothing of it: it is a secret.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ApiKey(_) => "ApiKey(…)",
            Self::Bearer(_) => "Bearer(…)",
        })
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Somebody who logged in.
    User {
        /// Who.
        id: UserId,
        /// What they are in their tenant.
        role: Role,
        /// In which login.
        family: RefreshFamilyId,
    },
    /// A program.
    ApiKey {
        /// Which key.
        id: ApiKeyId,
    },
}

/// Somebody who was let in, and how far.
#[derive(Debug, Clone, Copy)]
pub struct Principal {
    /// Whose data they may reach.
    pub tenant: Tenant,
    /// Who they are.
    pub actor: Actor,
    /// What they may do.
    pub scopes: ScopeSet,
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No such key, or one that has ended or was switched off.
    #[error("Invalid API key")]
    InvalidApiKey,
    /// No such token, or one that has ended, or whose user is suspended.
    #[error("Invalid or expired token")]
    InvalidToken,
    /// It cannot be known at present.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, Clone, Copy)]
struct CachedKey {
    id: ApiKeyId,
    tenant: Tenant,
    scopes: ScopeSet,
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy)]
struct CachedUser {
    tenant: Tenant,
    role: Role,
}

struct Inner {
    store: Store,
    tokens: Tokens,
    clock: Arc<dyn Clock>,
    keys: Cache<[u8; 32], CachedKey>,
    users: Cache<UserId, CachedUser>,
    /// Counts changes, so that a look-up that began before one is not kept after it.
    generation: AtomicU64,
    /// Whether changes made elsewhere are heard of at present. If not, nothing is kept.
    listening: AtomicBool,
    /// Keys used since they were last written down.
    used: Mutex<HashSet<ApiKeyId>>,
}

/// Somebody hears of changes made elsewhere.
struct Listening<'a>(&'a Auth);

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.0.listening.store(false, Ordering::SeqCst);
        self.0.forget_all();
    }
}

/// Says who somebody is. Look-ups are kept in memory and forgotten on any change.
#[derive(Clone)]
pub struct Auth(Arc<Inner>);

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Auth")
    }
}

impl Auth {
    pub(crate) fn new(store: Store, tokens: Tokens, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            store,
            tokens,
            clock,
            keys: Cache::builder()
                .max_capacity(100_000)
                .time_to_live(BELIEVED)
                .build(),
            users: Cache::builder()
                .max_capacity(100_000)
                .time_to_live(BELIEVED)
                .build(),
            generation: AtomicU64::new(0),
            listening: AtomicBool::new(false),
            used: Mutex::new(HashSet::new()),
        }))
    }

    /// Signs access tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// Grows with every change to a credential, anybody's: whoever was let in before one may
    /// have to be asked again.
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::SeqCst)
    }

    /// Who shows this credential.
    pub async fn authenticate(&self, credential: &Credential) -> Result<Principal, AuthError> {
        match credential {
            Credential::ApiKey(key) => self.by_key(key).await,
            Credential::Bearer(token) if token.starts_with("mf_") => self.by_key(token).await,
            Credential::Bearer(token) => self.by_token(token).await,
        }
    }

    /// Who shows this access token; API keys do not count.
    pub async fn by_token(&self, token: &str) -> Result<Principal, AuthError> {
        let token = self.0.tokens.verify(token).ok_or(AuthError::InvalidToken)?;
        let user = match self.0.users.get(&token.user) {
            Some(user) => user,
            None => self
                .look_up_user(token.user)
                .await?
                .ok_or(AuthError::InvalidToken)?,
        };
        Ok(Principal {
            tenant: user.tenant,
            actor: Actor::User {
                id: token.user,
                role: user.role,
                family: token.family,
            },
            scopes: user.role.scopes(),
        })
    }

    async fn by_key(&self, key: &str) -> Result<Principal, AuthError> {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let owner = match self.0.keys.get(&hash) {
            Some(owner) => owner,
            None => self
                .look_up_key(hash)
                .await?
                .ok_or(AuthError::InvalidApiKey)?,
        };
        if owner
            .expires_at
            .is_some_and(|end| end <= self.0.clock.now())
        {
            return Err(AuthError::InvalidApiKey);
        }
        if let Ok(mut used) = self.0.used.lock() {
            used.insert(owner.id);
        }
        Ok(Principal {
            tenant: owner.tenant,
            actor: Actor::ApiKey { id: owner.id },
            scopes: owner.scopes,
        })
    }

    async fn look_up_key(&self, hash: [u8; 32]) -> StoreResult<Option<CachedKey>> {
        let generation = self.0.generation.load(Ordering::SeqCst);
        let mut tx = self
            .0
            .store
            .system("an API key does not say whose it is")
            .await?;
        let found = tx.key_owner(&hash).await?;
        tx.commit().await?;
        let Some(found) = found.filter(|found| found.is_active) else {
            return Ok(None);
        };
        let key = CachedKey {
            id: found.id,
            tenant: found.tenant,
            // Scopes were checked when they were written; unknown ones grant nothing.
            scopes: ScopeSet::parse(&found.scopes).unwrap_or_default(),
            expires_at: found.expires_at,
        };
        self.keep(generation, || self.0.keys.insert(hash, key));
        Ok(Some(key))
    }

    async fn look_up_user(&self, id: UserId) -> StoreResult<Option<CachedUser>> {
        let generation = self.0.generation.load(Ordering::SeqCst);
        let mut tx = self
            .0
            .store
            .system("a token is checked before its tenant is believed")
            .await?;
        let found = tx.user(id).await?;
        tx.commit().await?;
        let Some(found) = found.filter(|found| found.is_active) else {
            return Ok(None);
        };
        let user = CachedUser {
            tenant: found.tenant,
            role: found.role,
        };
        self.keep(generation, || self.0.users.insert(id, user));
        Ok(Some(user))
    }

    fn keep(&self, generation: u64, insert: impl FnOnce()) {
        if !self.0.listening.load(Ordering::SeqCst) {
            return;
        }
        insert();
        // A change may have come between the look-up and this line.
        if self.0.generation.load(Ordering::SeqCst) != generation {
            self.clear();
        }
    }

    fn clear(&self) {
        self.0.keys.invalidate_all();
        self.0.users.invalidate_all();
    }

    /// Forgets every look-up. Called after each change to a credential.
    pub fn forget_all(&self) {
        self.0.generation.fetch_add(1, Ordering::SeqCst);
        self.clear();
    }

    /// Listens for changes made elsewhere, until the connection breaks. While nobody listens,
    /// nothing is kept in memory.
    pub async fn listen(&self) -> StoreResult<()> {
        let mut peers = self.0.store.join_peers().await?;
        let _listening = self.believe();
        loop {
            peers.credential_changed().await?;
            self.forget_all();
        }
    }

    /// Keeps look-ups from now on, until what this gives is dropped, for whatever reason.
    fn believe(&self) -> Listening<'_> {
        self.forget_all();
        self.0.listening.store(true, Ordering::SeqCst);
        Listening(self)
    }

    /// Writes down which keys were used since the last time.
    pub async fn write_down_use(&self) -> StoreResult<()> {
        let used: Vec<ApiKeyId> = match self.0.used.lock() {
            Ok(mut used) => used.drain().collect(),
            Err(_) => return Ok(()),
        };
        if used.is_empty() {
            return Ok(());
        }
        let mut tx = self
            .0
            .store
            .system("note the use of many tenants' keys at once")
            .await?;
        tx.touch_keys(&used).await?;
        tx.commit().await
    }
}
