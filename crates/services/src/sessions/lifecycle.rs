//! Orders to a session, and what the engine makes of them.

use mf_domain::{EventName, SessionId, SessionStatus};
use mf_engine::{EngineError, EngineSession, SessionKey, SessionSpec};
use mf_store::{ReportedStatus, Session, Tenant, TenantTx};

use super::{SessionRefused, status::of_engine};
use crate::{ServiceError, Services};

/// Why a message that waited is not sent any more.
const LOGGED_OUT: &str = "The session was logged out before the message was sent.";

impl Services {
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
            self.want(tenant, id, true).await?;
            return Ok(session);
        }
        self.forget_recovery(tenant, id).await?;
        let spec = self.begin_start(tenant, id).await?;
        let started = self.engine.start(&spec).await;
        if started.is_err() {
            // Whoever asked is told so, and asks again.
            self.want(tenant, id, false).await?;
        }
        self.end_start(tenant, id, started).await
    }

    /// Stops a session and starts it again. One that was to run goes on being tried where this
    /// fails.
    pub async fn restart_session(
        &self,
        tenant: Tenant,
        id: SessionId,
    ) -> Result<Session, SessionRefused> {
        let _turn = self.lifecycles.ticket(id).turn().await;
        let before = self.session(tenant, id).await?;
        self.forget_recovery(tenant, id).await?;
        let spec = self.begin_start(tenant, id).await?;
        let started = self.engine.restart(&spec).await;
        if started.is_err() {
            self.want(tenant, id, before.wanted).await?;
        }
        self.end_start(tenant, id, started).await
    }

    /// Stops a session. The pairing is kept.
    pub async fn stop_session(
        &self,
        tenant: Tenant,
        id: SessionId,
    ) -> Result<Session, SessionRefused> {
        let _turn = self.lifecycles.ticket(id).turn().await;
        let before = self.give_up(tenant, id).await?;
        let stopped = self.engine.stop(&SessionKey::of(id)).await;
        self.unless_refused(tenant, &before, stopped).await?;
        self.settle_stopped(tenant, id, false).await
    }

    /// Gives up a session's pairing: the next start shows a new QR code.
    pub async fn logout_session(
        &self,
        tenant: Tenant,
        id: SessionId,
    ) -> Result<Session, SessionRefused> {
        let _turn = self.lifecycles.ticket(id).turn().await;
        let before = self.give_up(tenant, id).await?;
        let done = match self.engine.logout(&SessionKey::of(id)).await {
            Err(EngineError::SessionMissing) => Ok(()),
            done => done,
        };
        self.unless_refused(tenant, &before, done).await?;
        self.settle_stopped(tenant, id, true).await
    }

    /// Removes a session, at the engine first: what is gone here could not be removed there.
    pub async fn delete_session(
        &self,
        tenant: Tenant,
        id: SessionId,
    ) -> Result<(), SessionRefused> {
        let _turn = self.lifecycles.ticket(id).turn().await;
        let before = self.give_up(tenant, id).await?;
        let deleted = self.engine.delete(&SessionKey::of(id)).await;
        self.unless_refused(tenant, &before, deleted).await?;
        let mut tx = self.store.begin(tenant).await?;
        let deleted = tx.sessions().delete(id).await?;
        tx.commit().await?;
        if deleted {
            Ok(())
        } else {
            Err(SessionRefused::NotFound)
        }
    }

    /// Writes down that a session is to run, before the engine is told: so that its callbacks,
    /// which may come before its answer, find the session on its way.
    async fn begin_start(
        &self,
        tenant: Tenant,
        id: SessionId,
    ) -> Result<SessionSpec, SessionRefused> {
        let mut tx = self.store.begin(tenant).await?;
        let spec = self.session_spec(&mut tx, id).await?;
        tx.sessions().want(id, true).await?;
        self.report_starting(&mut tx, id, None).await?;
        tx.commit().await?;
        Ok(spec)
    }

    /// The same for a session that nobody asked to be started now: `None` where somebody, perhaps
    /// by another process, has stopped it meanwhile.
    pub(crate) async fn begin_bringing_back(
        &self,
        tenant: Tenant,
        id: SessionId,
        reason: Option<&str>,
    ) -> Result<Option<SessionSpec>, SessionRefused> {
        let mut tx = self.store.begin(tenant).await?;
        if !tx.sessions().still_wanted(id).await? {
            return Ok(None);
        }
        let spec = self.session_spec(&mut tx, id).await?;
        self.report_starting(&mut tx, id, reason).await?;
        tx.commit().await?;
        Ok(Some(spec))
    }

    async fn report_starting(
        &self,
        tx: &mut TenantTx,
        id: SessionId,
        reason: Option<&str>,
    ) -> Result<(), ServiceError> {
        let starting = ReportedStatus {
            status: Some(SessionStatus::Starting),
            error: reason.map(str::to_owned),
            ..ReportedStatus::default()
        };
        self.report_status(tx, id, &starting).await
    }

    /// Writes down what the engine made of the order to start or restart.
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
        self.report_status(&mut tx, id, &report).await?;
        let session = tx.sessions().lookup(id).await?;
        tx.commit().await?;
        started?;
        session.ok_or(SessionRefused::NotFound)
    }

    /// Writes down that a session is not to run any more, before the engine is told: so that
    /// nobody takes its end for a failure and brings it back. Gives it as it was.
    async fn give_up(&self, tenant: Tenant, id: SessionId) -> Result<Session, SessionRefused> {
        let before = self.session(tenant, id).await?;
        self.want(tenant, id, false).await?;
        Ok(before)
    }

    /// Where the engine did not do it, the session is to run as before.
    async fn unless_refused(
        &self,
        tenant: Tenant,
        before: &Session,
        done: Result<(), EngineError>,
    ) -> Result<(), SessionRefused> {
        if done.is_err() {
            self.want(tenant, before.id, before.wanted).await?;
        }
        Ok(done?)
    }

    async fn settle_stopped(
        &self,
        tenant: Tenant,
        id: SessionId,
        unpaired: bool,
    ) -> Result<Session, SessionRefused> {
        let mut tx = self.store.begin(tenant).await?;
        tx.sessions().forget_recovery(id).await?;
        if unpaired {
            tx.sessions().forget_pairing(id).await?;
            // The next account is not to send what was meant for this one.
            for message in tx.outbox().cancel_all(id, LOGGED_OUT).await? {
                self.tell_message(&mut tx, EventName::MessageFailed, &message)
                    .await?;
            }
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

    async fn want(
        &self,
        tenant: Tenant,
        id: SessionId,
        wanted: bool,
    ) -> Result<(), SessionRefused> {
        let mut tx = self.store.begin(tenant).await?;
        tx.sessions().want(id, wanted).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Somebody starts it by hand: what was tried before does not count.
    async fn forget_recovery(&self, tenant: Tenant, id: SessionId) -> Result<(), SessionRefused> {
        let mut tx = self.store.begin(tenant).await?;
        tx.sessions().forget_recovery(id).await?;
        tx.commit().await?;
        Ok(())
    }
}
