use chrono::{DateTime, Utc};
use mf_domain::{ContentStorage, PlanId, TenantId};

use crate::{StoreResult, SystemTx, TenantTx, word::Word};

/// Proof that somebody may act for a tenant. Only this crate makes one: from a credential that
/// it looked up, or from a row that belongs to the tenant. So no handler can name a wrong one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tenant(TenantId);

impl Tenant {
    pub(crate) const fn new(id: TenantId) -> Self {
        Self(id)
    }

    /// Whose proof it is.
    pub const fn id(self) -> TenantId {
        self.0
    }
}

/// A tenant as its users see it.
#[derive(Debug, Clone)]
pub struct TenantInfo {
    /// Its id.
    pub id: TenantId,
    /// What it is called.
    pub name: String,
    /// Its plan.
    pub plan_id: String,
    /// Whether it is suspended.
    pub is_active: bool,
    /// Whether API keys may read the history of chats.
    pub chat_history_access_enabled: bool,
    /// After how many days messages are removed. `None`: never.
    pub message_retention_days: Option<i32>,
    /// How much of a message's text is kept.
    pub store_message_content: ContentStorage,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What a tenant has set for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantSettings {
    /// Whether API keys may read the history of chats.
    pub chat_history_access_enabled: bool,
    /// After how many days messages are removed. `None`: never.
    pub message_retention_days: Option<i32>,
    /// How much of a message's text is kept.
    pub store_message_content: ContentStorage,
}

/// A change of settings. What is `None` stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct SettingsPatch {
    /// Whether API keys may read the history of chats.
    pub chat_history_access_enabled: Option<bool>,
    /// After how many days messages are removed, 1 to 3650. `Some(None)`: never.
    pub message_retention_days: Option<Option<i32>>,
    /// How much of a message's text is kept.
    pub store_message_content: Option<ContentStorage>,
}

/// A tenant to be.
#[derive(Debug)]
pub struct NewTenant<'a> {
    /// Its id.
    pub id: TenantId,
    /// What it is called.
    pub name: &'a str,
    /// Its plan, which must exist.
    pub plan: &'a PlanId,
}

/// See [`TenantTx::tenants`].
#[derive(Debug)]
pub struct Tenants<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl Tenants<'_> {
    /// The tenant whose transaction this is.
    pub async fn current(self) -> StoreResult<TenantInfo> {
        let id = self.tx.tenant().id();
        let row = sqlx::query_as!(
            TenantInfo,
            r#"SELECT id, name, plan_id, status = 'active' AS "is_active!",
                      chat_history_access_enabled, message_retention_days,
                      store_message_content AS "store_message_content: Word<ContentStorage>",
                      created_at
               FROM tenant WHERE id = $1"#,
            id.uuid()
        )
        .fetch_one(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// What the tenant has set for itself.
    pub async fn settings(self) -> StoreResult<TenantSettings> {
        let id = self.tx.tenant().id();
        let row = sqlx::query_as!(
            TenantSettings,
            r#"SELECT chat_history_access_enabled, message_retention_days,
                      store_message_content AS "store_message_content: Word<ContentStorage>"
               FROM tenant WHERE id = $1"#,
            id.uuid()
        )
        .fetch_one(self.tx.conn())
        .await?;
        Ok(row)
    }

    /// Changes settings, and answers all of them.
    ///
    /// A number of days that makes no sense is refused by `tenant_message_retention_days_check`.
    pub async fn update_settings(self, patch: &SettingsPatch) -> StoreResult<TenantSettings> {
        let id = self.tx.tenant().id();
        let row = sqlx::query_as!(
            TenantSettings,
            r#"UPDATE tenant
               SET chat_history_access_enabled = coalesce($2, chat_history_access_enabled),
                   message_retention_days = CASE WHEN $3 THEN $4 ELSE message_retention_days END,
                   store_message_content = coalesce($5, store_message_content),
                   updated_at = now()
               WHERE id = $1
               RETURNING chat_history_access_enabled, message_retention_days,
                   store_message_content AS "store_message_content: Word<ContentStorage>""#,
            id.uuid(),
            patch.chat_history_access_enabled,
            patch.message_retention_days.is_some(),
            patch.message_retention_days.flatten(),
            patch.store_message_content.map(ContentStorage::as_str),
        )
        .fetch_one(self.tx.conn())
        .await?;
        Ok(row)
    }
}

impl SystemTx {
    /// Adds a tenant. Those on the `self_hosted` plan may read their history from the start:
    /// whoever runs the server for themselves is not protected from themselves.
    ///
    /// An unknown plan is refused by `tenant_plan_id_fkey`.
    pub async fn add_tenant(&mut self, new: &NewTenant<'_>) -> StoreResult<Tenant> {
        sqlx::query!(
            "INSERT INTO tenant (id, name, plan_id, chat_history_access_enabled)
             VALUES ($1, $2, $3, $4)",
            new.id.uuid(),
            new.name,
            new.plan.as_str(),
            new.plan.as_str() == PlanId::SELF_HOSTED,
        )
        .execute(self.conn())
        .await?;
        Ok(Tenant::new(new.id))
    }

    /// The tenant of this id, for the operator's commands.
    pub async fn tenant(&mut self, id: TenantId) -> StoreResult<Option<Tenant>> {
        let id = sqlx::query_scalar!("SELECT id FROM tenant WHERE id = $1", id.uuid())
            .fetch_optional(self.conn())
            .await?;
        Ok(id.map(|id| Tenant::new(id.into())))
    }

    /// All tenants, oldest first.
    pub async fn list_tenants(&mut self) -> StoreResult<Vec<TenantInfo>> {
        let rows = sqlx::query_as!(
            TenantInfo,
            r#"SELECT id, name, plan_id, status = 'active' AS "is_active!",
                      chat_history_access_enabled, message_retention_days,
                      store_message_content AS "store_message_content: Word<ContentStorage>",
                      created_at
               FROM tenant ORDER BY created_at, id"#
        )
        .fetch_all(self.conn())
        .await?;
        Ok(rows)
    }
}
