use std::time::Duration;

use mf_domain::{Email, PlanId, RefreshFamilyId, Role, TenantId, UserId};
use mf_store::{NewRefreshToken, NewTenant, NewUser, StoreError, Tenant, TenantInfo, User};
use sha2::{Digest, Sha256};

use crate::{Actor, Principal, ServiceError, Services, password::HashError};

/// A login: what the client keeps.
#[derive(Clone)]
pub struct Login {
    /// For requests.
    pub access_token: String,
    /// For the next login without a password. Good once.
    pub refresh_token: String,
    /// How long the access token is good.
    pub expires_in: Duration,
    /// Who logged in.
    pub user: User,
}

/// Tokens are secrets.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user.id)
            .finish_non_exhaustive()
    }
}

/// A tenant and its owner to be.
#[derive(Debug)]
pub struct NewAccount<'a> {
    /// The name to log in by.
    pub email: Email,
    /// In clear; only its hash is kept.
    pub password: &'a str,
    /// What the owner is called.
    pub full_name: &'a str,
    /// What the tenant is called.
    pub tenant_name: &'a str,
    /// The tenant's plan.
    pub plan: &'a PlanId,
    /// What the owner may do.
    pub role: Role,
}

/// A tenant and its owner that were made.
#[derive(Debug, Clone, Copy)]
pub struct Registered {
    /// The tenant.
    pub tenant: Tenant,
    /// Its owner.
    pub user: UserId,
}

/// Why there is no login.
#[derive(Debug, thiserror::Error)]
pub enum LoginRefused {
    /// Unknown address, wrong password, or suspended: nobody learns which.
    #[error("Incorrect email or password")]
    Wrong,
    /// A refresh token that is none, has ended, or was used before.
    #[error("Invalid or expired token")]
    BadRefreshToken,
    /// The address is taken.
    #[error("An account with this email already exists")]
    EmailTaken,
    /// There is no such plan.
    #[error("There is no such plan")]
    UnknownPlan,
    /// Something beneath failed.
    #[error(transparent)]
    Failed(#[from] ServiceError),
}

impl From<StoreError> for LoginRefused {
    fn from(error: StoreError) -> Self {
        if error.is_constraint("app_user_email_key") {
            Self::EmailTaken
        } else if error.is_constraint("tenant_plan_id_fkey") {
            Self::UnknownPlan
        } else {
            Self::Failed(error.into())
        }
    }
}

impl From<HashError> for LoginRefused {
    fn from(error: HashError) -> Self {
        Self::Failed(error.into())
    }
}

impl Services {
    /// Makes a tenant and its owner, both or neither.
    pub async fn register(&self, new: NewAccount<'_>) -> Result<Registered, LoginRefused> {
        let password_hash = self.passwords.hash(new.password).await?;
        let tenant_id: TenantId = self.ids.mint();
        let user: UserId = self.ids.mint();
        let mut tx = self
            .store
            .system("a tenant is made before it is anybody's")
            .await?;
        let tenant = tx
            .add_tenant(&NewTenant {
                id: tenant_id,
                name: new.tenant_name,
                plan: new.plan,
            })
            .await?;
        tx.add_user(
            tenant,
            &NewUser {
                id: user,
                email: &new.email,
                full_name: new.full_name,
                role: new.role,
                password_hash: &password_hash,
            },
        )
        .await?;
        tx.commit().await?;
        Ok(Registered { tenant, user })
    }

    /// Logs somebody in by password.
    pub async fn login(&self, email: &Email, password: &str) -> Result<Login, LoginRefused> {
        let mut tx = self.store.system("a login names no tenant").await?;
        let user = tx.user_by_email(email).await?;
        tx.commit().await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let right = self.passwords.verify(password, hash).await?;
        match user {
            Some(user) if right && user.is_active => self.begin_login(user).await,
            _ => Err(LoginRefused::Wrong),
        }
    }

    /// Logs in somebody whose identity was proved just now.
    pub async fn begin_login(&self, user: User) -> Result<Login, LoginRefused> {
        let family = self.ids.mint();
        let mut tx = self.store.begin(user.tenant).await?;
        let refresh_token = self.add_refresh_token(&mut tx, user.id, family).await?;
        tx.commit().await?;
        self.login_of(user, family, refresh_token)
    }

