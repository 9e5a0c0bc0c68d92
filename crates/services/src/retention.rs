use crate::{ServiceError, Services};

/// Messages removed in one transaction.
const BATCH: i64 = 1000;

impl Services {
    /// Removes messages that their tenants want kept no longer, in small steps: whoever sends
    /// meanwhile does not wait.
    pub async fn expire_messages(&self) -> Result<(), ServiceError> {
        loop {
            let mut tx = self.store.system("messages of all tenants expire").await?;
            let gone = tx.expire_messages(BATCH).await?;
            tx.commit().await?;
            if gone > 0 {
                metrics::counter!("messages_expired_total").increment(gone);
            }
            if gone == 0 || self.shutdown.is_cancelled() {
                break;
            }
        }
        let mut tx = self
            .store
            .system("reports of messages that never came are forgotten")
            .await?;
        tx.sweep_message_marks().await?;
        tx.commit().await?;
        Ok(())
    }
}
