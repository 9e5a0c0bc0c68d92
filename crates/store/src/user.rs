use chrono::{DateTime, Utc};
use mf_domain::{ApiKeyId, Email, Role, UserId};
use uuid::Uuid;

use crate::{StoreResult, SystemTx, Tenant, TenantTx, word::Word};

/// Somebody who can log in.
#[derive(Debug, Clone)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Whose they are.
    pub tenant: Tenant,
    /// The name that they log in by.
    pub email: String,
    /// What they are called.
    pub full_name: String,
    /// What they may do.
    pub role: Role,
    /// Argon2id, PHC form. `None`: no login by password.
    pub password_hash: Option<String>,
    /// Neither they nor their tenant is suspended.
    pub is_active: bool,
    /// When they were added.
    pub created_at: DateTime<Utc>,
}

/// A user to be.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// Their id.
    pub id: UserId,
    /// The name to log in by; taken ones are refused by `app_user_email_key`.
    pub email: &'a Email,
    /// What they are called.
    pub full_name: &'a str,
    /// What they may do.
    pub role: Role,
    /// Argon2id, PHC form.
    pub password_hash: &'a str,
}

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    email: String,
    full_name: String,
    role: Role,
    password_hash: Option<String>,
    is_active: bool,
    created_at: DateTime<Utc>,
}

impl From<Row> for User {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            tenant: Tenant::new(row.tenant_id.into()),
            email: row.email,
            full_name: row.full_name,
            role: row.role,
            password_hash: row.password_hash,
            is_active: row.is_active,
            created_at: row.created_at,
        }
    }
}

macro_rules! user_query {
    ($tail:tt $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"SELECT u.id, u.tenant_id, u.email, u.full_name, u.role AS "role: Word<Role>",
                   u.password_hash, u.is_active AND t.status = 'active' AS "is_active!",
                   u.created_at
               FROM app_user u JOIN tenant t ON t.id = u.tenant_id "# + $tail
            $(, $arg)*
        )
    };
}

/// See [`TenantTx::users`].
#[derive(Debug)]
pub struct Users<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl Users<'_> {
    /// One user.
    pub async fn lookup(self, id: UserId) -> StoreResult<Option<User>> {
        let row = user_query!(
            "WHERE u.tenant_id = $1 AND u.id = $2",
            self.tx.tenant().id().uuid(),
            id.uuid()
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row.map(User::from))
    }

    /// The person whom a key stands for: who made it, else the tenant's first owner.
    pub async fn behind_key(self, id: ApiKeyId) -> StoreResult<Option<User>> {
        let row = user_query!(
            "WHERE u.tenant_id = $1
               ORDER BY u.id = (SELECT created_by FROM api_key k
                                WHERE k.tenant_id = $1 AND k.id = $2) DESC NULLS LAST,
                        u.role = 'owner' DESC, u.created_at, u.id
               LIMIT 1",
            self.tx.tenant().id().uuid(),
            id.uuid()
        )
        .fetch_optional(self.tx.conn())
        .await?;
        Ok(row.map(User::from))
    }

    /// Gives a user another password. Their refresh tokens are revoked: whoever had the old
    /// password may be logged in.
    pub async fn set_password(self, id: UserId, password_hash: &str) -> StoreResult<()> {
        let tenant = self.tx.tenant().id().uuid();
        sqlx::query!(
            "UPDATE app_user SET password_hash = $3, updated_at = now()
             WHERE tenant_id = $1 AND id = $2",
            tenant,
            id.uuid(),
            password_hash,
        )
        .execute(self.tx.conn())
        .await?;
        sqlx::query!(
            "UPDATE refresh_token SET revoked_at = now()
             WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL",
            tenant,
            id.uuid(),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }
}

impl SystemTx {
    /// Adds a user, in the transaction that may have made their tenant.
    pub async fn add_user(&mut self, tenant: Tenant, new: &NewUser<'_>) -> StoreResult<()> {
        sqlx::query!(
            "INSERT INTO app_user (id, tenant_id, email, full_name, role, password_hash)
             VALUES ($1, $2, $3, $4, $5, $6)",
            new.id.uuid(),
            tenant.id().uuid(),
            new.email.as_str(),
            new.full_name,
            new.role.as_str(),
            new.password_hash,
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The user of an e-mail address, whatever the tenant: a login names none.
    pub async fn user_by_email(&mut self, email: &Email) -> StoreResult<Option<User>> {
        let row = user_query!("WHERE u.email = $1", email.as_str())
            .fetch_optional(self.conn())
            .await?;
        Ok(row.map(User::from))
    }

    /// The user of an id, whatever the tenant: a token is checked before it is believed.
    pub async fn user(&mut self, id: UserId) -> StoreResult<Option<User>> {
        let row = user_query!("WHERE u.id = $1", id.uuid())
            .fetch_optional(self.conn())
            .await?;
        Ok(row.map(User::from))
    }

    /// All users, oldest first.
    pub async fn list_users(&mut self) -> StoreResult<Vec<User>> {
        let rows = user_query!("ORDER BY u.created_at, u.id")
            .fetch_all(self.conn())
            .await?;
        Ok(rows.into_iter().map(User::from).collect())
    }

    /// Whether anybody can log in at all: if not, this is a first start.
    pub async fn has_users(&mut self) -> StoreResult<bool> {
        let any = sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM app_user) AS "any!""#)
            .fetch_one(self.conn())
            .await?;
        Ok(any)
    }
}
