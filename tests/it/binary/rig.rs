//! Starts the program, listens to it, and leaves nothing behind.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{ExitStatus, Output, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mf_chaos::{is_alive, until};
use mf_test_support::{Client, Credential};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};

/// How long anything may take before the test gives up.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for something that another process brings about and does not tell.
pub(super) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let held = until(what, PATIENCE, async || Ok(holds().await)).await;
    held.unwrap();
}

/// The program: what `moltflow` is made of, built with this test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_moltflow-under-test");

/// A folder to run in, and the environment to run with.
pub(super) struct World {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl World {
    /// Nothing configured but that any free port will do.
    pub(super) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("moltflow-test-")
            // The database may run as another user, who has to come through.
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir_in("/tmp")
            .unwrap();
        let world = Self {
            folder,
            environment: Vec::new(),
        };
        world.with("MOLTFLOW_ADDR", "127.0.0.1:0")
    }

    /// On a database of somebody else's, with the secrets that this takes.
    pub(super) fn on(database_url: &str) -> Self {
        Self::new()
            .with("DATABASE_URL", database_url)
            .with("MOLTFLOW_JWT_SECRET", JWT_SECRET)
            .with("MOLTFLOW_MASTER_KEY", MASTER_KEY)
    }

    /// With a variable set, or set otherwise.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Where the program keeps its things.
    pub(super) fn data_dir(&self) -> PathBuf {
        self.folder.path().join(".moltflow")
    }

    /// The program with these arguments, in this world and no other.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        for inherited in ["PATH", "MOLTFLOW_PG_BIN", "MOLTFLOW_PG_DOWNLOAD"] {
            if let Some(value) = std::env::var_os(inherited) {
                command.env(inherited, value);
            }
        }
        command
    }

    /// Runs a command to its end.
    pub(super) async fn run(&self, arguments: &[&str]) -> Output {
        timeout(PATIENCE, self.command(arguments).output())
            .await
            .unwrap_or_else(|_| panic!("moltflow {arguments:?} does not end"))
            .unwrap()
    }

    /// Runs a command that has to succeed; what it printed.
    pub(super) async fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that has to fail with this code; what it complained of.
    pub(super) async fn fail(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        said
    }

    /// Starts the server and waits until it says that it is up.
    pub(super) async fn start(&self) -> Server {
        let mut server = Server::spawn(self.command(&[]));
        server.up().await;
        server
    }

    /// What the first start left for scripts.
    pub(super) fn first_run(&self) -> FirstRun {
        let text = fs::read(self.data_dir().join("first-run.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    /// The embedded database's process.
    pub(super) fn postmaster(&self) -> Option<Pid> {
        let file = self.data_dir().join("postgres/data/postmaster.pid");
        let text = fs::read_to_string(file).ok()?;
        Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
    }
}

/// A server that was killed leaves its database running.
impl Drop for World {
    fn drop(&mut self) {
        if let Some(postmaster) = self.postmaster() {
            end_database(postmaster);
        }
    }
}

/// A database that is not to outlive its test, however that ends.
pub(super) struct Ended(pub(super) Pid);

impl Drop for Ended {
    fn drop(&mut self) {
        // Otherwise the test has ended it, and the id may be anybody's.
        if std::thread::panicking() {
            end_database(self.0);
        }
    }
}

/// Immediate shutdown: nothing in it is wanted any more.
fn end_database(postmaster: Pid) {
    if kill_process(postmaster, Signal::QUIT).is_ok() {
        let begun = Instant::now();
        while is_alive(postmaster) && begun.elapsed() < Duration::from_secs(10) {
            std::thread::yield_now();
        }
    }
}

pub(super) const JWT_SECRET: &str = "jwt-c1f0e35b7a924d6f8e0b1a2c3d4e5f60";
pub(super) const MASTER_KEY: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

/// `first-run.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FirstRun {
    pub(super) base_url: String,
    pub(super) api_key: String,
    pub(super) email: String,
    pub(super) password: String,
    pub(super) tenant_id: uuid::Uuid,
}

/// The program as it serves. Dropping it kills it.
pub(super) struct Server {
    child: Child,
    pub(super) stdout: Lines,
    pub(super) stderr: Lines,
    pub(super) base_url: String,
}

impl Server {
    fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = Lines::of(child.stdout.take().unwrap());
        let stderr = Lines::of(child.stderr.take().unwrap());
        Self {
            child,
            stdout,
            stderr,
            base_url: String::new(),
        }
    }

    async fn up(&mut self) {
        let last = |line: &String| line.contains("A new password:") || line.contains("\"Hello\"");
        tokio::select! {
            () = self.stdout.until(|lines| lines.iter().any(last)) => {}
            status = self.child.wait() => {
                let said = self.stderr.whole().await;
                panic!("the server did not start: {}\n{said}", status.unwrap());
            }
        }
        let lines = self.stdout.lines();
        let api = lines.iter().find(|line| line.starts_with("  API "));
        let api = api.unwrap().split_whitespace().last().unwrap();
        api.strip_suffix("/api/v2")
            .unwrap()
            .clone_into(&mut self.base_url);
    }

    /// `127.0.0.1:port`.
    pub(super) fn addr(&self) -> &str {
        self.base_url.strip_prefix("http://").unwrap()
    }

    pub(super) fn pid(&self) -> Pid {
        let id = self.child.id().expect("it was waited for");
        Pid::from_raw(id.cast_signed()).unwrap()
    }

    /// As somebody with this key.
    pub(super) fn client(&self, key: &str) -> Client {
        Client::new(&self.base_url, Credential::ApiKey(key.to_owned()))
    }

    /// SIGTERM, without waiting for what comes of it.
    pub(super) fn ask_to_stop(&self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
    }

    /// SIGTERM; everything it wrote to standard error, once it has ended well.
    pub(super) async fn stop(mut self) -> String {
        self.ask_to_stop();
        self.ended().await
    }

    /// Waits for an end that has to be a good one.
    pub(super) async fn ended(&mut self) -> String {
        let status = self.exit().await;
        let said = self.stderr.whole().await;
        assert!(status.success(), "{status}: {said}");
        said
    }

    pub(super) async fn exit(&mut self) -> ExitStatus {
        let ended = timeout(PATIENCE, self.child.wait()).await;
        ended.expect("the server does not end").unwrap()
    }

    /// SIGKILL: nothing is finished, nothing is told.
    pub(super) async fn kill(mut self) {
        kill_process(self.pid(), Signal::KILL).unwrap();
        self.exit().await;
    }
}

