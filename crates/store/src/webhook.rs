use chrono::{DateTime, Utc};
use mf_domain::{DELIVERY_CAP, MAX_WEBHOOKS, WebhookId};
use sqlx::query_as;

use crate::{StoreResult, TenantTx};

/// Where a tenant wants events sent to, and how that goes.
#[derive(Clone)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// What it is called.
    pub name: String,
    /// Where events go.
    pub url: String,
    /// Which ones, by name; `*` is all.
    pub events: Vec<String>,
    /// Whether anything is sent.
    pub is_active: bool,
    /// What signs, sealed.
    pub secret: Vec<u8>,
    /// What signed before the rotation that is under way at this moment, sealed.
    pub previous_secret: Option<Vec<u8>>,
    /// Until when that counts. `None`: it does no longer.
    pub previous_until: Option<DateTime<Utc>>,
    /// Why the server switched it off, if it did.
    pub disabled_reason: Option<String>,
    /// And when.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When its endpoint last took something.
    pub last_delivery_at: Option<DateTime<Utc>>,
    /// Failed attempts since then.
    pub failure_count: i32,
    /// When the first of them was.
    pub failing_since: Option<DateTime<Utc>>,
    /// What the last of them was told.
    pub last_error: Option<String>,
    /// Nothing is sent before this: it failed too often in a row, or asked for a pause. `None`
    /// where that is over.
    pub blocked_until: Option<DateTime<Utc>>,
    /// Events that it took, since it was made.
    pub delivered_count: i64,
    /// Attempts that failed, since it was made.
    pub failed_attempt_count: i64,
    /// How long its endpoint takes, in milliseconds: a moving average.
    pub latency_ms: Option<f64>,
}

/// The secrets are sealed, and still nobody's to read in a log; an address may hold a token.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("is_active", &self.is_active)
            .finish_non_exhaustive()
    }
}

/// A webhook to be.
pub struct NewWebhook<'a> {
    /// Its id.
    pub id: WebhookId,
    /// What it is called.
    pub name: &'a str,
    /// Where events go.
    pub url: &'a str,
    /// Which ones.
    pub events: &'a [String],
    /// Whether anything is sent.
    pub is_active: bool,
    /// What signs, sealed.
    pub secret: &'a [u8],
}

/// A change. What is `None` stays.
#[derive(Default)]
pub struct WebhookPatch<'a> {
    /// What it is called.
    pub name: Option<&'a str>,
    /// Where events go. Nothing of what came of another address is held against it.
    pub url: Option<&'a str>,
    /// Which ones.
    pub events: Option<&'a [String]>,
    /// Whether anything is sent. Switched on, it begins anew: nothing is held against it.
    pub is_active: Option<bool>,
    /// What signs from now on, sealed, and nothing beside it.
    pub secret: Option<&'a [u8]>,
}

/// See [`TenantTx::webhooks`].
#[derive(Debug)]
pub struct Webhooks<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

macro_rules! webhook_query {
    ($rest:literal, $($bind:expr),+ $(,)?) => {
        query_as!(
            Webhook,
            "SELECT w.id, w.name, w.url, w.events, w.is_active, w.secret,
                 CASE WHEN w.previous_until > now() THEN w.previous_secret END AS previous_secret,
                 CASE WHEN w.previous_until > now() THEN w.previous_until END AS previous_until,
                 w.disabled_reason, w.disabled_at, w.created_at, w.updated_at,
                 s.last_delivery_at, s.failure_count, s.failing_since, s.last_error,
                 CASE WHEN s.blocked_until > now()
                         AND s.blocked_until <= now() + interval '1 hour'
                     THEN s.blocked_until END AS blocked_until,
                 s.delivered_count, s.failed_attempt_count, s.latency_ms
             FROM webhook w
             JOIN webhook_state s ON s.tenant_id = w.tenant_id AND s.webhook_id = w.id "
                + $rest,
            $($bind),+
        )
    };
}

