use chrono::{DateTime, Utc};
use mf_domain::{Email, Invalid};
use mf_http_kit::{Faults, Input};
use mf_services::{Login, Passwords};
use mf_store::{TenantInfo, User};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A new account.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SignupIn {
    /// The name to log in by.
    #[schema(min_length = 3, max_length = 254, example = "ada@example.com")]
    pub(crate) email: String,
    /// 8 to 128 characters.
    #[schema(min_length = 8, max_length = 128, format = Password)]
    pub(crate) password: String,
    /// What you are called.
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub(crate) full_name: String,
    /// What your business is called. Your own name unless given.
    #[schema(min_length = 1, max_length = 200)]
    pub(crate) tenant_name: Option<String>,
}

impl Input for SignupIn {
    fn check(&self, faults: &mut Faults) {
        faults.keep("email", Email::parse(&self.email));
        let weak = |weak: mf_services::WeakPassword| {
            Invalid::new("value_error.password", weak.to_string())
        };
        faults.keep("password", Passwords::check(&self.password).map_err(weak));
        if self.full_name.trim().is_empty() {
            faults.add(
                "full_name",
                Invalid::new("value_error.blank", "value is blank"),
            );
        }
    }
}

/// A login by password.
#[derive(Deserialize, ToSchema)]
pub(crate) struct LoginIn {
    /// The name to log in by.
    #[schema(max_length = 254, example = "owner@moltflow.local")]
    pub(crate) email: String,
    /// The password.
    #[schema(max_length = 1024, format = Password)]
    pub(crate) password: String,
}

impl Input for LoginIn {}

/// A refresh token to exchange.
#[derive(Deserialize, ToSchema)]
pub(crate) struct RefreshIn {
    /// The token of the last login or refresh.
    #[schema(max_length = 1024)]
    pub(crate) refresh_token: String,
}

impl Input for RefreshIn {}

/// A login.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoginOut {
    /// For requests: `Authorization: Bearer …`.
    access_token: String,
    /// For the next pair. Good once.
    refresh_token: String,
    /// Always `bearer`.
    token_type: &'static str,
    /// Seconds for which the access token is good.
    expires_in: u64,
    /// Who logged in.
    user: UserOut,
}

impl From<Login> for LoginOut {
    fn from(login: Login) -> Self {
        Self {
            access_token: login.access_token,
            refresh_token: login.refresh_token,
            token_type: "bearer",
            expires_in: login.expires_in.as_secs(),
            user: UserOut::from(&login.user),
        }
    }
}

/// A user.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserOut {
    id: Uuid,
    email: String,
    full_name: String,
    /// `owner`, `admin`, `member` or `superadmin`.
    role: &'static str,
    tenant_id: Uuid,
}

impl From<&User> for UserOut {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.uuid(),
            email: user.email.clone(),
            full_name: user.full_name.clone(),
            role: user.role.as_str(),
            tenant_id: user.tenant.id().uuid(),
        }
    }
}

/// A tenant as its users see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct TenantOut {
    id: Uuid,
    name: String,
    /// The plan's key.
    plan: String,
}

impl From<&TenantInfo> for TenantOut {
    fn from(tenant: &TenantInfo) -> Self {
        Self {
            id: tenant.id.uuid(),
            name: tenant.name.clone(),
            plan: tenant.plan_id.clone(),
        }
    }
}

/// Who asks.
#[derive(Serialize, ToSchema)]
pub(crate) struct MeOut {
    #[serde(flatten)]
    pub(crate) user: UserOut,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) tenant: TenantOut,
}

/// Done.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatusOut {
    /// Always `ok`.
    pub(crate) status: &'static str,
}
