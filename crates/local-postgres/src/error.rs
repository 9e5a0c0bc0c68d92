//! What can go wrong, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a PostgreSQL of ours could not be started or stopped. Messages are meant for people and
/// say what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted, as in "cannot …".
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No installation anywhere, and none may be (or could be) downloaded.
    #[error(
        "no PostgreSQL found (looked in {looked_in}).{unusable}\nInstall one:\n  \
         apt install postgresql         (Debian, Ubuntu; as root)\n  \
         brew install postgresql@18     (macOS)\n\
         or name a server you have in DATABASE_URL, or the folder with its `initdb` and \
         `postgres` in MOLTFLOW_PG_BIN{download}"
    )]
    NoBinaries {
        /// Places searched, separated by commas.
        looked_in: String,
        /// What was found and could not be used, or nothing.
        unusable: String,
        /// What to do about downloads, or nothing.
        download: &'static str,
    },
    /// `bin_dir` was given and does not serve.
    #[error(
        "MOLTFLOW_PG_BIN={} cannot be used: {reason}. It must name a folder with PostgreSQL's \
         `initdb` and `postgres`",
        dir.display()
    )]
    BinDir {
        /// The folder given.
        dir: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A cluster exists, made by a major version that is not installed.
    #[error(
        "{} was made by PostgreSQL {wanted}, which cannot be used here (found: {found}). Install \
         it (apt install postgresql-{wanted}, or brew install \
         postgresql@{wanted}) or name its folder in MOLTFLOW_PG_BIN; to begin with an empty \
         database instead, move that folder away",
        data.display()
    )]
    MajorMissing {
        /// The cluster.
        data: PathBuf,
        /// Its major version, as its `PG_VERSION` says.
        wanted: String,
        /// Versions found, or "none"; what was found and does not run.
        found: String,
    },
    /// The download of the pinned binaries failed.
    #[error(
        "could not download PostgreSQL: {0}\nInstall it instead (apt install postgresql, or \
         brew install postgresql@18) or name a server you have in DATABASE_URL"
    )]
    Download(String),
    /// Running as root, and there is no ordinary user to run PostgreSQL as.
    #[error(
        "PostgreSQL refuses to run as root, and {} has neither `postgres` nor `nobody` to run it \
         as. Start MoltFlow as an ordinary user, or name a server in DATABASE_URL",
        passwd.display()
    )]
    NoUser {
        /// The list of users that was read.
        passwd: PathBuf,
    },
    /// Running as root: the user PostgreSQL runs as cannot reach its files.
    #[error(
        "PostgreSQL runs as user `{user}`, which may not enter {}. Allow it (chmod o+x {}) or \
         choose a data folder elsewhere",
        folder.display(), folder.display()
    )]
    NotTraversable {
        /// The first folder on the way that stops that user.
        folder: PathBuf,
        /// The user.
        user: String,
    },
    /// The cluster belongs to somebody else.
    #[error(
        "{} belongs to user id {owner}, and PostgreSQL would run as user id {runner}. Start \
         MoltFlow as the user it was made by, or choose another data folder",
        data.display()
    )]
    WrongOwner {
        /// The cluster.
        data: PathBuf,
        /// Owner of the cluster.
        owner: u32,
        /// Who would run it.
        runner: u32,
    },
    /// The cluster is there and its password is not.
    #[error(
        "{} is missing, so nobody can log in to {}. Restore the file, or move that folder away \
         to begin with an empty database",
        file.display(), data.display()
    )]
    PasswordMissing {
        /// Where the password was expected.
        file: PathBuf,
        /// The cluster.
        data: PathBuf,
    },
    /// The name is not one we would create.
    #[error(
        "`{0}` cannot be a database name here: use lower-case letters, digits and `_`, starting \
         with a letter, at most 63"
    )]
    DatabaseName(String),
    /// A running cluster is reused, and we never created that database in it. Creating one takes
    /// a connection or a stopped cluster, and this crate has neither.
    #[error(
        "the running PostgreSQL (process {pid}) has no database `{database}`. Stop it \
         (kill -INT {pid}) and start again, or run CREATE DATABASE yourself"
    )]
    DatabaseMissing {
        /// The database asked for.
        database: String,
        /// The postmaster.
        pid: u32,
    },
    /// Another start holds the lock and does not let go.
    #[error("another start is still busy with {}; waited {seconds} s", lock.display())]
    Busy {
        /// The lock file.
        lock: PathBuf,
        /// How long we waited.
        seconds: u64,
    },
    /// Processes of an earlier server linger, so that starting would corrupt data.
    #[error(
        "processes of an earlier PostgreSQL still use {} after {seconds} s. Look for them with \
         `ps -ef | grep postgres` and end them with `kill -INT <process id>`",
        data.display()
    )]
    Lingering {
        /// The cluster.
        data: PathBuf,
        /// How long we waited.
        seconds: u64,
    },
    /// `initdb` or `postgres --single` failed.
    #[error("{step} failed. Its last words ({}):\n{tail}", log.display())]
    Step {
        /// Which program.
        step: &'static str,
        /// The log.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// The server ended, or did not become ready in time.
    #[error("PostgreSQL {what}. Its last words ({}):\n{tail}", log.display())]
    NotReady {
        /// "ended at once" or "was not ready after … s".
        what: String,
        /// The log.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// Fast shutdown was asked for and has not come to its end.
    #[error(
        "PostgreSQL (process {pid}) still runs {seconds} s after it was told to stop. To stop it \
         without a clean shutdown: kill -QUIT {pid}"
    )]
    StillRunning {
        /// The postmaster.
        pid: u32,
        /// How long we waited.
        seconds: u64,
    },
}

/// For `map_err`: an I/O error with what was attempted and on what.
pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::Io {
        action,
        path,
        source,
    }
}
