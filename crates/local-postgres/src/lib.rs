//! Finds, starts and stops a PostgreSQL of our own, so that a first start needs no set-up.
//!
//! One folder holds one cluster: `data/` and, beside it, `password`, `port`, `postgres.log` and
//! `lock`. The server outlives the process that started it unless [`LocalPostgres::stop`] is
//! called, so that a crash of ours costs nothing: the next start finds it and goes on. It listens
//! on 127.0.0.1 only and asks for a password.

mod binaries;
mod cluster;
mod error;
mod home;
mod log;
mod places;
mod postmaster;
mod server;
mod user;
mod wheel;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Pid;
use tokio::process::Child;
use tokio::time::{Instant, sleep};

pub use crate::error::Error;
use crate::error::io;
use crate::home::Home;
use crate::places::Places;
use crate::postmaster::{Postmaster, State};

/// How long to wait for another start on the same folder, which may be downloading.
const LOCK_WITHIN: Duration = Duration::from_mins(10);
/// How long a server found running may take to become ready, or an earlier one to go away.
const SETTLED_WITHIN: Duration = Duration::from_mins(2);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Whether PostgreSQL may be downloaded where none is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Download {
    /// Said aloud before it happens, see [`Options::notice`].
    Allowed,
    /// `MOLTFLOW_PG_DOWNLOAD=never`
    Never,
}

/// What to start, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of ours, made where missing; the cluster goes to `data` in it. As root, when the
    /// user who runs PostgreSQL cannot reach it, the cluster goes to
    /// `/var/lib/moltflow-<hash>` and a file `location` here says so.
    pub data_dir: PathBuf,
    /// Folder with `initdb` and `postgres`: `MOLTFLOW_PG_BIN`. Searched for where `None`.
    pub bin_dir: Option<PathBuf>,
    /// Whether to download what is not installed.
    pub download: Download,
    /// Created where missing: lower-case letters, digits and `_`. On a server that runs already
    /// this is not possible and an error.
    pub database: String,
    /// Settings as in `postgresql.conf`, such as `("fsync", "off")` for tests. They do not reach
    /// a server that runs already.
    pub settings: Vec<(String, String)>,
    /// Told what a user should know before it happens: a download, data going elsewhere.
    pub notice: fn(&str),
}

impl Options {
    /// Durable, found or downloaded, notices to the log.
    pub fn new(data_dir: impl Into<PathBuf>, database: impl Into<String>) -> Self {
        Self {
            data_dir: data_dir.into(),
            bin_dir: None,
            download: Download::Allowed,
            database: database.into(),
            settings: Vec::new(),
            notice: |text| tracing::info!("{text}"),
        }
    }
}

/// A PostgreSQL that runs. Dropping this leaves it running.
#[derive(Debug)]
pub struct LocalPostgres {
    url: String,
    description: String,
    pid: Pid,
    /// `None` = reused.
    child: Option<Child>,
    home: Home,
}

impl LocalPostgres {
    /// Reuses the server that runs on the folder, or finds PostgreSQL, makes the cluster and the
    /// database where missing, starts it and waits until it takes connections. Starts on the
    /// same folder wait for one another.
    pub async fn start(options: &Options) -> Result<Self, Error> {
        Self::start_with(options, &Places::of_this_machine()).await
    }

    async fn start_with(options: &Options, places: &Places) -> Result<Self, Error> {
        cluster::check_database_name(&options.database)?;
        let asked = home::prepare_folder(&options.data_dir)?;
        let _lock = lock(&home::lock_in(&asked)).await?;
        let home = Home::resolve(&asked, options, places)?;
        if let Some(running) = settle(&home).await? {
            return Self::reuse(options, home, running);
        }
        let binaries = binaries::find(options, places, &home).await?;
        postmaster::remove_stale_pid_file(&home)?;
        let password = cluster::ensure(options, &home, &binaries).await?;
        let (child, running) = server::start(options, &home, &binaries).await?;
        let description = format!(
            "PostgreSQL {} from {}, started",
            binaries.version,
            binaries.dir.display()
        );
        tracing::debug!(
            pid = running.pid.as_raw_pid(),
            port = running.port,
            "{description}"
        );
        Ok(Self::new(
            options,
            home,
            running,
            &password,
            description,
            Some(child),
        ))
    }

    fn reuse(options: &Options, home: Home, running: Postmaster) -> Result<Self, Error> {
        let password = cluster::read_password(&home)?;
        if !cluster::has_database(&home, &options.database) {
            return Err(Error::DatabaseMissing {
                database: options.database.clone(),
                pid: running.pid.as_raw_pid().cast_unsigned(),
            });
        }
        let description = describe_running(&home.data());
        Ok(Self::new(
            options,
            home,
            running,
            &password,
            description,
            None,
        ))
    }

    fn new(
        options: &Options,
        home: Home,
        running: Postmaster,
        password: &str,
        description: String,
        child: Option<Child>,
    ) -> Self {
        let (port, database) = (running.port, &options.database);
        let url = format!("postgres://app:{password}@127.0.0.1:{port}/{database}");
        Self {
            url,
            description,
            pid: running.pid,
            child,
            home,
        }
    }

    /// `postgres://app:password@127.0.0.1:port/database`. The user `app` is the cluster's
    /// superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// For people: "PostgreSQL 15.18 from /usr/lib/postgresql/15/bin, started", or "reused".
    pub fn describe(&self) -> String {
        self.description.clone()
    }

    /// Whether it ran already when it was asked for.
    pub fn was_running(&self) -> bool {
        self.child.is_none()
    }

    /// Process id of the postmaster.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_pid().cast_unsigned()
    }

    /// Fast shutdown (connections are ended, nothing committed is lost), also of a server that
    /// was reused. Returns when the last of its processes has gone.
    pub async fn stop(self) -> Result<(), Error> {
        let _lock = lock(&self.home.lock()).await?;
        server::stop(&self.home, self.pid, self.child).await
    }
}

/// Waits until the folder is in a state to act upon: a server that takes connections, or nothing.
async fn settle(home: &Home) -> Result<Option<Postmaster>, Error> {
    let deadline = Instant::now() + SETTLED_WITHIN;
    loop {
        match postmaster::observe(home) {
            State::Free => return Ok(None),
            State::Running(found) if found.ready && postmaster::answers(found.port).await => {
                return Ok(Some(found));
            }
            State::Running(_) | State::Lingering => {}
        }
        if Instant::now() > deadline {
            return Err(Error::Lingering {
                data: home.data(),
                seconds: SETTLED_WITHIN.as_secs(),
            });
        }
        sleep(PAUSE).await;
    }
}

/// The lock goes with the file that is returned, also when this process is killed.
async fn lock(path: &Path) -> Result<File, Error> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(io("open", path))?;
    let deadline = Instant::now() + LOCK_WITHIN;
    while !postmaster::try_lock(&file) {
        if Instant::now() > deadline {
            let seconds = LOCK_WITHIN.as_secs();
            return Err(Error::Busy {
                lock: path.to_path_buf(),
                seconds,
            });
        }
        sleep(PAUSE).await;
    }
    Ok(file)
}

/// `postmaster.opts` begins with the path of the program.
fn describe_running(data: &Path) -> String {
    let read = |name: &str| fs::read_to_string(data.join(name)).unwrap_or_default();
    let (major, options) = (read("PG_VERSION"), read("postmaster.opts"));
    let program = options.split(" \"").next().unwrap_or_default().trim();
    let folder = Path::new(program)
        .parent()
        .unwrap_or(Path::new(""))
        .display();
    format!("PostgreSQL {} from {folder}, reused", major.trim())
}
