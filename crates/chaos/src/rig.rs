//! The server under test, and around it everything that can break.

use std::collections::BTreeMap;
use std::fs;
use std::future::pending;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use mf_waha_sim::{Config, Sim};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::{
    Api, Database, Ledger, PostgresGate, Receiver, Server, Setup, Source, Tally, free_port, until,
};

const ENGINE_KEY: &str = "engine-key-of-the-rig";
const JWT_SECRET: &str = "jwt-5f0a6c0be3e94bb0a2fd76cf2c1d8e37";
const MASTER_KEY: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";
/// Folders of the servers.
const FIRST: &str = "server";
const SECOND: &str = "second-server";
/// How long a session may take to work.
const PATIENCE: Duration = Duration::from_mins(1);

/// How a rig is put together.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Settings of the server beyond the usual, or otherwise.
    pub environment: BTreeMap<String, String>,
    /// Whether the database is to be one of its own in any case, which can be stopped.
    pub own_database: bool,
    /// Settings of a PostgreSQL of its own.
    pub postgres: Vec<(String, String)>,
    /// Whether a gate stands between server and database.
    pub gate: bool,
    /// Whether webhooks may only go where anybody's may: not to the receiver.
    pub strict: bool,
}

impl Plan {
    /// With a setting of the server.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// A session that works, as the engine knows it.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// Its name at the engine.
    pub engine: String,
    /// What its callbacks are signed with.
    pub key: String,
}

/// A server between all that can be broken. Dropping it leaves nothing behind.
#[derive(Debug)]
pub struct Rig {
    /// `None` while it is killed.
    pub server: Option<Server>,
    /// How it is started; changes count from the next start.
    pub setup: Setup,
    /// The first tenant's owner, with a key that may do everything.
    pub api: Api,
    /// Where the server listens, also after a restart.
    pub addr: SocketAddr,
    /// Its database.
    pub database: Database,
    /// Between it and its database, if asked for.
    pub gate: Option<PostgresGate>,
    /// The engine's remote control.
    pub sim: Sim,
    sim_addr: SocketAddr,
    /// Where webhooks go.
    pub receiver: Receiver,
    logs: PathBuf,
    /// Last, so that it is there while everything above is dropped.
    folder: TempDir,
}

/// What the servers complained of outlives the rig: it says why a bound was not met.
impl Drop for Rig {
    fn drop(&mut self) {
        let _ = fs::create_dir_all(&self.logs);
        for name in [FIRST, SECOND] {
            let log = self.folder.path().join(name).join("stderr.log");
            if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
                let _ = fs::copy(&log, self.logs.join(format!("{name}.log")));
            }
        }
    }
}

