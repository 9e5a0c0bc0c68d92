use mf_domain::{Email, Role, ScopeSet};

use crate::{KeyRefused, KeyRequest, LoginRefused, NewAccount, Services};

/// What the first start made, shown once.
pub struct FirstRun {
    /// The tenant.
    pub tenant_id: mf_domain::TenantId,
    /// The owner's login.
    pub email: String,
    /// The owner's password.
    pub password: String,
    /// A key that may do everything.
    pub api_key: String,
}

/// Passwords and keys are secrets.
impl std::fmt::Debug for FirstRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirstRun")
            .field("tenant_id", &self.tenant_id)
            .finish_non_exhaustive()
    }
}

/// Why the first account was not made.
#[derive(Debug, thiserror::Error)]
pub enum FirstRunError {
    /// The account.
    #[error("the first account could not be made")]
    Account(#[from] LoginRefused),
    /// The key.
    #[error("the first API key could not be made")]
    Key(#[from] KeyRefused),
    /// The database.
    #[error(transparent)]
    Store(#[from] mf_store::StoreError),
}

impl Services {
    /// Makes the first tenant, its owner and a key, if there is nobody yet.
    pub async fn first_run(&self) -> Result<Option<FirstRun>, FirstRunError> {
        let mut tx = self.store.system("is there anybody yet?").await?;
        let peopled = tx.has_users().await?;
        tx.commit().await?;
        if peopled {
            return Ok(None);
        }
        let email = "owner@moltflow.local";
        let password = self.ids.alphanumeric(20);
        let account = NewAccount {
            email: Email::parse(email).map_err(|_| {
                LoginRefused::Failed(crate::ServiceError::Internal("the owner's address is none"))
            })?,
            password: &password,
            full_name: "Owner",
            tenant_name: "My business",
            plan: &self.settings.default_plan,
            role: Role::Owner,
        };
        let made = match self.register(account).await {
            Ok(made) => made,
            // Another replica was quicker: then it has shown the secrets.
            Err(LoginRefused::EmailTaken) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let key = self
            .mint_key(
                made.tenant,
                KeyRequest {
                    name: "First key",
                    scopes: ScopeSet::full(),
                    expires_in_days: None,
                    created_by: Some(made.user),
                    maker_scopes: ScopeSet::full(),
                },
            )
            .await?;
        Ok(Some(FirstRun {
            tenant_id: made.tenant.id(),
            email: email.to_owned(),
            password,
            api_key: key.raw,
        }))
    }
}
