use chrono::{DateTime, Utc};
use mf_domain::{SessionId, TenantId};
use uuid::Uuid;

use crate::{StoreResult, SystemTx, TenantTx};

/// A callback that was ours to read and that we could not.
#[derive(Debug)]
pub struct NewRejected<'a> {
    /// Its id.
    pub id: Uuid,
    /// The session that it is about.
    pub session_id: SessionId,
    /// What stood in the way.
    pub reason: &'a str,
    /// The bytes as they came.
    pub body: &'a [u8],
}

/// One that was kept.
#[derive(Clone)]
pub struct RejectedCallback {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The session that it is about.
    pub session_id: SessionId,
    /// What stood in the way.
    pub reason: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// The bytes as they came.
    pub body: Vec<u8>,
}

/// Without the body, which may be somebody's message.
impl std::fmt::Debug for RejectedCallback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RejectedCallback")
            .field("id", &self.id)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// See [`TenantTx::rejected_callbacks`].
#[derive(Debug)]
pub struct RejectedCallbacks<'t> {
    pub(crate) tx: &'t mut TenantTx,
}

impl RejectedCallbacks<'_> {
    /// Keeps one.
    pub async fn add(self, new: &NewRejected<'_>) -> StoreResult<()> {
        sqlx::query!(
            "INSERT INTO rejected_callback (id, tenant_id, session_id, reason, body)
             VALUES ($1, $2, $3, $4, $5)",
            new.id,
            self.tx.tenant().id().uuid(),
            new.session_id.uuid(),
            new.reason,
            new.body,
        )
        .execute(self.tx.conn())
        .await?;
        Ok(())
    }
}

impl SystemTx {
    /// Callbacks that could not be read, newest first; of one tenant, or of all.
    pub async fn rejected_callbacks(
        &mut self,
        tenant: Option<TenantId>,
        limit: i64,
    ) -> StoreResult<Vec<RejectedCallback>> {
        let rows = sqlx::query_as!(
            RejectedCallback,
            "SELECT id, tenant_id, session_id, reason, received_at, body
             FROM rejected_callback WHERE $1::uuid IS NULL OR tenant_id = $1
             ORDER BY received_at DESC, id DESC LIMIT $2",
            tenant.map(TenantId::uuid),
            limit
        )
        .fetch_all(self.conn())
        .await?;
        Ok(rows)
    }

    /// One of them.
    pub async fn rejected_callback(&mut self, id: Uuid) -> StoreResult<Option<RejectedCallback>> {
        let row = sqlx::query_as!(
            RejectedCallback,
            "SELECT id, tenant_id, session_id, reason, received_at, body
             FROM rejected_callback WHERE id = $1",
            id
        )
        .fetch_optional(self.conn())
        .await?;
        Ok(row)
    }

    /// Removes one: it was read after all, or is of no use. `false` where there is none.
    pub async fn drop_rejected(&mut self, id: Uuid) -> StoreResult<bool> {
        let gone = sqlx::query!("DELETE FROM rejected_callback WHERE id = $1", id)
            .execute(self.conn())
            .await?;
        Ok(gone.rows_affected() > 0)
    }
}
