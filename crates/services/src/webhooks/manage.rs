use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use mf_domain::{MAX_WEBHOOKS, WebhookId};
use mf_outbound::{Purpose, Refused};
use mf_store::{NewWebhook, ReplayRange, StoreError, Tenant, Webhook, WebhookPatch};

use super::signature::{BadSecret, WebhookSecret};
use crate::{ServiceError, Services};

/// How long both secrets sign after a rotation.
const ROTATION: Duration = Duration::from_hours(24);
/// Deliveries replayed in one transaction.
const REPLAYED_AT_A_TIME: i64 = 2000;

/// A webhook that somebody wants.
#[derive(Debug)]
pub struct WebhookDraft<'a> {
    /// What to call it.
    pub name: &'a str,
    /// Where events go.
    pub url: &'a str,
    /// Which ones, by name; `*` is all.
    pub events: &'a [String],
    /// Whether anything is sent.
    pub is_active: bool,
    /// What is to sign. `None`: one is made.
    pub secret: Option<&'a str>,
}

/// What is to be otherwise. What is `None` stays.
#[derive(Default)]
pub struct WebhookChange<'a> {
    /// What to call it.
    pub name: Option<&'a str>,
    /// Where events go, also those that wait already.
    pub url: Option<&'a str>,
    /// Which ones.
    pub events: Option<&'a [String]>,
    /// Whether anything is sent.
    pub is_active: Option<bool>,
    /// What signs from now on, without a time in which both do.
    pub secret: Option<&'a str>,
}

/// A webhook with its secret: shown this once.
pub struct KeyedWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// What signs, in the clear.
    pub secret: String,
}

impl std::fmt::Debug for KeyedWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyedWebhook")
            .field("webhook", &self.webhook)
            .finish_non_exhaustive()
    }
}

/// Why a webhook is not as somebody wants it.
#[derive(Debug, thiserror::Error)]
pub enum WebhookRefused {
    /// There is none of this id.
    #[error("Webhook not found")]
    NotFound,
    /// There are as many as there can be.
    #[error("A tenant can have {MAX_WEBHOOKS} webhooks, and this one has them already")]
    TooMany,
    /// Its address is one that nothing is sent to.
    #[error(transparent)]
    Url(#[from] Refused),
    /// Its address is not what it looks like.
    #[error("{0}")]
    Address(&'static str),
    /// The secret is none.
    #[error("{0}")]
    Secret(String),
    /// Receivers may have the secret of another rotation by now.
    #[error(
        "A rotation is under way until {}: end it with {{\"activate\": true}}, or send \
         {{\"replace\": true}} to put another secret in the place of the new one",
        .until.to_rfc3339_opts(SecondsFormat::Secs, true)
    )]
    RotationUnderWay {
        /// Until when it is, at the longest.
        until: DateTime<Utc>,
    },
    /// There is no rotation to be ended.
    #[error("No rotation of the secret is under way")]
    NoRotation,
    /// It is off, and nothing would be sent.
    #[error("The webhook is off: switch it on with is_active, then replay")]
    Off,
    /// It is being tried out already, as often as it may be at a time, or others are.
    #[error("Too many webhooks of this tenant are being tested: try again in a moment")]
    TooManyTrials,
    /// Something beneath failed.
    #[error(transparent)]
    Failed(#[from] ServiceError),
}

impl From<StoreError> for WebhookRefused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<BadSecret> for WebhookRefused {
    fn from(bad: BadSecret) -> Self {
        Self::Secret(bad.to_string())
    }
}

impl Services {
    /// Makes a webhook. What its address resolves to is judged at each delivery; here, what can
    /// be judged without asking.
    pub async fn create_webhook(
        &self,
        tenant: Tenant,
        draft: WebhookDraft<'_>,
    ) -> Result<KeyedWebhook, WebhookRefused> {
        self.check_address(draft.url)?;
        let secret = self.secret_or_new(draft.secret)?;
        let id: WebhookId = self.ids.mint();
        let sealed = self.seal_secret(tenant, id, &secret)?;
        let mut tx = self.store.begin(tenant).await?;
        let added = tx
            .webhooks()
            .add(&NewWebhook {
                id,
                name: draft.name,
                url: draft.url,
                events: draft.events,
                is_active: draft.is_active,
                secret: &sealed,
            })
            .await?;
        let webhook = added.ok_or(WebhookRefused::TooMany)?;
        tx.commit().await?;
        Ok(KeyedWebhook {
            webhook,
            secret: secret.expose().to_owned(),
        })
    }

