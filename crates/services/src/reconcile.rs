use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use mf_domain::{SessionId, SessionStatus};
use mf_engine::{EngineSession, SessionKey};
use mf_store::{ReportedStatus, Session, SessionOwner};
use tracing::{info, warn};

use crate::{Services, SessionRefused, sessions::status::of_engine, work};

/// Why a session is started that somebody had started before.
const NOT_RUNNING: &str =
    "The WhatsApp engine had stopped this session, or lost it; it is being started again.";

/// Sessions that are looked at together.
const AT_A_TIME: usize = 8;

/// Sessions at the engine that nobody here has; `true` for those that were mentioned.
#[derive(Debug, Default)]
pub(crate) struct Strays(Mutex<HashMap<SessionId, bool>>);

impl Strays {
    /// Those to be mentioned: each once, when it is found for the second time, since what is
    /// just being deleted is still in one of the lists.
    fn fresh(&self, found: impl Iterator<Item = SessionId>) -> Vec<SessionId> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now: HashMap<SessionId, bool> = found.map(|id| (id, known.contains_key(&id))).collect();
        let fresh = known
            .iter()
            .filter(|(id, mentioned)| !**mentioned && now.contains_key(*id))
            .map(|(id, _)| *id)
            .collect();
        *known = now;
        fresh
    }
}

impl Services {
    /// Brings sessions and engine in line: takes over what the engine says, starts what shall
    /// run and does not, corrects where it reports to. Callbacks alone lose what happened
    /// while this server, or the engine, was away.
    pub async fn reconcile_sessions(self: &Arc<Self>) -> Result<(), SessionRefused> {
        let mut at_engine: HashMap<SessionId, EngineSession> = self
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
        let known_here: HashSet<SessionId> = ours.iter().map(|owner| owner.id).collect();
        let strays = at_engine.keys().filter(|id| !known_here.contains(id));
        for stray in self.strays.fresh(strays.copied()) {
            // It may be another server's, or of a database that was restored to an older state.
            // No pairing can be had back: that it goes is for a person to say.
            warn!(
                name = SessionKey::of(stray).as_str(),
                "the engine has a session that is not in this database; it is left alone: if \
                 nobody else uses it, delete it at the engine"
            );
        }
        // Several at a time: an order to the engine, or proof of life, takes as long as it takes.
        let pairs = ours
            .into_iter()
            .map(|owner| (at_engine.remove(&owner.id), owner));
        work::for_each(pairs, AT_A_TIME, |(known, owner)| {
            let services = Arc::clone(self);
            async move {
                match services.reconcile_session(&owner, known.as_ref()).await {
                    Ok(Verdict::Revived) => services.believe_if_alive(&owner).await,
                    Ok(_) => {}
                    Err(error) => {
                        warn!(session.id = %owner.id, error = %error,
                            "a session was not reconciled");
                    }
                }
            }
        })
        .await;
        Ok(())
    }

    /// Engines call dead sessions working: of one that failed it is believed once it answers.
    async fn believe_if_alive(&self, owner: &SessionOwner) {
        if !self.answers(owner.id).await {
            return;
        }
        let working = ReportedStatus {
            status: Some(SessionStatus::Working),
            only_from: Some(SessionStatus::Failed),
            ..ReportedStatus::default()
        };
        if let Err(error) = self.write_down(owner, &working).await {
            warn!(session.id = %owner.id, error = %error, "a session was not reconciled");
        }
    }

    async fn reconcile_session(
        &self,
        owner: &SessionOwner,
        at_engine: Option<&EngineSession>,
    ) -> Result<Verdict, SessionRefused> {
        let _turn = self.lifecycles.ticket(owner.id).turn().await;
        // It may have been started, stopped or removed while we waited.
        let Ok(session) = self.session(owner.tenant, owner.id).await else {
            return Ok(Verdict::InLine);
        };
        let url = self.settings.callback_url(owner.id);
        if verdict(&session, at_engine, &url) == Verdict::InLine {
            return Ok(Verdict::InLine);
        }
        // The list may be older than the last order or callback: before anything is done, the
        // engine is asked again.
        let now = self.engine.session(&SessionKey::of(owner.id)).await?;
        let verdict = verdict(&session, now.as_ref(), &url);
        match verdict {
            Verdict::InLine | Verdict::Revived => {}
            Verdict::BringBack => {
                info!(session.id = %owner.id, "a session is brought back at the engine");
                self.bring_back(owner, now.as_ref()).await?;
            }
            Verdict::StandsElsewhere => self.take_over(owner, &session, now.as_ref()).await?,
        }
        Ok(verdict)
    }

    /// Writes down where the engine says that a session stands.
    async fn take_over(
        &self,
        owner: &SessionOwner,
        session: &Session,
        at_engine: Option<&EngineSession>,
    ) -> Result<(), SessionRefused> {
        let stopped = || ReportedStatus {
            status: Some(SessionStatus::Stopped),
            ..ReportedStatus::default()
        };
        let report = ReportedStatus {
            // What a callback said meanwhile is newer still.
            only_from: Some(session.status),
            ..at_engine.map_or_else(stopped, of_engine)
        };
        self.write_down(owner, &report).await
    }

