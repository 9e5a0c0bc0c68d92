//! The remote control: what tests do to the pretended WhatsApp.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::faults::{Failure, Faults};
use crate::ids::bare_id;
use crate::inbound::Inbound;
use crate::record::{CallbackRecord, SentMessage};
use crate::session::{Account, Session, Status};
use crate::sim::{Sim, lock};

/// Why an order could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    /// There is no session of that name.
    #[error("no session {0:?}")]
    NoSession(String),
    /// The session has no message with that id.
    #[error("no message {0:?}")]
    NoMessage(String),
    /// No callback with that envelope id or index was delivered.
    #[error("no such callback")]
    NoCallback,
    /// The session's status does not allow it.
    #[error("the session is {actual:?}, and has to be {expected:?}")]
    WrongStatus {
        /// What it is.
        actual: Status,
        /// What it has to be.
        expected: Status,
    },
    /// There is no group, label, call and so on of that id.
    #[error("no {0} {1:?}")]
    Unknown(&'static str, String),
    /// The order lacks something.
    #[error("{0}")]
    Incomplete(&'static str),
}

/// Which callback to deliver again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Replay {
    /// By the envelope's id.
    EnvelopeId(String),
    /// By its place in the log.
    Index(u64),
}

impl Sim {
    /// The phone scans the QR code now.
    pub async fn scan(&self, session: &str) -> Result<(), SimError> {
        self.scan_as(session, None, None).await
    }

    /// A certain phone scans the QR code. Waits for a session on its way to the code.
    pub async fn scan_as(
        &self,
        session: &str,
        phone: Option<String>,
        push_name: Option<String>,
    ) -> Result<(), SimError> {
        let session = self.found_in(session, Status::ScanQrCode).await?;
        self.pair(&session, Account::new(&session.name, phone, push_name));
        Ok(())
    }

    /// A message comes in; gives it as the callbacks show it. Waits for a session on its way to
    /// work.
    pub async fn inbound(&self, session: &str, inbound: Inbound) -> Result<Value, SimError> {
        let session = self.found_in(session, Status::Working).await?;
        let message = inbound.into_message(&session)?;
        Ok(self.receive(&session, &message))
    }

    /// Everything this session really delivered to WhatsApp, oldest first.
    pub fn sent(&self, session: &str) -> Vec<SentMessage> {
        lock(&self.world.sent)
            .iter()
            .filter(|sent| sent.session == session)
            .cloned()
            .collect()
    }

    /// Everything delivered to WhatsApp by any session, oldest first.
    pub fn sent_by_all(&self) -> Vec<SentMessage> {
        lock(&self.world.sent).iter().cloned().collect()
    }

    /// Acknowledges a message, given by its full or bare id, with a level from -1 to 4. Levels
    /// may come in any order and more than once, as from WhatsApp.
    pub fn ack(&self, session: &str, id: &str, ack: i8) -> Result<(), SimError> {
        let session = self.found(session)?;
        let bare = bare_id(id).unwrap_or(id);
        let known = self.acknowledge(&session, bare, ack);
        known
            .then_some(())
            .ok_or_else(|| SimError::NoMessage(id.to_owned()))
    }

    /// Acknowledgements by themselves (as configured), or only by [`Sim::ack`].
    pub fn set_manual_acks(&self, manual: bool) {
        lock(&self.world.faults).manual_acks = manual;
    }

    /// Puts a session into a status and leaves it there.
    pub fn set_status(&self, session: &str, status: Status) -> Result<(), SimError> {
        let session = self.found(session)?;
        let run = session.new_run();
        match status {
            Status::ScanQrCode => {
                session.state().account = None;
                let sim = self.clone();
                self.spawn(async move { sim.show_codes(&session, run).await });
            }
            Status::Working => {
                let account = session.state().account.clone();
                let account = account.unwrap_or_else(|| Account::new(&session.name, None, None));
                self.take_keys(&session, account);
                self.enter(&session, run, status);
            }
            other => self.enter(&session, run, other),
        }
        self.save();
        Ok(())
    }

    /// The connection to WhatsApp drops: `STARTING`, and back to `WORKING` by itself.
    pub fn disconnect(&self, session: &str) -> Result<(), SimError> {
        let session = self.found(session)?;
        let (actual, expected) = (session.state().status, Status::Working);
        if actual != expected {
            return Err(SimError::WrongStatus { actual, expected });
        }
        self.begin(&session);
        Ok(())
    }

    /// The phone (or WhatsApp) ends the pairing: `FAILED`, and the keys are worth nothing.
    pub fn unlink(&self, session: &str) -> Result<(), SimError> {
        let session = self.found(session)?;
        let run = session.new_run();
        session.state().account = None;
        self.enter(&session, run, Status::Failed);
        self.save();
        Ok(())
    }

    /// Delays every request to WAHA's routes; zero ends it.
    pub fn set_slow(&self, delay: Duration) {
        lock(&self.world.faults).slow = delay;
    }

    /// Fails coming requests. Orders add up; the first that fits a request is taken.
    pub fn fail_next(&self, failure: Failure) {
        if failure.count > 0 {
            lock(&self.world.faults).failures.push(failure);
        }
    }

    /// Whether WAHA's routes drop every connection, as if the server were down.
    pub fn set_offline(&self, offline: bool) {
        lock(&self.world.faults).offline = offline;
    }

    /// Every attempt to deliver a callback, oldest first.
    pub fn callbacks(&self) -> Vec<CallbackRecord> {
        lock(&self.world.callbacks).iter().cloned().collect()
    }

    /// Delivers a callback again, byte for byte, and gives the new attempt.
    pub async fn replay_callback(&self, which: Replay) -> Result<CallbackRecord, SimError> {
        let found = lock(&self.world.callbacks)
            .iter()
            .find(|record| match &which {
                Replay::EnvelopeId(id) => record.envelope_id == *id,
                Replay::Index(index) => record.index == *index,
            })
            .cloned()
            .ok_or(SimError::NoCallback)?;
        Ok(self.deliver_again(found).await)
    }

    /// Forgets sessions, logs and faults, without telling anybody.
    pub fn reset(&self) {
        let sessions = std::mem::take(&mut *lock(&self.world.sessions));
        for session in sessions.values() {
            session.new_run();
        }
        *lock(&self.world.faults) = Faults::default();
        lock(&self.world.sent).clear();
        lock(&self.world.actions).clear();
        lock(&self.world.files).clear();
        lock(&self.world.callbacks).clear();
        *lock(&self.world.next_callback) = 0;
        self.save();
        self.note_change();
    }

    pub(crate) fn found(&self, session: &str) -> Result<Arc<Session>, SimError> {
        self.session(session)
            .ok_or_else(|| SimError::NoSession(session.to_owned()))
    }

    /// The session, once it has the status; waits as long as WAHA's own calls do.
    pub(crate) async fn found_in(
        &self,
        name: &str,
        expected: Status,
    ) -> Result<Arc<Session>, SimError> {
        self.local_session_in(name, expected)
            .await
            .map_err(|_| match self.status(name) {
                None => SimError::NoSession(name.to_owned()),
                Some(actual) => SimError::WrongStatus { actual, expected },
            })
    }
}