/// What a process writes, line by line.
#[derive(Debug)]
pub(super) struct Lines {
    said: Arc<Mutex<Vec<String>>>,
    grown: watch::Receiver<usize>,
    reader: Option<JoinHandle<()>>,
}

impl Lines {
    fn of(pipe: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (grow, grown) = watch::channel(0);
        let kept = Arc::clone(&lines);
        let reader = tokio::spawn(async move {
            let mut source = BufReader::new(pipe).lines();
            while let Ok(Some(line)) = source.next_line().await {
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
                grow.send_modify(|count| *count += 1);
            }
        });
        Self {
            said: lines,
            grown,
            reader: Some(reader),
        }
    }

    /// What there is so far.
    pub(super) fn lines(&self) -> Vec<String> {
        let lines = self.said.lock();
        lines.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// Waits until `found` finds what it looks for.
    pub(super) async fn until(&self, found: impl Fn(&[String]) -> bool) {
        let mut grown = self.grown.clone();
        let wait = async {
            while !found(&self.lines()) {
                if grown.changed().await.is_err() {
                    // It writes no more: whoever waits sees to the process's end.
                    return std::future::pending().await;
                }
            }
        };
        let said = timeout(PATIENCE, wait).await.is_ok();
        assert!(said, "what was waited for was not said:\n{}", self.text());
    }

    /// Everything, once it ends.
    async fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            timeout(PATIENCE, reader).await.unwrap().unwrap();
        }
        self.text()
    }
}
