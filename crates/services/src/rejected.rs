//! Callbacks that could not be read, and were kept for somebody to look at.

use mf_store::{RejectedCallback, StoreResult};
use uuid::Uuid;

use crate::{CallbackRefused, Services};

impl Services {
    /// A callback that was kept. `None` where there is none of this id.
    pub async fn rejected(&self, id: Uuid) -> StoreResult<Option<RejectedCallback>> {
        let mut tx = self
            .store
            .system("the operator names the callback, not its tenant")
            .await?;
        let rejected = tx.rejected_callback(id).await?;
        tx.commit().await?;
        Ok(rejected)
    }

    /// Takes a kept callback in again, as when it came: for one that an older version could not
    /// read. It is kept no longer if that succeeds. `false` where there is none of this id.
    pub async fn retry_rejected(&self, id: Uuid) -> Result<bool, CallbackRefused> {
        let Some(rejected) = self.rejected(id).await? else {
            return Ok(false);
        };
        self.take_again(&rejected).await?;
        self.drop_rejected(id).await?;
        Ok(true)
    }

    /// Throws a kept callback away. `false` where there is none of this id.
    pub async fn drop_rejected(&self, id: Uuid) -> StoreResult<bool> {
        let mut tx = self
            .store
            .system("the operator names the callback, not its tenant")
            .await?;
        let dropped = tx.drop_rejected(id).await?;
        tx.commit().await?;
        Ok(dropped)
    }
}