impl Webhooks<'_> {
    fn tenant(&self) -> uuid::Uuid {
        self.tx.tenant().id().uuid()
    }

    /// Every webhook, newest first.
    pub async fn list(self) -> StoreResult<Vec<Webhook>> {
        let rows = webhook_query!(
            "WHERE w.tenant_id = $1 ORDER BY w.created_at DESC, w.id DESC",
            self.tenant()
        );
        Ok(rows.fetch_all(self.tx.conn()).await?)
    }

    /// One webhook.
    pub async fn lookup(self, id: WebhookId) -> StoreResult<Option<Webhook>> {
        let row = webhook_query!(
            "WHERE w.tenant_id = $1 AND w.id = $2",
            self.tenant(),
            id.uuid()
        );
        Ok(row.fetch_optional(self.tx.conn()).await?)
    }

    /// Adds one. `None` where there are [`MAX_WEBHOOKS`] already: nobody adds another one at
    /// the same time.
    pub async fn add(self, new: &NewWebhook<'_>) -> StoreResult<Option<Webhook>> {
        let tenant = self.tenant();
        sqlx::query!("SELECT FROM tenant WHERE id = $1 FOR NO KEY UPDATE", tenant)
            .execute(self.tx.conn())
            .await?;
        let added = sqlx::query!(
            "WITH new AS (
                 INSERT INTO webhook (id, tenant_id, name, url, events, is_active, secret)
                 SELECT $1, $2, $3, $4, $5, $6, $7
                 WHERE (SELECT count(*) FROM webhook WHERE tenant_id = $2) < $8
                 RETURNING tenant_id, id
             )
             INSERT INTO webhook_state (tenant_id, webhook_id, allowance)
             SELECT tenant_id, id, $9 FROM new",
            new.id.uuid(),
            tenant,
            new.name,
            new.url,
            new.events,
            new.is_active,
            new.secret,
            MAX_WEBHOOKS,
            DELIVERY_CAP,
        )
        .execute(self.tx.conn())
        .await?;
        if added.rows_affected() == 0 {
            return Ok(None);
        }
        self.lookup(new.id).await
    }

    /// Changes one. `None` where there is none of this id.
    pub async fn update(
        self,
        id: WebhookId,
        patch: &WebhookPatch<'_>,
    ) -> StoreResult<Option<Webhook>> {
        let tenant = self.tenant();
        // Locked first: what is compared is not what was there before somebody else's change.
        let anew = sqlx::query_scalar!(
            r#"WITH before AS MATERIALIZED (
                   SELECT coalesce($6, false) AND NOT is_active
                       OR coalesce($4 <> url, false) AS anew
                   FROM webhook WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE
               )
               UPDATE webhook w
               SET name = coalesce($3, w.name), url = coalesce($4, w.url),
                   events = coalesce($5, w.events), is_active = coalesce($6, w.is_active),
                   secret = coalesce($7, w.secret),
                   previous_secret = CASE WHEN $7::bytea IS NULL THEN w.previous_secret END,
                   previous_until = CASE WHEN $7::bytea IS NULL THEN w.previous_until END,
                   disabled_reason = CASE WHEN $6::bool IS NULL THEN w.disabled_reason END,
                   disabled_at = CASE WHEN $6::bool IS NULL THEN w.disabled_at END,
                   generation = w.generation + before.anew::int, updated_at = now()
               FROM before
               WHERE w.tenant_id = $1 AND w.id = $2
               RETURNING before.anew AS "anew!""#,
            tenant,
            id.uuid(),
            patch.name,
            patch.url,
            patch.events,
            patch.is_active,
            patch.secret,
        )
        .fetch_optional(self.tx.conn())
        .await?;
        if anew == Some(true) {
            self.tx.start_anew(id).await?;
        }
        self.lookup(id).await
    }

    /// Puts another secret in the place of the one that signs. Both sign for so long: the one
    /// before signs the plain header, which holds one only.
    ///
    /// A rotation that is under way stays as it is: some receivers have the secret from before it
    /// by then, and some the one that it has brought. With `replace`, the latter is given up, and
    /// its time begins anew. Answers what signs now.
    pub async fn rotate_secret(
        self,
        id: WebhookId,
        secret: &[u8],
        window: std::time::Duration,
        replace: bool,
    ) -> StoreResult<Option<Webhook>> {
        sqlx::query!(
            "UPDATE webhook
             SET previous_secret = CASE WHEN previous_until > now() THEN previous_secret
                     ELSE secret END,
                 previous_until = now() + make_interval(secs => $4),
                 secret = $3, updated_at = now()
             WHERE tenant_id = $1 AND id = $2
               AND ($5 OR previous_until IS NULL OR previous_until <= now())",
            self.tenant(),
            id.uuid(),
            secret,
            window.as_secs_f64(),
            replace,
        )
        .execute(self.tx.conn())
        .await?;
        self.lookup(id).await
    }

    /// Ends a rotation: the new secret alone signs.
    pub async fn activate_secret(self, id: WebhookId) -> StoreResult<Option<Webhook>> {
        sqlx::query!(
            "UPDATE webhook SET previous_secret = NULL, previous_until = NULL, updated_at = now()
             WHERE tenant_id = $1 AND id = $2 AND previous_secret IS NOT NULL",
            self.tenant(),
            id.uuid(),
        )
        .execute(self.tx.conn())
        .await?;
        self.lookup(id).await
    }

    /// Switches one off for a reason of the server's. `None` where it is off already, or has
    /// begun anew since the generation in which the reason arose.
    pub async fn switch_off(
        self,
        id: WebhookId,
        reason: &str,
        generation: i32,
    ) -> StoreResult<Option<Webhook>> {
        let changed = sqlx::query!(
            "UPDATE webhook
             SET is_active = false, disabled_reason = $3, disabled_at = now(), updated_at = now()
             WHERE tenant_id = $1 AND id = $2 AND is_active AND generation = $4",
            self.tenant(),
            id.uuid(),
            reason,
            generation,
        )
        .execute(self.tx.conn())
        .await?;
        if changed.rows_affected() == 0 {
            return Ok(None);
        }
        self.lookup(id).await
    }

    /// Removes one, with all that was on its way to it. `false` where there is none of this id.
    ///
    /// It waits for whoever is just telling an event to it, and while it waits others begin to:
    /// so it is to be switched off before, in a transaction of its own.
    pub async fn delete(self, id: WebhookId) -> StoreResult<bool> {
        // Before any delivery, as everybody does who locks both.
        sqlx::query!(
            "SELECT FROM webhook w
             JOIN webhook_state s ON s.tenant_id = w.tenant_id AND s.webhook_id = w.id
             WHERE w.tenant_id = $1 AND w.id = $2 FOR UPDATE",
            self.tenant(),
            id.uuid(),
        )
        .execute(self.tx.conn())
        .await?;
        let gone = sqlx::query!(
            "DELETE FROM webhook WHERE tenant_id = $1 AND id = $2",
            self.tenant(),
            id.uuid(),
        )
        .execute(self.tx.conn())
        .await?;
        Ok(gone.rows_affected() > 0)
    }
}

impl TenantTx {
    /// Forgets what was held against a webhook. It begins with one delivery at a time, since
    /// much may be waiting for it.
    async fn start_anew(&mut self, id: WebhookId) -> StoreResult<()> {
        sqlx::query!(
            "UPDATE webhook_state
             SET failure_count = 0, failing_since = NULL, last_error = NULL, blocked_until = NULL,
                 block_count = 0, allowance = 1
             WHERE tenant_id = $1 AND webhook_id = $2",
            self.tenant().id().uuid(),
            id.uuid(),
        )
        .execute(self.conn())
        .await?;
        self.queued = true;
        Ok(())
    }
}
