use chrono::{DateTime, TimeDelta, Utc};
use mf_domain::{EventName, SessionId, SessionName, SessionStatus};
use mf_engine::{EngineError, EngineSession, SessionKey, SessionSpec};
use mf_store::{NewSession, ReportedStatus, Session, StoreError, Tenant, TenantTx};
use tracing::warn;

use crate::{ServiceError, Services};

/// How long WhatsApp shows a code before it shows the next.
const QR_LIFETIME: TimeDelta = TimeDelta::seconds(20);
/// Bytes of a session's callback key.
const CALLBACK_KEY: usize = 32;

/// The code that a phone scans.
#[derive(Debug, Clone)]
pub struct QrCode {
    /// What the code says.
    pub text: String,
    /// Until when it can be counted on. The first code of a pairing lives longer.
    pub expires_at: Option<DateTime<Utc>>,
}

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

    /// Starts a session. One that runs already is left alone.
    ///
    /// The answer is the session as it is when the engine has taken the order: usually
    /// `starting`. What comes of it comes by callback.
    pub async fn start_session(
        &self,
        tenant: Tenant,
        id: SessionId,
    ) -> Result<Session, SessionRefused> {
        let _turn = self.lifecycles.ticket(id).turn().await;
        let session = self.session(tenant, id).await?;
        if session.status.is_running() {
            return Ok(session);
        }
        let spec = self.begin_start(tenant, id).await?;
        let started = self.engine.start(&spec).await;
        self.end_start(tenant, id, started).await
    }

    /// Stops a session and starts it again.
    pub async fn restart_session(
        &self,
        tenant: Tenant,
        id: SessionId,
    ) -> Result<Session, SessionRefused> {
        let _turn = self.lifecycles.ticket(id).turn().await;
        self.session(tenant, id).await?;
        let spec = self.begin_start(tenant, id).await?;
        let started = self.engine.restart(&spec).await;
        self.end_start(tenant, id, started).await
    }

    /// Stops a session. The pairing is kept.
    pub async fn stop_session(
        &self,
        tenant: Tenant,
        id: SessionId,
    ) -> Result<Session, SessionRefused> {
        let _turn = self.lifecycles.ticket(id).turn().await;
        self.session(tenant, id).await?;
        self.engine.stop(&SessionKey::of(id)).await?;
        self.settle_stopped(tenant, id, false).await
    }

    /// Gives up a session's pairing: the next start shows a new QR code.
    pub async fn logout_session(
        &self,
        tenant: Tenant,
        id: SessionId,
    ) -> Result<Session, SessionRefused> {
        let _turn = self.lifecycles.ticket(id).turn().await;
        self.session(tenant, id).await?;
        match self.engine.logout(&SessionKey::of(id)).await {
            Ok(()) | Err(EngineError::SessionMissing) => {}
            Err(error) => return Err(error.into()),
        }
        self.settle_stopped(tenant, id, true).await
    }

    /// Removes a session, at the engine first: what is gone here could not be removed there.
    pub async fn delete_session(
        &self,
        tenant: Tenant,
        id: SessionId,
    ) -> Result<(), SessionRefused> {
        let _turn = self.lifecycles.ticket(id).turn().await;
        self.session(tenant, id).await?;
        self.engine.delete(&SessionKey::of(id)).await?;
        let mut tx = self.store.begin(tenant).await?;
        let deleted = tx.sessions().delete(id).await?;
        tx.commit().await?;
        if deleted {
            Ok(())
        } else {
            Err(SessionRefused::NotFound)
        }
    }

    /// The QR code that a session shows at present.
    pub async fn session_qr(
        &self,
        tenant: Tenant,
        id: SessionId,
    ) -> Result<QrCode, SessionRefused> {
        let session = self.session(tenant, id).await?;
        if session.status != SessionStatus::QrCode {
            return Err(no_qr_code(session.status));
        }
        match self.engine.qr(&SessionKey::of(id)).await {
            Ok(text) => {
                let expires_at = session.engine_status_at.map(|since| since + QR_LIFETIME);
                Ok(QrCode { text, expires_at })
            }
            Err(EngineError::NotReady { status }) => {
                Err(no_qr_code(status.unwrap_or(SessionStatus::Starting)))
            }
            Err(error) => Err(error.into()),
        }
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

    /// Writes down that a session is to run, before the engine is told: so that its callbacks,
    /// which may come before its answer, find the session on its way.
    pub(crate) async fn begin_start(
        &self,
        tenant: Tenant,
        id: SessionId,
    ) -> Result<SessionSpec, SessionRefused> {
        let mut tx = self.store.begin(tenant).await?;
        let spec = self.session_spec(&mut tx, id).await?;
        tx.sessions().want(id, true).await?;
        let starting = ReportedStatus {
            status: Some(SessionStatus::Starting),
            ..ReportedStatus::default()
        };
        self.report_status(&mut tx, id, &starting).await?;
        tx.commit().await?;
        Ok(spec)
    }

    pub(crate) async fn end_start(
        &self,
        tenant: Tenant,
        id: SessionId,
        started: Result<EngineSession, EngineError>,
    ) -> Result<Session, SessionRefused> {
        let report = match &started {
            // Where it stands already, a callback may never say.
            Ok(session) => ReportedStatus {
                only_from: Some(SessionStatus::Starting),
                ..of_engine(session)
            },
            Err(error) => ReportedStatus {
                status: Some(SessionStatus::Failed),
                error: Some(format!("The session could not be started: {error}.")),
                ..ReportedStatus::default()
            },
        };
        let mut tx = self.store.begin(tenant).await?;
        if started.is_err() {
            tx.sessions().want(id, false).await?;
        }
        self.report_status(&mut tx, id, &report).await?;
        let session = tx.sessions().lookup(id).await?;
        tx.commit().await?;
        started?;
        session.ok_or(SessionRefused::NotFound)
    }

    async fn settle_stopped(
        &self,
        tenant: Tenant,
        id: SessionId,
        unpaired: bool,
    ) -> Result<Session, SessionRefused> {
        let mut tx = self.store.begin(tenant).await?;
        tx.sessions().want(id, false).await?;
        if unpaired {
            tx.sessions().forget_pairing(id).await?;
        }
        let stopped = ReportedStatus {
            status: Some(SessionStatus::Stopped),
            ..ReportedStatus::default()
        };
        self.report_status(&mut tx, id, &stopped).await?;
        let session = tx.sessions().lookup(id).await?;
        tx.commit().await?;
        session.ok_or(SessionRefused::NotFound)
    }

    /// Takes in a status, and writes with it whatever there is to tell.
    pub(crate) async fn report_status(
        &self,
        tx: &mut TenantTx,
        id: SessionId,
        report: &ReportedStatus,
    ) -> Result<(), ServiceError> {
        let Some(change) = tx.sessions().report(id, report).await? else {
            return Ok(());
        };
        let (before, now) = (change.before, change.session.status);
        self.tell_session(tx, EventName::SessionStatus, &change.session, before)
            .await?;
        let working = now == SessionStatus::Working;
        if working && !change.was_connected {
            self.tell_session(tx, EventName::SessionConnected, &change.session, before)
                .await?;
        }
        // On its way back is no disconnection, and coming back then none of the other.
        if change.was_connected && !working && now != SessionStatus::Starting {
            self.tell_session(tx, EventName::SessionDisconnected, &change.session, before)
                .await?;
        }
        if now == SessionStatus::Failed {
            warn!(session.id = %id, from = %before, "a session failed");
        }
        Ok(())
    }
}

/// What an engine's view of a session says about its status. A state without a word of ours
/// changes nothing but the reason shown.
pub(crate) fn of_engine(session: &EngineSession) -> ReportedStatus {
    ReportedStatus {
        status: session.status,
        phone: session.me.as_ref().and_then(|me| me.phone.clone()),
        push_name: session.me.as_ref().and_then(|me| me.push_name.clone()),
        error: session
            .status
            .is_none()
            .then(|| format!("The engine reports the state {}.", session.raw_status)),
        ..ReportedStatus::default()
    }
}

fn no_qr_code(status: SessionStatus) -> SessionRefused {
    let hint = match status {
        SessionStatus::Working => "It is paired already.",
        SessionStatus::Starting => "Wait until it is qr_code.",
        SessionStatus::QrCode => "Ask again in a moment.",
        SessionStatus::Stopped | SessionStatus::Failed => "Start it first.",
    };
    SessionRefused::NoQrCode { status, hint }
}
