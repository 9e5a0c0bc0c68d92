use tracing::warn;

use crate::{ServiceError, Services};

/// Files removed in one transaction.
const BATCH: i64 = 200;

impl Services {
    /// Removes files that no message refers to any more: their messages expired, were taken
    /// back, or never sent.
    pub async fn sweep_media(&self) -> Result<(), ServiceError> {
        loop {
            let mut tx = self.store.system("files of all tenants are swept").await?;
            let orphans = tx.orphaned_media(BATCH).await?;
            tx.commit().await?;
            let mut removed = Vec::with_capacity(orphans.len());
            // The bytes first: a row without bytes is found again, bytes without a row are not.
            for (tenant, id) in orphans {
                match self.files.delete(Self::file_key(tenant.id(), id)).await {
                    Ok(()) => removed.push(id),
                    Err(error) => warn!(error = %error, "a file could not be removed"),
                }
            }
            if removed.is_empty() {
                return Ok(());
            }
            let mut tx = self.store.system("files of all tenants are swept").await?;
            tx.forget_media(&removed).await?;
            tx.commit().await?;
        }
    }
}
