//! WhatsApp numbers: what is asked of them, and what becomes of it.

mod lifecycle;
mod pairing;
mod recovery;
pub(crate) mod status;

use mf_domain::{SessionId, SessionName, SessionStatus};
use mf_engine::{EngineError, SessionKey, SessionSpec};
use mf_store::{NewSession, Session, StoreError, Tenant, TenantTx};

use crate::{ServiceError, Services};

pub use pairing::QrCode;

/// Bytes of a session's callback key.
const CALLBACK_KEY: usize = 32;

/// Why a session does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SessionRefused {
    /// There is none of this id in this tenant.
    #[error("Session not found")]
    NotFound,
    /// There is no QR code at present.
    #[error("There is no QR code: the session is {status}. {hint}")]
    NoQrCode {
        /// Where the session stands.
        status: SessionStatus,
        /// What to do about it.
        hint: &'static str,
    },
    /// No pairing code can be had at present.
    #[error("There is no pairing code: the session is {status}. {hint}")]
    NoPairingCode {
        /// Where the session stands.
        status: SessionStatus,
        /// What to do about it.
        hint: &'static str,
    },
    /// Something beneath failed.
    #[error(transparent)]
    Failed(#[from] ServiceError),
}

impl From<StoreError> for SessionRefused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<EngineError> for SessionRefused {
    fn from(error: EngineError) -> Self {
        Self::Failed(error.into())
    }
}

impl Services {
    /// Adds a session, stopped. The engine hears of it when it is started.
    pub async fn create_session(
        &self,
        tenant: Tenant,
        name: &SessionName,
    ) -> Result<Session, ServiceError> {
        let id: SessionId = self.ids.mint();
        let secret = self.ids.bytes::<CALLBACK_KEY>();
        let sealed = self.vault.seal(id.uuid().as_bytes(), &secret)?;
        let mut tx = self.store.begin(tenant).await?;
        let session = tx
            .sessions()
            .add(&NewSession {
                id,
                name,
                callback_secret: &sealed,
            })
            .await?;
        tx.commit().await?;
        Ok(session)
    }

    /// One session of a tenant.
    pub async fn session(&self, tenant: Tenant, id: SessionId) -> Result<Session, SessionRefused> {
        let mut tx = self.store.begin(tenant).await?;
        let session = tx.sessions().lookup(id).await?;
        tx.commit().await?;
        session.ok_or(SessionRefused::NotFound)
    }

    /// What the engine must know of a session.
    async fn session_spec(
        &self,
        tx: &mut TenantTx,
        id: SessionId,
    ) -> Result<SessionSpec, SessionRefused> {
        let sealed = tx
            .sessions()
            .callback_secret(id)
            .await?
            .ok_or(SessionRefused::NotFound)?;
        let callback_secret = self
            .vault
            .open(id.uuid().as_bytes(), &sealed)
            .map_err(ServiceError::from)?;
        Ok(SessionSpec {
            key: SessionKey::of(id),
            tenant_id: tx.tenant().id(),
            session_id: id,
            callback_url: self.settings.callback_url(id),
            callback_secret,
        })
    }
}
