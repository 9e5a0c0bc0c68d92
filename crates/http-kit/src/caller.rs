//! Who asks, and whether they may: nothing of a tenant is reached without it.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use mf_domain::{RefreshFamilyId, Scope, ScopeSet, UserId};
use mf_services::{Actor, Credential, Principal, Services};
use mf_store::{Tenant, TenantTx};

use crate::{ApiError, ApiResult};

/// What a caller must be allowed, as a type: a handler that takes `Caller<SessionsManage>`
/// cannot be reached by anybody else.
pub trait Permission: Send + Sync + 'static {
    /// Refuses those who may not.
    fn check(principal: &Principal) -> ApiResult<()>;
}

macro_rules! scopes {
    ($($name:ident),+ $(,)?) => {$(
        #[doc = concat!("Callers who have [`Scope::", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Permission for $name {
            fn check(principal: &Principal) -> ApiResult<()> {
                if principal.scopes.allows(Scope::$name) {
                    Ok(())
                } else {
                    Err(ApiError::missing_scope(Scope::$name))
                }
            }
        }
    )+};
}

scopes! {
    SessionsRead,
    SessionsManage,
    MessagesRead,
    MessagesSend,
    SettingsRead,
    SettingsManage,
    WebhooksRead,
    WebhooksManage,
}

/// Anybody who is let in at all.
#[derive(Debug, Clone, Copy)]
pub struct Anybody;

impl Permission for Anybody {
    fn check(_: &Principal) -> ApiResult<()> {
        Ok(())
    }
}

/// Those who may make keys: whoever logged in, or a key with `*`. A lesser key that could make
/// keys could outlive its own deletion.
#[derive(Debug, Clone, Copy)]
pub struct KeyMaker;

impl Permission for KeyMaker {
    fn check(principal: &Principal) -> ApiResult<()> {
        if matches!(principal.actor, Actor::User { .. }) || principal.scopes.is_full() {
            return Ok(());
        }
        Err(
            ApiError::forbidden("Missing required scope: *").with_header(
                HeaderName::from_static("x-required-scopes"),
                HeaderValue::from_static("*"),
            ),
        )
    }
}

/// Somebody who was let in and may do what `P` says.
#[derive(Debug)]
pub struct Caller<P> {
    /// What there is to do it with.
    pub services: Arc<Services>,
    /// Who they are.
    pub principal: Principal,
    permission: PhantomData<P>,
}

impl<P> Caller<P> {
    /// Whose data they may reach.
    pub const fn tenant(&self) -> Tenant {
        self.principal.tenant
    }

    /// What they may do.
    pub const fn scopes(&self) -> ScopeSet {
        self.principal.scopes
    }

    /// Opens a transaction in which there is their tenant and no other.
    pub async fn begin(&self) -> ApiResult<TenantTx> {
        Ok(self.services.store.begin(self.tenant()).await?)
    }

    /// Opens a transaction in which all that is read is of one moment. It cannot write.
    pub async fn begin_reading(&self) -> ApiResult<TenantTx> {
        Ok(self.services.store.begin_reading(self.tenant()).await?)
    }

    /// The person, if it is one.
    pub const fn user(&self) -> Option<UserId> {
        match self.principal.actor {
            Actor::User { id, .. } => Some(id),
            Actor::ApiKey { .. } => None,
        }
    }

    /// The login, if the caller logged in.
    pub const fn login(&self) -> Option<RefreshFamilyId> {
        match self.principal.actor {
            Actor::User { family, .. } => Some(family),
            Actor::ApiKey { .. } => None,
        }
    }

    /// Whether it is a program, by its key.
    pub const fn is_api_key(&self) -> bool {
        matches!(self.principal.actor, Actor::ApiKey { .. })
    }
}

impl<P: Permission, S> FromRequestParts<S> for Caller<P>
where
    S: Send + Sync,
    Arc<Services>: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let services = Arc::<Services>::from_ref(state);
        let credential = credential(parts).ok_or_else(ApiError::not_authenticated)?;
        let principal = services.auth.authenticate(&credential).await?;
        // For extractors after this one: room is shared out by tenant.
        parts.extensions.insert(principal.tenant.id());
        admit(services, principal)
    }
}

/// A [`Caller`] who may also show an access token as `?token=`: for streams, since browsers
/// cannot set headers there. Nowhere else, since URLs end up in logs.
#[derive(Debug)]
pub struct StreamCaller<P> {
    /// Who it is.
    pub caller: Caller<P>,
    /// What they showed: a stream may outlast it.
    pub credential: Credential,
}

impl<P: Permission, S> FromRequestParts<S> for StreamCaller<P>
where
    S: Send + Sync,
    Arc<Services>: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let services = Arc::<Services>::from_ref(state);
        let (principal, credential) = match (credential(parts), query_token(parts)) {
            (Some(credential), _) => (services.auth.authenticate(&credential).await?, credential),
            (None, Some(token)) => (
                services.auth.by_token(token).await?,
                Credential::Bearer(token.to_owned()),
            ),
            (None, None) => return Err(ApiError::not_authenticated()),
        };
        let caller = admit(services, principal)?;
        Ok(Self { caller, credential })
    }
}

fn admit<P: Permission>(services: Arc<Services>, principal: Principal) -> ApiResult<Caller<P>> {
    P::check(&principal)?;
    Ok(Caller {
        services,
        principal,
        permission: PhantomData,
    })
}

fn credential(parts: &Parts) -> Option<Credential> {
    let text = |name: HeaderName| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    if let Some(key) = text(HeaderName::from_static("x-api-key")) {
        return Some(Credential::ApiKey(key.trim().to_owned()));
    }
    let (scheme, token) = text(header::AUTHORIZATION)?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Credential::Bearer(token.trim().to_owned()))
}

/// Access tokens are letters, digits, `-`, `_` and `.`: there is nothing to decode.
fn query_token(parts: &Parts) -> Option<&str> {
    parts
        .uri
        .query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))
}
