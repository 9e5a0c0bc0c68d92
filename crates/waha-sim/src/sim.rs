//! The simulator itself: what it holds and how it is served.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::callbacks::Courier;
use crate::config::{Config, Dialect};
use crate::error::ApiError;
use crate::faults::Faults;
use crate::http;
use crate::ids::now_ms;
use crate::media::Files;
use crate::persist;
use crate::record::{CallbackRecord, SentAction, SentMessage};
use crate::session::{Session, Status};

/// A simulated WAHA server and its remote control. Clones are the same server.
#[derive(Debug, Clone)]
pub struct Sim {
    pub(crate) world: Arc<World>,
}

/// What all clones share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) started_ms: i64,
    pub(crate) sessions: Mutex<BTreeMap<String, Arc<Session>>>,
    /// One lock per session name for start, stop and the like; names outlive their sessions.
    pub(crate) locks: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) sent: Mutex<VecDeque<SentMessage>>,
    pub(crate) actions: Mutex<VecDeque<SentAction>>,
    pub(crate) files: Mutex<Files>,
    pub(crate) callbacks: Mutex<VecDeque<CallbackRecord>>,
    pub(crate) next_callback: Mutex<u64>,
    pub(crate) courier: Courier,
    /// One writer of the state file at a time.
    pub(crate) saving: Mutex<()>,
    /// Counts everything that happens, for [`Sim::until`].
    changes: watch::Sender<u64>,
    booted: AtomicBool,
    ended: CancellationToken,
}

/// A poisoned lock only means that some test panicked while it held it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sim {
    /// A simulator with the sessions of its state file, if it has one. Those that ran when the
    /// file was written are started again as soon as the simulator is served.
    pub fn new(config: Config) -> Self {
        let sessions = persist::load(config.state_file.as_deref());
        let sim = Self {
            world: Arc::new(World {
                config,
                started_ms: now_ms(),
                sessions: Mutex::new(sessions),
                locks: Mutex::default(),
                faults: Mutex::default(),
                sent: Mutex::default(),
                actions: Mutex::default(),
                files: Mutex::default(),
                callbacks: Mutex::default(),
                next_callback: Mutex::default(),
                courier: Courier::default(),
                saving: Mutex::default(),
                changes: watch::Sender::new(0),
                booted: AtomicBool::new(false),
                ended: CancellationToken::new(),
            }),
        };
        let sessions: Vec<_> = lock(&sim.world.sessions).values().cloned().collect();
        for session in sessions {
            let account = session.state().account.clone();
            if let Some(account) = account {
                sim.take_keys(&session, account);
            }
        }
        sim
    }

    /// The routes, WAHA's and the simulator's own below `/sim`.
    ///
    /// Dropping connections without an answer takes the listener of [`Sim::serve`]; under any
    /// other server such requests are left hanging instead.
    pub fn router(&self) -> Router {
        if tokio::runtime::Handle::try_current().is_ok() {
            self.boot();
        }
        http::router(self.clone())
    }

    /// Serves until `shutdown` is ready. Everything still going on in the background ends then,
    /// callbacks not yet delivered are lost, and running sessions stay noted as running.
    pub async fn serve(
        self,
        listener: tokio::net::TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let router = self.router();
        let ended = self.world.ended.clone();
        let over = ended.clone();
        let serving = http::serve(listener, router, async move {
            shutdown.await;
            ended.cancel();
        });
        tokio::select! {
            result = serving => result,
            // A call that waits for a session's status holds up the end no longer than this.
            () = async { over.cancelled().await; tokio::time::sleep(Duration::from_secs(2)).await } => Ok(()),
        }
    }

    /// Starts what ran before, once.
    fn boot(&self) {
        if self.world.booted.swap(true, Ordering::Relaxed) {
            return;
        }
        let sessions: Vec<_> = lock(&self.world.sessions).values().cloned().collect();
        for session in sessions {
            let resume = std::mem::take(&mut session.state().resume);
            if resume {
                self.begin(&session);
            }
        }
    }

    /// Runs in the background until done or until the server ends.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let ended = self.world.ended.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = ended.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Tells those in [`Sim::until`] to look again.
    pub(crate) fn note_change(&self) {
        self.world
            .changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Waits until `look` finds what it looks for; it is called again after every status change,
    /// message, acknowledgement and callback attempt. Bound it with a timeout.
    pub async fn until<T>(&self, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let mut changes = self.world.changes.subscribe();
        loop {
            changes.borrow_and_update();
            if let Some(found) = look(self) {
                return found;
            }
            // The sender lives in `self`, so this cannot fail.
            let _ = changes.changed().await;
        }
    }

    /// A session's status; `None` when there is no such session.
    pub fn status(&self, session: &str) -> Option<Status> {
        self.session(session).map(|session| session.state().status)
    }

    pub(crate) fn session(&self, name: &str) -> Option<Arc<Session>> {
        lock(&self.world.sessions).get(name).cloned()
    }

    /// The session, once it has the status that the call needs. Calls that need it to work go
    /// through to WhatsApp: on a zombie they hang.
    pub(crate) async fn session_in(
        &self,
        name: &str,
        expected: Status,
    ) -> Result<Arc<Session>, ApiError> {
        let session = self.local_session_in(name, expected).await?;
        let zombie = session.state().zombie;
        if zombie && expected == Status::Working {
            return Err(self.time_out().await);
        }
        Ok(session)
    }

    /// What the engine throws when WhatsApp never answers.
    async fn time_out(&self) -> ApiError {
        match self.world.config.zombie_wait {
            Some(wait) => tokio::time::sleep(wait).await,
            None => std::future::pending().await,
        }
        match self.world.config.engine {
            Dialect::Noweb => ApiError::engine("Error", "Timed Out"),
            Dialect::Gows => ApiError::grpc("info query timed out"),
            Dialect::Webjs => ApiError::engine(
                "ProtocolError",
                "Runtime.callFunctionOn timed out. \
                 Increase the 'protocolTimeout' setting in launch/connect calls",
            ),
        }
    }

    /// The session, once it has the status that the call needs, for calls that are answered out
    /// of WAHA's own store.
    pub(crate) async fn local_session_in(
        &self,
        name: &str,
        expected: Status,
    ) -> Result<Arc<Session>, ApiError> {
        let session = self
            .session(name)
            .ok_or_else(|| ApiError::NoSuchSession(name.to_owned()))?;
        let mut status = session.status.subscribe();
        let reached = status.wait_for(|status| *status == expected);
        if tokio::time::timeout(self.world.config.status_wait, reached)
            .await
            .is_ok()
        {
            return Ok(session);
        }
        let status = session.state().status;
        Err(ApiError::WrongStatus {
            session: name.to_owned(),
            status,
            expected,
        })
    }
}
