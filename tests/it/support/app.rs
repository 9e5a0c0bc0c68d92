use std::{
    collections::BTreeMap, fmt::Display, future::pending, net::SocketAddr, path::Path, sync::Arc,
};

use mf_domain::{Email, PlanId, Role as UserRole, ScopeSet};
use mf_server::{Config, Role, Server};
use mf_services::{KeyRequest, NewAccount, Services};
use mf_test_support::{Client, Credential, TestDatabase};
use mf_waha_sim::{CallbackRecord, Dialect, Sim};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    runtime::{self, Runtime},
};

use super::{Wire, soon};

const ENGINE_KEY: &str = "engine-key-of-the-tests";

type Settings = BTreeMap<&'static str, String>;

/// How a server is to be started.
pub(crate) struct Builder {
    settings: Settings,
    engine: mf_waha_sim::Config,
    role: Role,
}

/// A server with everything it needs, none of it shared. It goes down in order when this is
/// dropped.
pub(crate) struct TestApp {
    /// What is not the test itself runs here, so that it goes on whatever the test does.
    runtime: Option<Runtime>,
    server: Option<Server>,
    /// The engine's remote control.
    pub(crate) sim: Sim,
    /// What connects the server with the engine.
    pub(crate) wire: Wire,
    engine_url: String,
    /// What the first start left for scripts.
    pub(crate) first_run: Value,
    settings: Settings,
    nobody: Client,
    data_dir: TempDir,
    database: Option<TestDatabase>,
}

/// Another tenant of the same server.
pub(crate) struct Neighbour {
    /// By a key with every right.
    pub(crate) key: Client,
    pub(crate) email: String,
    pub(crate) password: String,
}

impl Builder {
    /// With this setting.
    pub(crate) fn set(mut self, name: &'static str, value: impl Display) -> Self {
        self.settings.insert(name, value.to_string());
        self
    }

    /// With an engine that imitates this one.
    pub(crate) fn dialect(self, dialect: Dialect) -> Self {
        self.engine(|engine| engine.engine = dialect)
    }

    /// With an engine that behaves otherwise.
    pub(crate) fn engine(mut self, change: impl FnOnce(&mut mf_waha_sim::Config)) -> Self {
        change(&mut self.engine);
        self
    }

    /// Starts it.
    pub(crate) async fn start(self) -> TestApp {
        log();
        let Self {
            mut settings,
            engine,
            role,
        } = self;
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let database = TestDatabase::create().await;
        let sim = Sim::new(engine);
        let (wire, engine_addr) = within(&runtime, {
            let sim = sim.clone();
            async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let addr = listener.local_addr().unwrap();
                tokio::spawn(sim.serve(listener, pending()));
                (Wire::to(addr).await, addr)
            }
        })
        .await;
        let data_dir = TempDir::new().unwrap();
        let mut default = |name, value: String| {
            settings.entry(name).or_insert(value);
        };
        default("DATABASE_URL", database.url());
        default("MOLTFLOW_ADDR", "127.0.0.1:0".to_owned());
        default(
            "MOLTFLOW_DATA_DIR",
            data_dir.path().to_str().unwrap().to_owned(),
        );
        default("MOLTFLOW_DB_CONNECTIONS", "6".to_owned());
        default("MOLTFLOW_ENGINE_URL", wire.url());
        default("MOLTFLOW_ENGINE_API_KEY", ENGINE_KEY.to_owned());
        default("MOLTFLOW_SHUTDOWN_SECONDS", "5".to_owned());
        default("MOLTFLOW_JWT_SECRET", "0123456789abcdef".repeat(3));
        // 32 bytes that are not all the same.
        default(
            "MOLTFLOW_MASTER_KEY",
            "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned(),
        );
        let server = within(&runtime, serve(settings.clone(), role)).await;
        let first_run = std::fs::read(data_dir.path().join("first-run.json")).unwrap();
        let nobody = Client::new(&format!("http://{}", server.addr()), Credential::None);
        TestApp {
            runtime: Some(runtime),
            server: Some(server),
            sim,
            wire,
            engine_url: format!("http://{engine_addr}"),
            first_run: serde_json::from_slice(&first_run).unwrap(),
            settings,
            nobody,
            data_dir,
            database: Some(database),
        }
    }
}

/// Starts a server as the binary does, from its settings.
async fn serve(settings: Settings, role: Role) -> Server {
    let config = Config::from_lookup(&|name| settings.get(name).cloned());
    let config = config.unwrap_or_else(|faults| panic!("{faults}"));
    let started = Server::start(config, role).await;
    started.unwrap_or_else(|error| panic!("the server did not start: {error:?}"))
}

/// Does something where the server runs.
async fn within<T: Send + 'static>(
    runtime: &Runtime,
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    match runtime.spawn(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// What a failed test shows: warnings, or what `RUST_LOG` says.
fn log() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_test_writer();
    // In one process there is one log, whoever was first.
    let _ = subscriber.try_init();
}

impl TestApp {
    /// A server as it is when nothing is said.
    pub(crate) async fn start() -> Self {
        Self::builder().start().await
    }

    /// A server with something said.
    pub(crate) fn builder() -> Builder {
        Builder {
            settings: BTreeMap::new(),
            engine: mf_waha_sim::Config::quick(ENGINE_KEY),
            role: Role::All,
        }
    }

