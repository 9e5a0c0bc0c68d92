use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mf_domain::{DeliveryId, EventName, WebhookId};
use mf_store::{SettledDelivery, Tenant};
use serde::Serialize;
use uuid::Uuid;

use super::{
    attempt::{Attempt, attempt},
    manage::WebhookRefused,
};
use crate::{ServiceError, Services};

/// Trials of one tenant at a time.
pub(crate) const TRIALS: usize = 4;

/// What came of trying out a webhook.
#[derive(Debug)]
pub struct TriedOut {
    /// Its place in the delivery log.
    pub delivery_id: DeliveryId,
    /// Whether the endpoint took it.
    pub success: bool,
    /// What it answered.
    pub status_code: Option<u16>,
    /// How long that took.
    pub latency: Duration,
    /// What went wrong: a sentence.
    pub error: Option<String>,
}

/// The `data` of `webhook.test`.
#[derive(Serialize)]
struct Trial<'a> {
    webhook_id: WebhookId,
    name: &'a str,
    message: &'static str,
}

impl Services {
    /// Sends a webhook an event of its own, now and once, whether it is on or off. It stands in
    /// the delivery log like any other, and counts neither for nor against the webhook.
    ///
    /// No tenant has more than four under way: they are beyond every limit of deliveries. A
    /// caller who hangs up changes nothing, not that either.
    pub async fn try_out_webhook(
        self: &Arc<Self>,
        tenant: Tenant,
        id: WebhookId,
    ) -> Result<TriedOut, WebhookRefused> {
        let place = self.trials.place(tenant.id(), Duration::ZERO).await;
        let place = place.ok_or(WebhookRefused::TooManyTrials)?;
        let services = Arc::clone(self);
        let trial = self.tracker.spawn(async move {
            let _place = place;
            services.try_out(tenant, id).await
        });
        let tried = trial.await;
        tried.map_err(|_| ServiceError::Internal("a trial of a webhook was lost"))?
    }

    async fn try_out(&self, tenant: Tenant, id: WebhookId) -> Result<TriedOut, WebhookRefused> {
        let mut tx = self.store.begin(tenant).await?;
        let webhook = tx.webhooks().lookup(id).await?;
        let webhook = webhook.ok_or(WebhookRefused::NotFound)?;
        let at = self.clock.now();
        let previous = webhook.previous_secret.as_deref();
        let signing = self.signing(tenant, id, &webhook.secret, previous)?;
        let data = Trial {
            webhook_id: id,
            name: &webhook.name,
            message: "This is a test: the webhook works",
        };
        let event = self.event(EventName::WebhookTest, None, &data)?;
        let delivery_id = tx.deliveries().try_out(id, &event).await?;
        tx.commit().await?;

        let tried = attempt(
            &self.outbound,
            Attempt {
                url: &webhook.url,
                signing: &signing,
                event_id: &event.id.to_string(),
                event_name: event.name.as_str(),
                body: Bytes::from(event.body),
                at,
            },
        )
        .await;
        let settled = SettledDelivery {
            id: delivery_id,
            claim: Uuid::nil(),
            generation: 0,
            at,
            success: tried.success,
            status_code: tried.status_code,
            latency: tried.latency,
            error: tried.error,
            response: tried.response,
            retry_after: None,
            pause: None,
        };
        let mut tx = self.store.begin(tenant).await?;
        tx.deliveries().tried_out(delivery_id, &settled).await?;
        tx.commit().await?;
        Ok(TriedOut {
            delivery_id,
            success: settled.success,
            status_code: settled.status_code,
            latency: settled.latency,
            error: settled.error,
        })
    }
}