    /// Exchanges a refresh token for a new pair. The old one is spent: shown again, it is
    /// taken for stolen, and everything that descends from its login ends.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Login, LoginRefused> {
        let hash: [u8; 32] = Sha256::digest(refresh_token.as_bytes()).into();
        let mut tx = self
            .store
            .system("a refresh token does not say whose it is")
            .await?;
        let token = tx.refresh_token(&hash).await?;
        let user = match &token {
            Some(token) => tx.user(token.user_id).await?,
            None => None,
        };
        tx.commit().await?;
        let (Some(token), Some(user)) = (token, user) else {
            return Err(LoginRefused::BadRefreshToken);
        };
        let mut tx = self.store.begin(token.tenant).await?;
        let usable = token.is_valid && !token.is_spent && user.is_active;
        if !usable || !tx.refresh_tokens().spend(&hash).await? {
            // Two that come at once count as reuse too: one of them is not the owner.
            if token.is_valid {
                tx.refresh_tokens().revoke_family(token.family_id).await?;
                tx.commit().await?;
            }
            return Err(LoginRefused::BadRefreshToken);
        }
        let next = self
            .add_refresh_token(&mut tx, user.id, token.family_id)
            .await?;
        tx.commit().await?;
        self.login_of(user, token.family_id, next)
    }

    /// Ends a login: its refresh tokens are worth nothing any more.
    pub async fn logout(
        &self,
        tenant: Tenant,
        family: RefreshFamilyId,
    ) -> Result<(), ServiceError> {
        let mut tx = self.store.begin(tenant).await?;
        tx.refresh_tokens().revoke_family(family).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The person who logged in, or whom a key stands for: who made it, else the tenant's
    /// first owner.
    pub async fn whoami(
        &self,
        principal: &Principal,
    ) -> Result<Option<(User, TenantInfo)>, ServiceError> {
        let mut tx = self.store.begin(principal.tenant).await?;
        let user = match principal.actor {
            Actor::User { id, .. } => tx.users().lookup(id).await?,
            Actor::ApiKey { id } => tx.users().behind_key(id).await?,
        };
        let tenant = tx.tenants().current().await?;
        tx.commit().await?;
        Ok(user.map(|user| (user, tenant)))
    }

    /// Gives a user another password and ends their logins. `false` where there is none of
    /// this address.
    pub async fn set_password(&self, email: &Email, password: &str) -> Result<bool, ServiceError> {
        let hash = self.passwords.hash(password).await?;
        let mut tx = self.store.system("an address names no tenant").await?;
        let user = tx.user_by_email(email).await?;
        tx.commit().await?;
        let Some(user) = user else { return Ok(false) };
        let mut tx = self.store.begin(user.tenant).await?;
        tx.users().set_password(user.id, &hash).await?;
        tx.announce_credential_change().await?;
        tx.commit().await?;
        self.auth.forget_all();
        Ok(true)
    }

    /// Removes what has ended and is of no use any more.
    pub async fn sweep(&self) -> Result<(), ServiceError> {
        let mut tx = self.store.system("tokens of all tenants end alike").await?;
        tx.sweep_refresh_tokens().await?;
        tx.commit().await?;
        Ok(())
    }

    async fn add_refresh_token(
        &self,
        tx: &mut mf_store::TenantTx,
        user_id: UserId,
        family_id: RefreshFamilyId,
    ) -> Result<String, StoreError> {
        let token = format!("mfr_{}", self.ids.alphanumeric(48));
        let token_hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let expires_at = self.clock.now() + self.settings.refresh_token_ttl;
        tx.refresh_tokens()
            .add(&NewRefreshToken {
                token_hash: &token_hash,
                user_id,
                family_id,
                expires_at,
            })
            .await?;
        Ok(token)
    }

    fn login_of(
        &self,
        user: User,
        family: RefreshFamilyId,
        refresh_token: String,
    ) -> Result<Login, LoginRefused> {
        let expires_in = self.settings.access_token_ttl;
        let access_token = self
            .auth
            .tokens()
            .issue(user.id, family, expires_in)
            .map_err(|_| ServiceError::Internal("an access token could not be signed"))?;
        Ok(Login {
            access_token,
            refresh_token,
            expires_in,
            user,
        })
    }
}
