//! Tells whether a server of ours is running, from what it leaves in its folder.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::process::Pid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::error::{Error, io};
use crate::home::Home;

/// What `postmaster.pid` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Postmaster {
    pub(crate) pid: Pid,
    /// Zero until the server has written that far.
    pub(crate) port: u16,
    pub(crate) ready: bool,
}

/// The state of a cluster's folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// A postmaster of this very folder is alive.
    Running(Postmaster),
    /// No postmaster, but processes of an earlier one have not ended yet: starting now would
    /// let two servers write to the same files.
    Lingering,
    /// Nothing runs.
    Free,
}

/// Looks at the folder.
pub(crate) fn observe(home: &Home) -> State {
    let data = home.data();
    let locked = log_is_locked(&home.log());
    let said = fs::read_to_string(data.join("postmaster.pid"))
        .ok()
        .and_then(|text| parse(&text));
    match said {
        // The id alone proves nothing: after a reboot, or in a container, it may be anybody's.
        Some(found) if is_alive(found.pid) && (locked || works_in(found.pid, &data)) => {
            State::Running(found)
        }
        _ if locked => State::Lingering,
        _ => State::Free,
    }
}

/// Line 1 is the process id, line 4 the port, line 8 the status.
fn parse(text: &str) -> Option<Postmaster> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    // A negative id is a server in single-user mode, which nobody can connect to.
    let pid = lines
        .first()?
        .parse()
        .ok()
        .filter(|pid| *pid > 0)
        .and_then(Pid::from_raw)?;
    let port = lines.get(3).and_then(|line| line.parse().ok()).unwrap_or(0);
    let ready = lines.get(7).is_some_and(|line| line.starts_with("ready"));
    Some(Postmaster { pid, port, ready })
}

/// Every process of the server holds the log open, and with it the lock we took on it before
/// starting the first. So the lock is free exactly when the last of them has gone.
fn log_is_locked(log: &Path) -> bool {
    File::open(log).is_ok_and(|file| !try_lock(&file))
}

/// Takes the lock on an open file if it is free; it goes with the last copy of the descriptor.
pub(crate) fn try_lock(file: &File) -> bool {
    rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive).is_ok()
}

/// Whether a process of that id exists and is not merely waiting to be collected by its parent.
pub(crate) fn is_alive(pid: Pid) -> bool {
    match rustix::process::test_kill_process(pid) {
        // Somebody else's process exists, too.
        Ok(()) | Err(rustix::io::Errno::PERM) => !is_zombie(pid),
        Err(_) => false,
    }
}

fn is_zombie(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid()))
        .ok()
        .and_then(|stat| {
            stat.rsplit_once(") ")
                .map(|(_, rest)| rest.starts_with(['Z', 'X']))
        })
        .unwrap_or(false)
}

/// A postmaster's working folder is its data folder. Systems without `/proc` rely on the lock.
fn works_in(pid: Pid, data: &Path) -> bool {
    fs::read_link(format!("/proc/{}/cwd", pid.as_raw_pid())).is_ok_and(|folder| folder == data)
}

/// Removes a `postmaster.pid` that is left over. PostgreSQL would do so itself, unless another
/// process now has that id. Only to be called when [`observe`] says [`State::Free`].
pub(crate) fn remove_stale_pid_file(home: &Home) -> Result<(), Error> {
    let file = home.data().join("postmaster.pid");
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io("remove", &file)(error)),
        _ => Ok(()),
    }
}

/// Whether a PostgreSQL answers on the port: it is asked for TLS, which needs no login, and says
/// `S` or `N`.
pub(crate) async fn answers(port: u16) -> bool {
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(&SSL_REQUEST).await?;
        stream.read_u8().await
    };
    matches!(
        tokio::time::timeout(Duration::from_secs(2), ask).await,
        Ok(Ok(b'S' | b'N'))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_postmaster_is_read() {
        let text = "4711\n/data\n1700000000\n5433\n\n127.0.0.1\n  1 2\nready   \n";
        let found = parse(text).unwrap();
        assert_eq!(
            (found.pid.as_raw_pid(), found.port, found.ready),
            (4711, 5433, true)
        );
    }

    #[test]
    fn a_starting_one_is_not_ready() {
        assert!(!parse("4711\n/data\n1700000000\n5433\n\n").unwrap().ready);
    }

    #[test]
    fn single_user_mode_and_rubbish_are_nobody() {
        assert_eq!(parse("-4711\n/data\n1700000000\n0\n\n"), None);
        assert_eq!(parse(""), None);
        assert_eq!(parse("0\n"), None);
    }
}
