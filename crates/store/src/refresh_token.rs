use chrono::{DateTime, Utc};
use mf_domain::{RefreshFamilyId, UserId};

use crate::{StoreResult, SystemTx, Tenant, TenantTx};

/// A refresh token that somebody showed.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    /// Whose it is.
    pub tenant: Tenant,
    /// Who logged in.
    pub user_id: UserId,
    /// The login that it descends from.
    pub family_id: RefreshFamilyId,
    /// It has been exchanged before.
    pub is_spent: bool,
    /// It still stands: not revoked, not expired.
    pub is_valid: bool,
}

/// A refresh token to be.
#[derive(Debug)]
pub struct NewRefreshToken<'a> {
    /// SHA-256 of the token.
    pub token_hash: &'a [u8; 32],
    /// Who logged in.
    pub user_id: UserId,
    /// The login that it descends from.
    pub family_id: RefreshFamilyId,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// See [`TenantTx::refresh_tokens`].
#[derive(Debug)]
pub struct RefreshTokens<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl RefreshTokens<'_> {
    /// Adds a token.
    pub async fn add(self, new: &NewRefreshToken<'_>) -> StoreResult<()> {
        sqlx::query!(
            "INSERT INTO refresh_token (token_hash, tenant_id, user_id, family_id, expires_at)
             VALUES ($1, $2, $3, $4, $5)",
            new.token_hash.as_slice(),
            self.tx.tenant().id().uuid(),
            new.user_id.uuid(),
            new.family_id.uuid(),
            new.expires_at,
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }

    /// Marks a token as exchanged. `false` where it was already: of two that come at once,
    /// one wins.
    pub async fn spend(self, token_hash: &[u8; 32]) -> StoreResult<bool> {
        let spent = sqlx::query!(
            "UPDATE refresh_token SET spent_at = now()
             WHERE tenant_id = $1 AND token_hash = $2 AND spent_at IS NULL
               AND revoked_at IS NULL AND expires_at > now()",
            self.tx.tenant().id().uuid(),
            token_hash.as_slice(),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(spent.rows_affected() > 0)
    }

    /// Revokes every token that descends from a login.
    pub async fn revoke_family(self, family: RefreshFamilyId) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE refresh_token SET revoked_at = now()
             WHERE tenant_id = $1 AND family_id = $2 AND revoked_at IS NULL",
            self.tx.tenant().id().uuid(),
            family.uuid(),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }
}

impl SystemTx {
    /// The token of this SHA-256, whatever the tenant: it is the only thing the caller shows.
    pub async fn refresh_token(
        &mut self,
        token_hash: &[u8; 32],
    ) -> StoreResult<Option<RefreshToken>> {
        let row = sqlx::query!(
            r#"SELECT tenant_id, user_id, family_id, spent_at IS NOT NULL AS "is_spent!",
                      revoked_at IS NULL AND expires_at > now() AS "is_valid!"
               FROM refresh_token WHERE token_hash = $1"#,
            token_hash.as_slice()
        )
        .fetch_optional(self.conn())
        .await?;
        Ok(row.map(|row| RefreshToken {
            tenant: Tenant::new(row.tenant_id.into()),
            user_id: row.user_id.into(),
            family_id: row.family_id.into(),
            is_spent: row.is_spent,
            is_valid: row.is_valid,
        }))
    }

    /// Removes tokens that ended more than a day ago. Answers how many.
    pub async fn sweep_refresh_tokens(&mut self) -> StoreResult<u64> {
        let gone =
            sqlx::query!("DELETE FROM refresh_token WHERE expires_at < now() - interval '1 day'")
                .execute(self.conn())
                .await?;
        Ok(gone.rows_affected())
    }
}