    async fn write_down(
        &self,
        owner: &SessionOwner,
        report: &ReportedStatus,
    ) -> Result<(), SessionRefused> {
        let mut tx = self.store.begin(owner.tenant).await?;
        self.report_status(&mut tx, owner.id, report).await?;
        tx.commit().await?;
        if report.status == Some(SessionStatus::Working) {
            self.store.wake().ring_outbox();
            self.catch_up_soon.notify_one();
        }
        Ok(())
    }

    async fn bring_back(
        &self,
        owner: &SessionOwner,
        at_engine: Option<&EngineSession>,
    ) -> Result<(), SessionRefused> {
        let runs = at_engine.is_some_and(|session| session.status != Some(SessionStatus::Stopped));
        let reason = (!runs).then_some(NOT_RUNNING);
        let begun = self.begin_bringing_back(owner.tenant, owner.id, reason);
        let Some(spec) = begun.await? else {
            return Ok(());
        };
        let started = self.engine.start(&spec).await?;
        self.end_start(owner.tenant, owner.id, Ok(started)).await?;
        Ok(())
    }
}

/// What is to be done about a session.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing.
    InLine,
    /// It shall run, and does not, or reports elsewhere.
    BringBack,
    /// The engine says that it stands elsewhere.
    StandsElsewhere,
    /// The engine says that it works, and it had failed.
    Revived,
}

fn verdict(ours: &Session, theirs: Option<&EngineSession>, callback_url: &str) -> Verdict {
    // A session that the engine does not have is one that stands still.
    let status = theirs.map_or(Some(SessionStatus::Stopped), |theirs| theirs.status);
    let still = matches!(status, Some(SessionStatus::Stopped | SessionStatus::Failed));
    // Whether one that failed is tried again, and when, is not decided here.
    if ours.status == SessionStatus::Failed && still {
        return Verdict::InLine;
    }
    let reports_here =
        theirs.is_some_and(|theirs| theirs.callback_url.as_deref() == Some(callback_url));
    if ours.wanted && (status == Some(SessionStatus::Stopped) || !reports_here) {
        return Verdict::BringBack;
    }
    match (ours.status, status) {
        (ours, Some(theirs)) if ours == theirs => Verdict::InLine,
        (_, None) => Verdict::InLine,
        (SessionStatus::Failed, Some(SessionStatus::Working)) => Verdict::Revived,
        _ => Verdict::StandsElsewhere,
    }
}

#[cfg(test)]
mod tests {
    use mf_domain::SessionStatus::{self, Failed, Starting, Stopped, Working};
    use mf_engine::EngineSession;
    use uuid::Uuid;

    use super::{
        Strays,
        Verdict::{BringBack, InLine, Revived, StandsElsewhere},
        verdict,
    };
    use crate::sessions::status::tests::session as ours;

    const HERE: &str = "http://here";

    fn theirs(status: Option<SessionStatus>, url: &str) -> EngineSession {
        EngineSession {
            name: "mf_".to_owned(),
            status,
            raw_status: String::new(),
            me: None,
            last_activity: None,
            callback_url: Some(url.to_owned()),
        }
    }

    #[test]
    fn what_shall_run_is_brought_back_and_what_shall_not_is_left_alone() {
        for gone in [None, Some(theirs(Some(Stopped), HERE))] {
            assert_eq!(
                verdict(&ours(Working, true), gone.as_ref(), HERE),
                BringBack
            );
            assert_eq!(verdict(&ours(Stopped, false), gone.as_ref(), HERE), InLine);
            assert_eq!(
                verdict(&ours(Working, false), gone.as_ref(), HERE),
                StandsElsewhere
            );
        }
        let astray = theirs(Some(Working), "http://elsewhere");
        assert_eq!(
            verdict(&ours(Working, true), Some(&astray), HERE),
            BringBack
        );
    }

    #[test]
    fn what_the_engine_says_is_taken_over_but_no_reason_is_lost() {
        let works = theirs(Some(Working), HERE);
        assert_eq!(verdict(&ours(Working, true), Some(&works), HERE), InLine);
        assert_eq!(
            verdict(&ours(Starting, true), Some(&works), HERE),
            StandsElsewhere
        );
        let failed = theirs(Some(Failed), HERE);
        assert_eq!(
            verdict(&ours(Working, true), Some(&failed), HERE),
            StandsElsewhere
        );
        // A start that failed: the engine has no such session, and `last_error` says why.
        assert_eq!(verdict(&ours(Failed, false), None, HERE), InLine);
        // It waits for its next turn.
        assert_eq!(verdict(&ours(Failed, true), None, HERE), InLine);
        assert_eq!(verdict(&ours(Failed, true), Some(&works), HERE), Revived);
        let dreaming = theirs(None, HERE);
        assert_eq!(verdict(&ours(Working, true), Some(&dreaming), HERE), InLine);
    }

    #[test]
    fn a_stray_session_is_mentioned_once_and_only_if_it_stays() {
        let strays = Strays::default();
        let [lasting, passing] = [1, 2].map(|id| Uuid::from_u128(id).into());
        assert_eq!(strays.fresh([lasting, passing].into_iter()), []);
        assert_eq!(strays.fresh([lasting].into_iter()), [lasting]);
        assert_eq!(strays.fresh([lasting, passing].into_iter()), []);
        assert_eq!(strays.fresh([lasting].into_iter()), []);
    }
}
