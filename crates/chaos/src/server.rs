//! The server under test, as a child process.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::process;

/// How long a start or an end may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How much of what a server complained of is shown.
const SHOWN: usize = 4000;

/// How a server is started: the program, where, and with which environment.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The program.
    pub program: PathBuf,
    /// Its working folder, with `.moltflow` and what it writes to standard error.
    pub folder: PathBuf,
    /// All of its environment, but for the way to programs.
    pub environment: BTreeMap<String, String>,
}

/// One that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    setup: Setup,
    /// `http://127.0.0.1:port`
    pub origin: String,
}

impl Setup {
    /// With a variable set, or set otherwise.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// What the first start left for scripts.
    pub fn first_run(&self) -> Result<serde_json::Value> {
        let file = self.folder.join(".moltflow/first-run.json");
        let text = fs::read(&file).with_context(|| file.display().to_string())?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// The end of what it wrote to standard error, all starts together.
    pub fn complaints(&self) -> String {
        let text = fs::read(self.log_file()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let skip = text.chars().count().saturating_sub(SHOWN);
        text.chars().skip(skip).collect()
    }

    /// Starts it, and waits until it serves.
    pub async fn start(&self) -> Result<Server> {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.folder)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.log()?)
            .kill_on_drop(true);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let up = timeout(PATIENCE, origin_of(BufReader::new(stdout).lines())).await;
        let Ok(Some(origin)) = up else {
            bail!("the server did not start:\n{}", self.complaints());
        };
        Ok(Server {
            child,
            setup: self.clone(),
            origin,
        })
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("stderr.log")
    }

    fn log(&self) -> Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file());
        file.with_context(|| self.log_file().display().to_string())
    }
}

/// Reads what it says at its start up to the address of its API; the rest is read and dropped,
/// so that it never waits for a reader.
async fn origin_of(mut lines: Lines<BufReader<ChildStdout>>) -> Option<String> {
    while let Ok(Some(line)) = lines.next_line().await {
        if !line.starts_with("  API ") {
            continue;
        }
        let api = line.split_whitespace().last()?;
        let origin = api.strip_suffix("/api/v2")?.to_owned();
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        return Some(origin);
    }
    None
}

impl Server {
    /// Its process.
    pub fn pid(&self) -> Result<Pid> {
        let id = self.child.id().context("it has ended")?;
        Pid::from_raw(id.cast_signed()).context("no process id")
    }

    /// Where it listens.
    pub fn addr(&self) -> Result<SocketAddr> {
        let addr = self.origin.strip_prefix("http://");
        Ok(addr.context("no address")?.parse()?)
    }

    /// How it was started.
    pub const fn setup(&self) -> &Setup {
        &self.setup
    }

    /// SIGKILL: nothing is finished, nothing is told.
    pub async fn kill(mut self) -> Result<()> {
        process::send(self.pid()?, Signal::KILL)?;
        self.ended().await.map(drop)
    }

    /// SIGTERM, and waits for a good end.
    pub async fn stop(mut self) -> Result<()> {
        process::send(self.pid()?, Signal::TERM)?;
        let status = self.ended().await?;
        ensure!(
            status.success(),
            "the server ended with {status}:\n{}",
            self.setup.complaints()
        );
        Ok(())
    }

    /// SIGSTOP: it stands still, and does not know it.
    pub fn pause(&self) -> Result<()> {
        process::send(self.pid()?, Signal::STOP)
    }

    /// SIGCONT: it goes on as if no time had passed.
    pub fn resume(&self) -> Result<()> {
        process::send(self.pid()?, Signal::CONT)
    }

    /// Its resident memory.
    pub fn resident_bytes(&self) -> Result<u64> {
        process::resident_bytes(self.pid()?)
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    async fn ended(&mut self) -> Result<std::process::ExitStatus> {
        let ended = timeout(PATIENCE, self.child.wait()).await;
        Ok(ended.context("the server does not end")??)
    }
}