impl Rig {
    /// Starts all of it.
    pub async fn start(lab: &crate::Lab, plan: Plan) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("moltflow-chaos-")
            // The database may run as another user, who has to come through.
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir_in("/tmp")?;
        let database = match &lab.source {
            Source::Given { url, rows } if !plan.own_database => {
                Database::given(url.clone(), rows.clone())
            }
            _ => Database::make(&folder.path().join("postgres"), &plan.postgres).await?,
        };
        let (gate, database_url) = if plan.gate {
            let gate = PostgresGate::before(database.addr()?).await?;
            let url = database.url_through(gate.addr())?;
            (Some(gate), url)
        } else {
            (None, database.url.clone())
        };
        let (sim, sim_addr) = serve_engine().await?;
        let receiver = Receiver::start().await?;
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let mut environment = usual(&database_url, sim_addr, addr);
        if !plan.strict {
            let networks = "127.0.0.0/8".to_owned();
            environment.insert("MOLTFLOW_WEBHOOK_ALLOW_NETWORKS".to_owned(), networks);
            environment.insert("MOLTFLOW_WEBHOOK_ALLOW_HTTP".to_owned(), "true".to_owned());
        }
        environment.extend(plan.environment);
        let setup = Setup {
            program: lab.program.clone(),
            folder: folder.path().join(FIRST),
            environment,
        };
        fs::create_dir(&setup.folder)?;
        let server = setup.start().await?;
        let first = setup.first_run()?;
        let key = first["api_key"].as_str().context("no key")?;
        Ok(Self {
            api: Api::with_key(&server.origin, key)?,
            server: Some(server),
            setup,
            addr,
            database,
            gate,
            sim,
            sim_addr,
            receiver,
            logs: lab.logs.clone(),
            folder,
        })
    }

    /// The server, which must be running.
    pub fn server(&self) -> Result<&Server> {
        self.server.as_ref().context("the server does not run")
    }

    /// SIGKILL to the server.
    pub async fn kill_server(&mut self) -> Result<()> {
        let server = self.server.take();
        server.context("the server does not run")?.kill().await
    }

    /// Starts the server again, at the same address.
    pub async fn start_server(&mut self) -> Result<()> {
        self.server = Some(self.setup.start().await?);
        Ok(())
    }

    /// A second server on the same database and engine, with folder and port of its own. Both
    /// call themselves by the first one's address.
    pub async fn second_server(&self) -> Result<Server> {
        let folder = self.folder.path().join(SECOND);
        fs::create_dir_all(&folder)?;
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let setup = Setup {
            folder,
            ..self.setup.clone()
        };
        let setup = setup.with("MOLTFLOW_ADDR", addr.to_string());
        setup.start().await
    }

    /// SIGTERM to the server, which must end well.
    pub async fn end(mut self) -> Result<()> {
        match self.server.take() {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }

    /// So many sessions that work, of the first tenant.
    pub async fn sessions(&self, count: usize) -> Result<Vec<Session>> {
        self.sessions_of(&self.api, count).await
    }

    /// So many sessions that work, of whoever this is.
    pub async fn sessions_of(&self, api: &Api, count: usize) -> Result<Vec<Session>> {
        let mut sessions = Vec::new();
        for number in 0..count {
            sessions.push(self.session(api, &format!("Session {number}")).await?);
        }
        Ok(sessions)
    }

    async fn session(&self, api: &Api, name: &str) -> Result<Session> {
        let made = api
            .post("/sessions", &json!({"name": name}))
            .await?
            .expect(201)?;
        let id = Uuid::try_parse(made["id"].as_str().context("no id")?)?;
        let start = format!("/sessions/{id}/start");
        api.post(&start, &Value::Null).await?.expect(200)?;
        let engine = format!("mf_{}", id.simple());
        let scanned = tokio::time::timeout(PATIENCE, self.sim.scan(&engine)).await;
        scanned
            .context("no code to scan")?
            .map_err(|error| anyhow!(error))?;
        let path = format!("/sessions/{id}");
        until("the session works", PATIENCE, async || {
            Ok(api.get(&path).await?.body["status"] == "working")
        })
        .await?;
        let key = self.signing_key(&engine).await?;
        Ok(Session { id, engine, key })
    }

    /// The key of a session's callbacks, as the engine was told it.
    async fn signing_key(&self, engine: &str) -> Result<String> {
        let url = format!("http://{}/api/sessions/{engine}", self.sim_addr);
        let answer = crate::api::http()?.get(url).header("x-api-key", ENGINE_KEY);
        let told: Value = answer.send().await?.error_for_status()?.json().await?;
        let key = told["config"]["webhooks"][0]["hmac"]["key"].as_str();
        Ok(key.context("the engine has no key")?.to_owned())
    }

    /// Waits until every message of the ledger has arrived at this path, or below it where it
    /// ends in `/`, or `patience` is over; what is missing then is lost.
    pub async fn settle(&self, ledger: &Ledger, path: &str, patience: Duration) -> Tally {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let tally = Tally::of(ledger, &self.receiver.arrivals(path));
            if tally.lost.is_empty() {
                return tally;
            }
            // Looked at anew in a moment: a thousand arrivals are not looked at a thousand times.
            let pause = tokio::time::Instant::now() + Duration::from_millis(200);
            tokio::time::sleep_until(pause.min(deadline)).await;
            if tokio::time::Instant::now() >= deadline {
                return Tally::of(ledger, &self.receiver.arrivals(path));
            }
        }
    }
}

/// The environment of a server in a rig.
fn usual(database: &str, engine: SocketAddr, addr: SocketAddr) -> BTreeMap<String, String> {
    [
        ("DATABASE_URL", database.to_owned()),
        ("MOLTFLOW_JWT_SECRET", JWT_SECRET.to_owned()),
        ("MOLTFLOW_MASTER_KEY", MASTER_KEY.to_owned()),
        ("MOLTFLOW_ADDR", addr.to_string()),
        ("MOLTFLOW_CALLBACK_URL", format!("http://{addr}")),
        ("MOLTFLOW_ENGINE_URL", format!("http://{engine}")),
        ("MOLTFLOW_ENGINE_API_KEY", ENGINE_KEY.to_owned()),
        ("MOLTFLOW_LOG", "warn".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// Served until the process ends.
async fn serve_engine() -> Result<(Sim, SocketAddr)> {
    let sim = Sim::new(Config::quick(ENGINE_KEY));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    tokio::spawn(sim.clone().serve(listener, pending()));
    Ok((sim, addr))
}
