use sqlx::{PgConnection, Postgres, Transaction};

use crate::{
    StoreResult, Tenant, Wake,
    alive::Alive,
    api_key::ApiKeys,
    callback::RejectedCallbacks,
    chat::Chats,
    contact::Contacts,
    delivery::Deliveries,
    event::Events,
    media::MediaFiles,
    message::Messages,
    outbox::Outbox,
    refresh_token::RefreshTokens,
    session::Sessions,
    tenant::Tenants,
    user::Users,
    voice::{Polls, Reactions},
    wa_label::WaLabels,
    webhook::Webhooks,
};

/// A transaction in which there is one tenant. Whatever it does not commit never was.
pub struct TenantTx {
    tx: Transaction<'static, Postgres>,
    tenant: Tenant,
    wake: Wake,
    pub(crate) grew: bool,
    pub(crate) queued: bool,
    pub(crate) awaits_media: bool,
}

impl std::fmt::Debug for TenantTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantTx")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl TenantTx {
    pub(crate) fn new(tx: Transaction<'static, Postgres>, tenant: Tenant, wake: Wake) -> Self {
        Self {
            tx,
            tenant,
            wake,
            grew: false,
            queued: false,
            awaits_media: false,
        }
    }

    /// Whose data this is.
    pub fn tenant(&self) -> Tenant {
        self.tenant
    }

    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// The tenant's sessions.
    pub fn sessions(&mut self) -> Sessions<'_> {
        Sessions { tx: self }
    }

    /// The tenant's messages, and the chats and contacts that come with them.
    pub fn messages(&mut self) -> Messages<'_> {
        Messages { tx: self }
    }

    /// The tenant's conversations.
    pub fn chats(&mut self) -> Chats<'_> {
        Chats { tx: self }
    }

    /// The people that the tenant's sessions have met.
    pub fn contacts(&mut self) -> Contacts<'_> {
        Contacts { tx: self }
    }

    /// How people reacted to messages.
    pub fn reactions(&mut self) -> Reactions<'_> {
        Reactions { tx: self }
    }

    /// How people voted in polls.
    pub fn polls(&mut self) -> Polls<'_> {
        Polls { tx: self }
    }

    /// WhatsApp's own labels.
    pub fn wa_labels(&mut self) -> WaLabels<'_> {
        WaLabels { tx: self }
    }

    /// The tenant's pending messages, by claim.
    pub fn outbox(&mut self) -> Outbox<'_> {
        Outbox { tx: self }
    }

    /// The tenant's files.
    pub fn media(&mut self) -> MediaFiles<'_> {
        MediaFiles { tx: self }
    }

    /// The tenant's API keys.
    pub fn api_keys(&mut self) -> ApiKeys<'_> {
        ApiKeys { tx: self }
    }

    /// The tenant's users.
    pub fn users(&mut self) -> Users<'_> {
        Users { tx: self }
    }

    /// The tenant's refresh tokens.
    pub fn refresh_tokens(&mut self) -> RefreshTokens<'_> {
        RefreshTokens { tx: self }
    }

    /// The tenant itself.
    pub fn tenants(&mut self) -> Tenants<'_> {
        Tenants { tx: self }
    }

    /// The tenant's event log.
    pub fn events(&mut self) -> Events<'_> {
        Events { tx: self }
    }

    /// The tenant's webhooks.
    pub fn webhooks(&mut self) -> Webhooks<'_> {
        Webhooks { tx: self }
    }

    /// What is on its way to the tenant's webhooks, and what became of it.
    pub fn deliveries(&mut self) -> Deliveries<'_> {
        Deliveries { tx: self }
    }

    /// Callbacks that could not be read.
    pub fn rejected_callbacks(&mut self) -> RejectedCallbacks<'_> {
        RejectedCallbacks { tx: self }
    }

    /// Makes it so, and wakes whoever waits for what was written.
    pub async fn commit(self) -> StoreResult<()> {
        self.tx.commit().await?;
        if self.grew {
            self.wake.ring_events();
        }
        if self.queued {
            self.wake.ring_deliveries();
        }
        if self.awaits_media {
            self.wake.ring_media();
        }
        Ok(())
    }
}

/// A transaction that sees every tenant: for credentials, queues and the operator.
pub struct SystemTx {
    tx: Transaction<'static, Postgres>,
    pub(crate) alive: Alive,
}

impl std::fmt::Debug for SystemTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SystemTx")
    }
}

impl SystemTx {
    pub(crate) fn new(tx: Transaction<'static, Postgres>, alive: Alive) -> Self {
        Self { tx, alive }
    }

    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Makes it so.
    pub async fn commit(self) -> StoreResult<()> {
        self.tx.commit().await?;
        Ok(())
    }
}
