use sqlx::postgres::PgListener;

use crate::{Store, StoreResult, SystemTx, TenantTx};

const CHANNEL: &str = "moltflow_credentials";

/// Tells when a credential was changed by anybody: another replica, the command line.
///
/// Changes to credentials are rare, so a `NOTIFY` in their transaction costs nothing that
/// matters; it arrives after the commit, and only then.
#[derive(Debug)]
pub struct CredentialWatch {
    listener: PgListener,
}

impl Store {
    /// Starts to listen. Whatever changed before this call is not told.
    pub async fn watch_credentials(&self) -> StoreResult<CredentialWatch> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(CredentialWatch { listener })
    }
}

impl CredentialWatch {
    /// Waits for a change. An error says that changes may have been missed: whoever keeps
    /// credentials in memory must forget them all, and begin to watch anew.
    pub async fn changed(&mut self) -> StoreResult<()> {
        match self.listener.try_recv().await? {
            Some(_) => Ok(()),
            // The connection was lost, and what was told meanwhile with it.
            None => Err(sqlx::Error::PoolClosed.into()),
        }
    }
}

impl TenantTx {
    /// Tells every replica, once this is committed, that a credential changed.
    pub async fn announce_credential_change(&mut self) -> StoreResult<()> {
        sqlx::query!("SELECT pg_notify($1, '')", CHANNEL)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}

impl SystemTx {
    /// Tells every replica, once this is committed, that a credential changed.
    pub async fn announce_credential_change(&mut self) -> StoreResult<()> {
        sqlx::query!("SELECT pg_notify($1, '')", CHANNEL)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
