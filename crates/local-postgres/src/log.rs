//! The server's log: what an error quotes, and what tells whether anything still runs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::error::{Error, io};
use crate::home::Home;
use crate::postmaster::try_lock;

/// A log longer than this is put aside at the next start, bytes.
const LIMIT: u64 = 10 * 1024 * 1024;
/// Lines of the log that an error shows.
const TAIL_LINES: usize = 20;

/// The server's log from here on, open and locked (see [`try_lock`]). We open it ourselves, since
/// the user who writes to it may not be allowed to create it.
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    start: u64,
}

impl Log {
    pub(crate) fn open(home: &Home) -> Result<Self, Error> {
        let path = home.log();
        if fs::metadata(&path).is_ok_and(|meta| meta.len() > LIMIT) {
            fs::rename(&path, path.with_extension("log.1")).map_err(io("rename", &path))?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(io("open", &path))?;
        // Cannot fail on local disks, since nothing runs; where a file system has no locks, the
        // server's working folder still tells.
        try_lock(&file);
        let start = file.metadata().map_err(io("open", &path))?.len();
        Ok(Self { path, file, start })
    }

    pub(crate) fn stdio(&self) -> Result<Stdio, Error> {
        self.file
            .try_clone()
            .map(Stdio::from)
            .map_err(io("open", &self.path))
    }

    /// Closes our copy, so that the lock is the server's alone, and keeps the place.
    pub(crate) fn release(self) -> LogMark {
        LogMark {
            path: self.path,
            start: self.start,
        }
    }

    pub(crate) fn written(&self) -> String {
        written_since(&self.path, self.start)
    }

    pub(crate) fn step_failed(&self, step: &'static str) -> Error {
        Error::Step {
            step,
            log: self.path.clone(),
            tail: tail(&self.written()),
        }
    }
}

/// A place in the log.
pub(crate) struct LogMark {
    path: PathBuf,
    start: u64,
}

impl LogMark {
    pub(crate) fn written(&self) -> String {
        written_since(&self.path, self.start)
    }

    pub(crate) fn not_ready(&self, what: String) -> Error {
        Error::NotReady {
            what,
            log: self.path.clone(),
            tail: tail(&self.written()),
        }
    }
}

fn written_since(path: &Path, start: u64) -> String {
    let read = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(LIMIT).read_to_end(&mut bytes)?;
        io::Result::Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_short() {
        let text = "line\n".repeat(100) + "last\n";
        assert_eq!(tail(&text).lines().count(), TAIL_LINES);
        assert!(tail(&text).ends_with("last"));
        assert_eq!(tail(""), "");
    }
}
