use std::sync::Arc;

use mf_domain::Scope;
use mf_services::{AuthError, Credential, Services};
use mf_store::Tenant;

/// What somebody was let in with. It may end while they stay: a key is deleted, a token expires.
pub(super) struct Pass {
    services: Arc<Services>,
    tenant: Tenant,
    credential: Credential,
    /// The changes to credentials that it was held against. `None`: it is to be, anyway.
    seen: Option<u64>,
}

impl Pass {
    pub(super) fn new(services: &Arc<Services>, tenant: Tenant, credential: Credential) -> Self {
        Self {
            services: Arc::clone(services),
            tenant,
            credential,
            // A change may have come since they were let in.
            seen: None,
        }
    }

    pub(super) fn tenant(&self) -> Tenant {
        self.tenant
    }

    /// It may have expired: nobody tells of that.
    pub(super) fn doubt(&mut self) {
        self.seen = None;
    }

    /// Whether it still lets in whom it let in. Costs nothing while no credential changes. As
    /// long as that cannot be known, it does.
    pub(super) async fn is_good(&mut self) -> bool {
        let now = self.services.auth.generation();
        if self.seen == Some(now) {
            return true;
        }
        // Boxed: what a look-up takes is large, and there are many streams.
        let asked = Box::pin(self.services.auth.authenticate(&self.credential));
        match asked.await {
            Ok(principal) => {
                self.seen = Some(now);
                principal.tenant.id() == self.tenant.id()
                    && principal.scopes.allows(Scope::SessionsRead)
            }
            Err(AuthError::Store(_)) => true,
            Err(AuthError::InvalidApiKey | AuthError::InvalidToken) => false,
        }
    }
}