    /// Where the server is.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.server().addr())
    }

    /// Nobody in particular.
    pub(crate) fn anonymous(&self) -> Client {
        self.nobody.clone()
    }

    /// Somebody with this key.
    pub(crate) fn with_key(&self, key: &str) -> Client {
        self.anonymous().with(Credential::ApiKey(key.to_owned()))
    }

    /// Somebody with this access token, or whatever it is.
    pub(crate) fn with_bearer(&self, token: &str) -> Client {
        self.anonymous().with(Credential::Bearer(token.to_owned()))
    }

    /// The first key: every right.
    pub(crate) fn full_key(&self) -> Client {
        self.with_key(self.first_run["api_key"].as_str().unwrap())
    }

    /// A key with these scopes.
    pub(crate) async fn key(&self, scopes: &[&str]) -> Client {
        let body = json!({"name": "Lesser key", "scopes": scopes});
        let key = self.full_key().post("/api-keys", body).await.expect(201);
        self.with_key(key["raw_key"].as_str().unwrap())
    }

    /// What the owner's login answers.
    pub(crate) async fn login(&self) -> Value {
        let body = json!({
            "email": self.first_run["email"], "password": self.first_run["password"],
        });
        self.anonymous().post("/auth/login", body).await.expect(200)
    }

    /// The owner, logged in.
    pub(crate) async fn owner(&self) -> Client {
        self.with_bearer(self.login().await["access_token"].as_str().unwrap())
    }

    /// Another tenant.
    pub(crate) async fn other_tenant(&self) -> Neighbour {
        let (email, password) = ("neighbour@example.com", "a password next door");
        let services = Arc::clone(self.services());
        let registering = async move {
            let plan = PlanId::new(PlanId::SELF_HOSTED);
            let account = NewAccount {
                email: Email::parse(email).unwrap(),
                password,
                full_name: "Neighbour",
                tenant_name: "Next door",
                plan: &plan,
                role: UserRole::Owner,
            };
            let registered = services.register(account).await.unwrap();
            let request = KeyRequest {
                name: "Neighbour's key",
                scopes: ScopeSet::full(),
                expires_in_days: None,
                created_by: Some(registered.user),
                maker_scopes: ScopeSet::full(),
            };
            services.mint_key(registered.tenant, request).await.unwrap()
        };
        let minted = self.within(registering).await;
        Neighbour {
            key: self.with_key(&minted.raw),
            email: email.to_owned(),
            password: password.to_owned(),
        }
    }

    /// Does something where the server runs: connections that it is to use later must not be
    /// the test's.
    pub(crate) async fn within<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        within(self.runtime.as_ref().unwrap(), work).await
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// What the server works with.
    pub(crate) fn services(&self) -> &Arc<Services> {
        self.server().services()
    }

    /// Every row of every tenant.
    pub(crate) fn rows(&self) -> &sqlx::PgPool {
        self.database.as_ref().unwrap().rows()
    }

    /// The one number that a query gives.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(self.rows())
            .await
            .unwrap()
    }

    /// How many files of messages are kept.
    pub(crate) fn kept_files(&self) -> usize {
        fn within(folder: &Path) -> usize {
            let Ok(entries) = std::fs::read_dir(folder) else {
                return 0;
            };
            let paths = entries.map(|entry| entry.unwrap().path());
            paths
                .map(|path| if path.is_dir() { within(&path) } else { 1 })
                .sum()
        }
        within(&self.data_dir.path().join("media"))
    }

    /// A second server on the same database and engine, and its address. The engine goes on
    /// reporting to the first.
    pub(crate) async fn second_server(&self, role: Role) -> (Server, String) {
        let mut settings = self.settings.clone();
        settings.insert("MOLTFLOW_CALLBACK_URL", self.origin());
        let server = self.within(serve(settings, role)).await;
        let origin = format!("http://{}", server.addr());
        (server, origin)
    }

    /// The server goes down, in order.
    pub(crate) async fn stop(&mut self) {
        let server = self.server.take().unwrap();
        let addr: SocketAddr = server.addr();
        self.settings.insert("MOLTFLOW_ADDR", addr.to_string());
        self.within(server.shutdown()).await;
    }

    /// And comes back, at the same address.
    pub(crate) async fn start_again(&mut self) {
        let serving = serve(self.settings.clone(), Role::All);
        self.server = Some(self.within(serving).await);
    }

    /// The first callback that fits and that the server took, once there is one.
    pub(crate) async fn taken(&self, fits: impl Fn(&CallbackRecord) -> bool) -> CallbackRecord {
        let found = |sim: &Sim| {
            let mut callbacks = sim.callbacks().into_iter();
            callbacks.find(|record| record.status == Some(200) && fits(record))
        };
        soon(self.sim.until(found)).await
    }

    /// Waits until the engine's own report of a message that was sent was taken.
    pub(crate) async fn reported(&self, wa_message_id: &str) {
        self.taken(|record| record.event == "message.any" && record.body.contains(wa_message_id))
            .await;
    }

    /// A session as the engine has it.
    pub(crate) async fn at_engine(&self, session: &str) -> Value {
        let engine = Client::new(&self.engine_url, Credential::ApiKey(ENGINE_KEY.to_owned()));
        let path = format!("/api/sessions/{session}");
        engine.root().get(&path).await.json()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let (runtime, server) = (self.runtime.take(), self.server.take());
        let (Some(runtime), Some(database)) = (runtime, self.database.take()) else {
            return;
        };
        if std::thread::panicking() {
            eprintln!("kept for an hour: {}", database.url());
            runtime.shutdown_background();
            return;
        }
        self.wire.release();
        // On a thread of its own: a runtime waits for nothing within another.
        let ending = std::thread::spawn(move || {
            runtime.block_on(async {
                if let Some(server) = server {
                    server.shutdown().await;
                }
                database.remove().await;
            });
            runtime.shutdown_background();
        });
        ending.join().expect("the server goes down well");
    }
}
