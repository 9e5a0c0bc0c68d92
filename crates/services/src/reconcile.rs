use std::{collections::HashMap, sync::Arc};

use mf_domain::{SessionId, SessionStatus};
use mf_engine::{EngineSession, SessionKey};
use mf_store::{ReportedStatus, SessionOwner};
use tracing::{info, warn};

use crate::{Services, SessionRefused, sessions::of_engine};

impl Services {
    /// Brings sessions and engine in line: takes over what the engine says, starts what shall
    /// run and does not, corrects where it reports to. Callbacks alone lose what happened
    /// while this server, or the engine, was away.
    pub async fn reconcile_sessions(self: &Arc<Self>) -> Result<(), SessionRefused> {
        let at_engine: HashMap<SessionId, EngineSession> = self
            .engine
            .sessions()
            .await?
            .into_iter()
            .filter_map(|session| Some((SessionKey::session_id(&session.name)?, session)))
            .collect();
        let mut tx = self
            .store
            .system("the engine's list names no tenants")
            .await?;
        let ours = tx.session_owners().await?;
        tx.commit().await?;
        for owner in ours {
            let known = at_engine.get(&owner.id);
            if let Err(error) = self.reconcile_session(&owner, known).await {
                warn!(session.id = %owner.id, error = %error, "a session was not reconciled");
            }
        }
        Ok(())
    }

    async fn reconcile_session(
        &self,
        owner: &SessionOwner,
        at_engine: Option<&EngineSession>,
    ) -> Result<(), SessionRefused> {
        let _turn = self.lifecycles.ticket(owner.id).turn().await;
        // It may have been started, stopped or removed while we waited.
        let Ok(session) = self.session(owner.tenant, owner.id).await else {
            return Ok(());
        };
        if session.wanted && !self.runs_as_wanted(owner.id, at_engine) {
            // The list may be older than the last start.
            let now = self.engine.session(&SessionKey::of(owner.id)).await?;
            if !self.runs_as_wanted(owner.id, now.as_ref()) {
                info!(session.id = %owner.id, "a session is brought back at the engine");
                return self.bring_back(owner).await;
            }
            return Ok(());
        }
        let report = match at_engine {
            Some(engine) => of_engine(engine),
            None => ReportedStatus {
                status: Some(SessionStatus::Stopped),
                ..ReportedStatus::default()
            },
        };
        if report.status.is_some_and(|status| status != session.status) {
            // What a callback said meanwhile is newer than the list.
            let report = ReportedStatus {
                only_from: Some(session.status),
                ..report
            };
            let mut tx = self.store.begin(owner.tenant).await?;
            self.report_status(&mut tx, owner.id, &report).await?;
            tx.commit().await?;
            if report.status == Some(SessionStatus::Working) {
                self.store.wake().ring_outbox();
            }
        }
        Ok(())
    }

    /// It is there, does not stand still, and reports to us.
    fn runs_as_wanted(&self, id: SessionId, at_engine: Option<&EngineSession>) -> bool {
        at_engine.is_some_and(|engine| {
            engine.status != Some(SessionStatus::Stopped)
                && engine.callback_url.as_ref() == Some(&self.settings.callback_url(id))
        })
    }

    async fn bring_back(&self, owner: &SessionOwner) -> Result<(), SessionRefused> {
        let spec = self.begin_start(owner.tenant, owner.id).await?;
        let started = self.engine.start(&spec).await?;
        self.end_start(owner.tenant, owner.id, Ok(started)).await?;
        Ok(())
    }
}
