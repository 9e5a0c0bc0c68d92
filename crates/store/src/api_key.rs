use chrono::{DateTime, Utc};
use mf_domain::{ApiKeyId, UserId};
use uuid::Uuid;

use crate::{StoreResult, SystemTx, Tenant, TenantTx};

/// A credential for programs, without the credential.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is called.
    pub name: String,
    /// Its first characters.
    pub key_prefix: String,
    /// What it grants, in the contract's words.
    pub scopes: Vec<String>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, give or take a minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Whether it can be used, as far as its own switch goes.
    pub is_active: bool,
}

/// A key to be.
#[derive(Debug)]
pub struct NewApiKey<'a> {
    /// Its id.
    pub id: ApiKeyId,
    /// Who makes it; `None` for the command line.
    pub created_by: Option<UserId>,
    /// What it is called.
    pub name: &'a str,
    /// SHA-256 of the whole key.
    pub key_hash: &'a [u8; 32],
    /// Its first characters.
    pub key_prefix: &'a str,
    /// What it grants.
    pub scopes: &'a [String],
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What a key proves.
#[derive(Debug, Clone)]
pub struct KeyOwner {
    /// The key.
    pub id: ApiKeyId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What it grants, in the contract's words.
    pub scopes: Vec<String>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// Neither it nor its tenant is switched off.
    pub is_active: bool,
}

/// See [`TenantTx::api_keys`].
#[derive(Debug)]
pub struct ApiKeys<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl ApiKeys<'_> {
    /// Every key, newest first.
    pub async fn list(self) -> StoreResult<Vec<ApiKey>> {
        let rows = sqlx::query_as!(
            ApiKey,
            "SELECT id, name, key_prefix, scopes, expires_at, last_used_at, created_at, is_active
             FROM api_key WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC",
            self.tx.tenant().id().uuid()
        )
        .fetch_all(self.tx.conn())
        .await?;
        Ok(rows)
    }

    /// One key.
    pub async fn lookup(self, id: ApiKeyId) -> StoreResult<Option<ApiKey>> {
        let row = sqlx::query_as!(
            ApiKey,
            "SELECT id, name, key_prefix, scopes, expires_at, last_used_at, created_at, is_active
             FROM api_key WHERE tenant_id = $1 AND id = $2",
            self.tx.tenant().id().uuid(),
            id.uuid()
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// Adds a key.
    pub async fn add(self, new: &NewApiKey<'_>) -> StoreResult<ApiKey> {
        let row = sqlx::query_as!(
            ApiKey,
            "INSERT INTO api_key
                 (id, tenant_id, created_by, name, key_hash, key_prefix, scopes, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             RETURNING id, name, key_prefix, scopes, expires_at, last_used_at, created_at,
                       is_active",
            new.id.uuid(),
            self.tx.tenant().id().uuid(),
            new.created_by.map(UserId::uuid),
            new.name,
            new.key_hash.as_slice(),
            new.key_prefix,
            new.scopes,
            new.expires_at,
        )
        .fetch_one(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// Puts another key in the place of one, which from then on is none. Every replica is told.
    pub async fn rotate(
        self,
        id: ApiKeyId,
        key_hash: &[u8; 32],
        key_prefix: &str,
    ) -> StoreResult<Option<ApiKey>> {
        let row = sqlx::query_as!(
            ApiKey,
            "UPDATE api_key SET key_hash = $3, key_prefix = $4, last_used_at = NULL
             WHERE tenant_id = $1 AND id = $2
             RETURNING id, name, key_prefix, scopes, expires_at, last_used_at, created_at,
                       is_active",
            self.tx.tenant().id().uuid(),
            id.uuid(),
            key_hash.as_slice(),
            key_prefix,
        )
        .fetch_optional(self.tx.conn())
        .await?;
        self.tx.announce_credential_change().await?;
        Ok(row)
    }

    /// Removes a key. `false` where there is none of this id. Every replica is told.
    pub async fn delete(self, id: ApiKeyId) -> StoreResult<bool> {
        let gone = sqlx::query!(
            "DELETE FROM api_key WHERE tenant_id = $1 AND id = $2",
            self.tx.tenant().id().uuid(),
            id.uuid()
        )
        .execute(self.tx.conn())
        .await?;
        self.tx.announce_credential_change().await?;
        Ok(gone.rows_affected() > 0)
    }
}

impl SystemTx {
    /// Whose key has this SHA-256.
    pub async fn key_owner(&mut self, key_hash: &[u8; 32]) -> StoreResult<Option<KeyOwner>> {
        let row = sqlx::query!(
            r#"SELECT k.id, k.tenant_id, k.scopes, k.expires_at,
                      k.is_active AND t.status = 'active' AS "is_active!"
               FROM api_key k JOIN tenant t ON t.id = k.tenant_id
               WHERE k.key_hash = $1"#,
            key_hash.as_slice()
        )
        .fetch_optional(self.conn())
        .await?;
        Ok(row.map(|row| KeyOwner {
            id: row.id.into(),
            tenant: Tenant::new(row.tenant_id.into()),
            scopes: row.scopes,
            expires_at: row.expires_at,
            is_active: row.is_active,
        }))
    }

    /// Notes that keys were used. Called now and then with all that were, not on each request.
    pub async fn touch_keys(&mut self, ids: &[ApiKeyId]) -> StoreResult<()> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        sqlx::query!(
            "UPDATE api_key SET last_used_at = now() WHERE id = ANY($1)",
            &ids
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
