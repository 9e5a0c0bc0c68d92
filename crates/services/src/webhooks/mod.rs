//! Webhooks: who is told, how, and what becomes of it.
//!
//! What is to be delivered stands in the database with the event itself (`Events::append`).
//! `pump` takes it from there, one process or several; `attempt` is one try; `schedule` says
//! when there is another.

mod attempt;
mod depth;
mod manage;
mod pump;
mod schedule;
mod signature;
mod switch_off;
mod try_out;

use mf_domain::WebhookId;
use mf_store::Tenant;
use secrecy::ExposeSecret;

use crate::{ServiceError, Services, Vault};
use signature::{Signing, WebhookSecret};

pub use manage::{KeyedWebhook, WebhookChange, WebhookDraft, WebhookRefused};
pub(crate) use try_out::TRIALS;
pub use try_out::TriedOut;

/// The place that a webhook's secrets are sealed for.
fn context(tenant: Tenant, id: WebhookId) -> Vec<u8> {
    [
        b"webhook ".as_slice(),
        tenant.id().uuid().as_bytes(),
        id.uuid().as_bytes(),
    ]
    .concat()
}

fn unseal(vault: &Vault, place: &[u8], sealed: &[u8]) -> Result<WebhookSecret, ServiceError> {
    let opened = vault.open(place, sealed)?;
    WebhookSecret::of(opened.expose_secret())
        .ok_or(ServiceError::Internal("a webhook's secret is no text"))
}

impl Services {
    fn seal_secret(
        &self,
        tenant: Tenant,
        id: WebhookId,
        secret: &WebhookSecret,
    ) -> Result<Vec<u8>, ServiceError> {
        let place = context(tenant, id);
        Ok(self.vault.seal(&place, secret.expose().as_bytes())?)
    }

    /// What signs for a webhook at this moment.
    fn signing(
        &self,
        tenant: Tenant,
        id: WebhookId,
        secret: &[u8],
        previous: Option<&[u8]>,
    ) -> Result<Signing, ServiceError> {
        let place = context(tenant, id);
        let open = |sealed| unseal(&self.vault, &place, sealed);
        Ok(Signing {
            current: open(secret)?,
            previous: previous.map(open).transpose()?,
        })
    }
}
