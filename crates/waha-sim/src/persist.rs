//! The state file: what WAHA keeps in its volume.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::now_ms;
use crate::session::{Account, Session, Status};
use crate::sim::{Sim, lock};

#[derive(Debug, Default, Serialize, Deserialize)]
struct Saved {
    sessions: Vec<SavedSession>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedSession {
    name: String,
    config: Option<Value>,
    account: Option<Account>,
    running: bool,
}

/// The sessions of the file; none when there is no file. Those that ran are to resume.
pub(crate) fn load(path: Option<&Path>) -> BTreeMap<String, Arc<Session>> {
    let Some(path) = path else {
        return BTreeMap::new();
    };
    let saved = match read(path) {
        Ok(saved) => saved,
        Err(error) => {
            // Set aside, because the next change writes the file anew.
            let aside = beside(path, ".unreadable");
            tracing::warn!(path = %path.display(), aside = %aside.display(), %error,
                "state file not readable, starting empty");
            if let Err(error) = std::fs::rename(path, &aside) {
                tracing::warn!(%error, "state file not set aside");
            }
            Saved::default()
        }
    };
    saved
        .sessions
        .into_iter()
        .map(|saved| {
            let mut account = saved.account;
            if let Some(account) = account.as_mut().filter(|account| account.paired_at == 0) {
                account.paired_at = now_ms();
            }
            let session = Session::new(&saved.name, saved.config, account);
            session.state().resume = saved.running;
            (saved.name, Arc::new(session))
        })
        .collect()
}

fn read(path: &Path) -> io::Result<Saved> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Saved::default()),
        Err(error) => Err(error),
    }
}

impl Sim {
    /// Writes the state file, if there is one.
    pub(crate) fn save(&self) {
        let Some(path) = &self.world.config.state_file else {
            return;
        };
        let _one_writer = lock(&self.world.saving);
        let sessions = lock(&self.world.sessions)
            .values()
            .map(|session| saved(session))
            .collect();
        if let Err(error) = write(path, &Saved { sessions }) {
            tracing::error!(path = %path.display(), %error, "state file not written");
        }
    }
}

fn saved(session: &Session) -> SavedSession {
    let state = session.state();
    SavedSession {
        name: session.name.clone(),
        config: state.config.clone(),
        account: state.account.clone(),
        running: state.status != Status::Stopped || state.resume,
    }
}

/// The file holds callback secrets: nobody else reads it, and it is never half written.
fn write(path: &Path, saved: &Saved) -> io::Result<()> {
    let draft = beside(path, ".tmp");
    // A leftover would lend the new file its mode.
    if let Err(error) = std::fs::remove_file(&draft)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(&serde_json::to_vec_pretty(saved)?)?;
    file.sync_all()?;
    std::fs::rename(draft, path)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
