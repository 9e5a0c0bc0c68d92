//! Starting, pairing, stopping: how a session gets from one status to the next.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::sync::OwnedMutexGuard;

use crate::error::ApiError;
use crate::realm::Realm;
use crate::seed;
use crate::session::{Account, Session, Status};
use crate::sim::{Sim, lock};

/// How many QR codes WhatsApp hands out before it gives up.
const QR_CODES: usize = 6;
/// How long a lifecycle call waits for another one on the same session.
const LOCK_WAIT: Duration = Duration::from_secs(5);

impl Sim {
    /// The lock that lifecycle calls on one session take turns with.
    pub(crate) async fn turn(&self, name: &str) -> Result<OwnedMutexGuard<()>, ApiError> {
        let turns = Arc::clone(lock(&self.world.locks).entry(name.to_owned()).or_default());
        tokio::time::timeout(LOCK_WAIT, turns.lock_owned())
            .await
            .map_err(|_| ApiError::engine("Error", format!("async-lock timed out in queue {name}")))
    }

    pub(crate) fn create(&self, name: &str, config: Option<Value>) -> Arc<Session> {
        let session = Arc::new(Session::new(name, config, None));
        lock(&self.world.sessions).insert(name.to_owned(), Arc::clone(&session));
        self.save();
        session
    }

    /// Starts a session that does not run.
    pub(crate) fn start(&self, session: &Arc<Session>) -> Result<(), ApiError> {
        if session.state().status != Status::Stopped {
            let message = format!("Session '{}' is already started.", session.name);
            return Err(ApiError::Unprocessable(message));
        }
        self.begin(session);
        self.save();
        Ok(())
    }

    pub(crate) fn begin(&self, session: &Arc<Session>) {
        let run = session.new_run();
        self.enter(session, run, Status::Starting);
        let (sim, session) = (self.clone(), Arc::clone(session));
        self.spawn(async move { sim.connect(&session, run).await });
    }

    /// From `STARTING` to `WORKING` with keys, to a QR code without.
    pub(crate) async fn connect(&self, session: &Arc<Session>, run: u64) {
        tokio::time::sleep(self.world.config.start_delay).await;
        let (paired, fails) = {
            let mut state = session.state();
            let fails = state.run == run && state.failing_starts > 0;
            if fails {
                state.failing_starts -= 1;
            }
            (state.account.is_some(), fails)
        };
        if fails {
            self.enter(session, run, Status::Failed);
        } else if paired {
            self.enter(session, run, Status::Working);
        } else {
            self.show_codes(session, run).await;
        }
    }

    /// One QR code after the other, until somebody scans or WhatsApp gives up.
    pub(crate) async fn show_codes(&self, session: &Arc<Session>, run: u64) {
        if let Some(delay) = self.world.config.auto_pair_after {
            let (sim, session) = (self.clone(), Arc::clone(session));
            self.spawn(async move {
                tokio::time::sleep(delay).await;
                let current = session.state().run;
                if current == run {
                    sim.pair(&session, Account::new(&session.name, None, None));
                }
            });
        }
        for code in 0..QR_CODES {
            {
                let mut state = session.state();
                if state.run != run {
                    return;
                }
                state.qr = Some(qr_text());
            }
            self.enter(session, run, Status::ScanQrCode);
            let life = if code == 0 {
                self.world.config.qr_first
            } else {
                self.world.config.qr_next
            };
            tokio::time::sleep(life).await;
        }
        self.enter(session, run, Status::Failed);
    }

    /// The phone scanned the code: the session has its keys and works.
    pub(crate) fn pair(&self, session: &Arc<Session>, account: Account) {
        let run = session.new_run();
        self.take_keys(session, account);
        self.enter(session, run, Status::Working);
        self.save();
    }

    /// The account's keys, and with them what WhatsApp has of it.
    pub(crate) fn take_keys(&self, session: &Session, account: Account) {
        {
            let mut state = session.state();
            if state.realm.owner != account.number {
                state.realm = Realm::of(&account.number);
                state.messages.clear();
            }
            state.account = Some(account);
        }
        if self.world.config.seed {
            seed::grow(session);
        }
    }

    /// What came while nothing was heard is found in the chats, and never told.
    pub(crate) fn catch_up(&self, session: &Session) {
        let held = std::mem::take(&mut session.state().held);
        for message in &held {
            self.keep(session, message);
        }
    }

    /// Ends the run. Like the real thing it keeps the caller waiting for a while.
    pub(crate) async fn stop(&self, session: &Arc<Session>) {
        if session.state().status == Status::Stopped {
            return;
        }
        let run = session.new_run();
        self.enter(session, run, Status::Stopped);
        self.save();
        tokio::time::sleep(self.world.config.start_delay).await;
    }

    /// Forgets the keys, and with them what was said.
    pub(crate) fn unpair(&self, session: &Session) {
        {
            let mut state = session.state();
            state.account = None;
            state.messages.clear();
            state.marks.clear();
            state.watched.clear();
        }
        self.save();
    }

    pub(crate) fn remove(&self, name: &str) {
        lock(&self.world.sessions).remove(name);
        self.save();
        self.note_change();
    }

    /// Takes the next status and tells the callbacks, unless the run is over.
    pub(crate) fn enter(&self, session: &Arc<Session>, run: u64, status: Status) {
        if status == Status::Working {
            self.catch_up(session);
        }
        let payload = {
            let mut state = session.state();
            if state.run != run {
                return;
            }
            state.enter(status);
            let statuses: Vec<_> = state
                .history
                .iter()
                .map(|(status, at)| json!({"status": status, "timestamp": at}))
                .collect();
            // Under the lock, so that those who wait see statuses in their order.
            session.status.send_replace(status);
            json!({"name": session.name, "status": status, "statuses": statuses, "data": null})
        };
        tracing::info!(session = session.name, ?status, "status");
        self.emit(session, "session.status", &payload);
        self.note_change();
    }
}

/// A text of the form WhatsApp Web's QR codes have: a reference and three public keys.
fn qr_text() -> String {
    let key = || STANDARD.encode(rand::random::<[u8; 32]>());
    let mut reference = Vec::with_capacity(96);
    for _ in 0..3 {
        reference.extend_from_slice(&rand::random::<[u8; 32]>());
    }
    format!(
        "2@{},{},{},{}",
        STANDARD.encode(reference),
        key(),
        key(),
        key()
    )
}
