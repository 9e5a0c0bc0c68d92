use mf_domain::{EventName, WebhookId};
use mf_store::Tenant;
use serde::Serialize;
use tracing::info;

use crate::{ServiceError, Services};

/// Why the server switched a webhook off.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reason {
    /// Its endpoint answered 410.
    Gone,
    /// It has failed for days.
    Hopeless,
}

impl Reason {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Gone => "The endpoint answered 410: it wants no more events",
            Self::Hopeless => "Every attempt of the last 5 days failed",
        }
    }
}

/// A webhook that is to be switched off.
#[derive(Debug, Clone, Copy)]
pub(super) struct SwitchOff {
    pub(super) tenant: Tenant,
    pub(super) webhook_id: WebhookId,
    /// How often it had begun anew when the reason arose: what came of another address is not
    /// held against it.
    pub(super) generation: i32,
    pub(super) reason: Reason,
}

/// The `data` of `webhook.disabled`.
#[derive(Serialize)]
struct Disabled<'a> {
    webhook_id: WebhookId,
    name: &'a str,
    url: &'a str,
    reason: &'static str,
    last_error: Option<&'a str>,
}

impl Services {
    /// Switches a webhook off and tells the tenant, through those that still work. What waits
    /// for it goes on waiting, until it is switched on again or given up.
    pub(super) async fn switch_webhook_off(&self, off: SwitchOff) -> Result<(), ServiceError> {
        let SwitchOff {
            webhook_id: id,
            reason,
            ..
        } = off;
        let mut tx = self.store.begin(off.tenant).await?;
        let found = tx
            .webhooks()
            .switch_off(id, reason.sentence(), off.generation)
            .await?;
        let Some(webhook) = found else {
            return Ok(());
        };
        let data = Disabled {
            webhook_id: id,
            name: &webhook.name,
            url: &webhook.url,
            reason: reason.sentence(),
            last_error: webhook.last_error.as_deref(),
        };
        let event = self.event(EventName::WebhookDisabled, None, &data)?;
        tx.events().append(&event).await?;
        tx.commit().await?;
        info!(tenant = %off.tenant.id(), webhook = %id, ?reason, "a webhook was switched off");
        metrics::counter!("webhooks_disabled_total").increment(1);
        Ok(())
    }
}