    /// Changes a webhook.
    pub async fn update_webhook(
        &self,
        tenant: Tenant,
        id: WebhookId,
        change: WebhookChange<'_>,
    ) -> Result<Webhook, WebhookRefused> {
        if let Some(url) = change.url {
            self.check_address(url)?;
        }
        let secret = change.secret.map(WebhookSecret::parse).transpose()?;
        let sealed = secret
            .map(|secret| self.seal_secret(tenant, id, &secret))
            .transpose()?;
        let mut tx = self.store.begin(tenant).await?;
        let patch = WebhookPatch {
            name: change.name,
            url: change.url,
            events: change.events,
            is_active: change.is_active,
            secret: sealed.as_deref(),
        };
        let webhook = tx.webhooks().update(id, &patch).await?;
        let webhook = webhook.ok_or(WebhookRefused::NotFound)?;
        tx.commit().await?;
        Ok(webhook)
    }

    /// Removes a webhook, with what is on its way to it.
    pub async fn delete_webhook(
        &self,
        tenant: Tenant,
        id: WebhookId,
    ) -> Result<(), WebhookRefused> {
        // Off first, for everybody to see: nothing more is queued for it, which the deletion
        // would have to wait for.
        let off = WebhookPatch {
            is_active: Some(false),
            ..WebhookPatch::default()
        };
        let mut tx = self.store.begin(tenant).await?;
        let found = tx.webhooks().update(id, &off).await?;
        found.ok_or(WebhookRefused::NotFound)?;
        tx.commit().await?;
        let mut tx = self.store.begin(tenant).await?;
        if !tx.webhooks().delete(id).await? {
            return Err(WebhookRefused::NotFound);
        }
        tx.commit().await?;
        Ok(())
    }

    /// Begins a rotation: the new secret and the one before it both sign, for a day or until it
    /// is activated. Until then there is no other, unless its secret is to be replaced: the first
    /// answer was lost. Otherwise receivers may have it.
    pub async fn rotate_webhook_secret(
        &self,
        tenant: Tenant,
        id: WebhookId,
        secret: Option<&str>,
        replace: bool,
    ) -> Result<KeyedWebhook, WebhookRefused> {
        let secret = self.secret_or_new(secret)?;
        let sealed = self.seal_secret(tenant, id, &secret)?;
        let mut tx = self.store.begin(tenant).await?;
        let webhook = tx
            .webhooks()
            .rotate_secret(id, &sealed, ROTATION, replace)
            .await?;
        let webhook = webhook.ok_or(WebhookRefused::NotFound)?;
        tx.commit().await?;
        if let Some(until) = webhook.previous_until.filter(|_| webhook.secret != sealed) {
            return Err(WebhookRefused::RotationUnderWay { until });
        }
        Ok(KeyedWebhook {
            webhook,
            secret: secret.expose().to_owned(),
        })
    }

    /// Ends a rotation: from now on the new secret alone signs.
    pub async fn activate_webhook_secret(
        &self,
        tenant: Tenant,
        id: WebhookId,
    ) -> Result<Webhook, WebhookRefused> {
        let mut tx = self.store.begin(tenant).await?;
        let webhook = tx.webhooks().lookup(id).await?;
        let webhook = webhook.ok_or(WebhookRefused::NotFound)?;
        if webhook.previous_until.is_none() {
            return Err(WebhookRefused::NoRotation);
        }
        let webhook = tx.webhooks().activate_secret(id).await?;
        let webhook = webhook.ok_or(WebhookRefused::NotFound)?;
        tx.commit().await?;
        Ok(webhook)
    }

    /// Sends what fits again, in steps: whoever sends meanwhile does not wait. Answers how
    /// many.
    pub async fn replay_webhook(
        &self,
        tenant: Tenant,
        id: WebhookId,
        mut range: ReplayRange,
    ) -> Result<u64, WebhookRefused> {
        let mut replayed = 0;
        loop {
            let mut tx = self.store.begin(tenant).await?;
            let webhook = tx.webhooks().lookup(id).await?;
            if !webhook.ok_or(WebhookRefused::NotFound)?.is_active {
                return Err(WebhookRefused::Off);
            }
            let step = tx
                .deliveries()
                .replay_range(id, range, REPLAYED_AT_A_TIME)
                .await?;
            tx.commit().await?;
            replayed += step.count;
            match step.next {
                Some(rest) => range = rest,
                None => return Ok(replayed),
            }
        }
    }

    /// What is kept is what was given, and is to be what is called: nothing in it that is left
    /// out on the way.
    fn check_address(&self, url: &str) -> Result<(), WebhookRefused> {
        let address = |sentence| Err(WebhookRefused::Address(sentence));
        if url.chars().any(char::is_control) {
            return address("The address contains control characters");
        }
        let parsed = self.outbound.check_url(url, Purpose::Webhook)?;
        if parsed.fragment().is_some() {
            return address("The address has a fragment (#…), which is never sent");
        }
        Ok(())
    }

    fn secret_or_new(&self, secret: Option<&str>) -> Result<WebhookSecret, BadSecret> {
        match secret {
            Some(text) => WebhookSecret::parse(text),
            None => Ok(WebhookSecret::generate(&self.ids)),
        }
    }
}
