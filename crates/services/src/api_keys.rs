use chrono::Days;
use mf_domain::{ApiKeyId, ScopeSet, UserId};
use mf_store::{ApiKey, NewApiKey, Tenant};
use sha2::{Digest, Sha256};

use crate::{ServiceError, Services};

/// Characters of a key after `mf_`: 62^43 is more than 2^256.
const KEY_LENGTH: usize = 43;
/// Characters of a key that lists show.
const PREFIX_LENGTH: usize = 11;

/// A key that somebody wants.
#[derive(Debug)]
pub struct KeyRequest<'a> {
    /// What to call it.
    pub name: &'a str,
    /// What it shall grant.
    pub scopes: ScopeSet,
    /// For how many days. `None`: until it is deleted.
    pub expires_in_days: Option<u32>,
    /// Who makes it; `None` for the command line.
    pub created_by: Option<UserId>,
    /// What its maker has themselves.
    pub maker_scopes: ScopeSet,
}

/// A key, with what it opens: shown once.
pub struct MintedKey {
    /// The key as lists show it.
    pub key: ApiKey,
    /// The key itself.
    pub raw: String,
}

/// The key itself is a secret.
impl std::fmt::Debug for MintedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MintedKey")
            .field("key", &self.key.id)
            .finish_non_exhaustive()
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyRefused {
    /// It would grant more than its maker has.
    #[error("An API key cannot grant more than its maker has")]
    TooStrong,
    /// Something beneath failed.
    #[error(transparent)]
    Failed(#[from] ServiceError),
}

impl From<mf_store::StoreError> for KeyRefused {
    fn from(error: mf_store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Services {
    /// Makes an API key.
    pub async fn mint_key(
        &self,
        tenant: Tenant,
        request: KeyRequest<'_>,
    ) -> Result<MintedKey, KeyRefused> {
        if !request.maker_scopes.covers(request.scopes) {
            return Err(KeyRefused::TooStrong);
        }
        let (raw, key_hash) = self.raw_key();
        let scopes: Vec<String> = request
            .scopes
            .words()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let expires_at = request
            .expires_in_days
            .and_then(|days| self.clock.now().checked_add_days(Days::new(days.into())));
        let mut tx = self.store.begin(tenant).await?;
        let key = tx
            .api_keys()
            .add(&NewApiKey {
                id: self.ids.mint(),
                created_by: request.created_by,
                name: request.name,
                key_hash: &key_hash,
                key_prefix: prefix(&raw),
                scopes: &scopes,
                expires_at,
            })
            .await?;
        tx.commit().await?;
        Ok(MintedKey { key, raw })
    }

    /// Puts another key in the place of one: same id, same scopes. The old one is refused from
    /// the next request on.
    pub async fn rotate_key(
        &self,
        tenant: Tenant,
        id: ApiKeyId,
        maker_scopes: ScopeSet,
    ) -> Result<Option<MintedKey>, KeyRefused> {
        let (raw, key_hash) = self.raw_key();
        let mut tx = self.store.begin(tenant).await?;
        let Some(key) = tx.api_keys().rotate(id, &key_hash, prefix(&raw)).await? else {
            return Ok(None);
        };
        if !maker_scopes.covers(ScopeSet::parse(&key.scopes).unwrap_or_else(|_| ScopeSet::full())) {
            return Err(KeyRefused::TooStrong);
        }
        tx.commit().await?;
        self.auth.forget_all();
        Ok(Some(MintedKey { key, raw }))
    }

    /// Removes a key. It is refused from the next request on.
    pub async fn delete_key(&self, tenant: Tenant, id: ApiKeyId) -> Result<bool, ServiceError> {
        let mut tx = self.store.begin(tenant).await?;
        let deleted = tx.api_keys().delete(id).await?;
        tx.commit().await?;
        self.auth.forget_all();
        Ok(deleted)
    }

    fn raw_key(&self) -> (String, [u8; 32]) {
        let raw = format!("mf_{}", self.ids.alphanumeric(KEY_LENGTH));
        let hash = Sha256::digest(raw.as_bytes()).into();
        (raw, hash)
    }
}

fn prefix(raw: &str) -> &str {
    raw.get(..PREFIX_LENGTH).unwrap_or(raw)
}
