use mf_domain::SessionId;
use uuid::Uuid;

use crate::{StoreResult, TenantTx};

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
