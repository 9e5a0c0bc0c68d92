//! Wiring: everything made once, in order, and taken down in the reverse.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::{Context as _, bail};
use axum::Router;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use mf_domain::{Clock, Ids, SystemClock};
use mf_http_kit::{ClientLimits, HttpSettings, harden};
use mf_services::{FirstRun, OsEntropy, ServiceParts, Services, Settings, Tokens, Vault};
use mf_worker::Worker;
use rustix::process::{Resource, getrlimit};
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    Config,
    banner::Banner,
    database::Database,
    engine::EngineHandle,
    first_start, outside,
    secrets::{self, Secrets},
};

/// How long fetching a client's file from its address may take, and at least how long the
/// engine may take with one.
const MEDIA_TIMEOUT: Duration = Duration::from_mins(1);

/// How long a client may take nothing of what it is sent.
const STALLED: Duration = Duration::from_mins(1);

/// How long the head of a request may be in coming, and a connection idle.
const HEAD: Duration = Duration::from_secs(30);

/// Which part of the work a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// HTTP and background work.
    All,
    /// HTTP alone.
    Http,
    /// Background work alone. Only health and metrics are served.
    Worker,
}

/// Why a server did not start.
pub type StartError = anyhow::Error;

/// A server that runs.
pub struct Server {
    addr: SocketAddr,
    base_url: String,
    services: Arc<Services>,
    database: Database,
    engine: EngineHandle,
    http: JoinHandle<()>,
    stop_http: CancellationToken,
    worker: Option<Worker>,
    follower: JoinHandle<()>,
    patience: Duration,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}

/// What a server is made of, before it serves.
struct Parts {
    ids: Ids,
    engine: EngineHandle,
    services: Arc<Services>,
    first: Option<FirstRun>,
    metrics: PrometheusHandle,
}

impl Parts {
    async fn make(
        config: &mut Config,
        role: Role,
        database: &Database,
        local_url: &str,
        base_url: &str,
    ) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids = Ids::new(Arc::clone(&clock), Arc::new(OsEntropy));
        let secrets = Secrets::obtain(config, &ids)?;
        let migrated = database.store.migrate().await;
        migrated.context("the database schema was not brought up to date")?;
        let engine = EngineHandle::open(config, &ids).await?;
        let services = Services::new(ServiceParts {
            store: database.store.clone(),
            engine: Arc::clone(&engine.engine),
            clock: Arc::clone(&clock),
            ids: ids.clone(),
            files: outside::files(config)?,
            outbound: outside::outbound(config)?,
            vault: Vault::new(&secrets.master, ids.clone()),
            tokens: Tokens::new(&secrets.jwt, clock),
            settings: settings(config, local_url),
        });
        let first = match role {
            // Whoever shows the API shows the way in.
            Role::Worker => None,
            Role::All | Role::Http => {
                let made = services.first_run().await;
                made.context("the first account was not made")?
            }
        };
        if let Some(first) = &first {
            first_start::keep(&config.data_dir, base_url, first)?;
        }
        let opened = services.open().await;
        opened.context("the event log cannot be read")?;
        let metrics = recorder()?;
        Ok(Self {
            ids,
            engine,
            services,
            first,
            metrics,
        })
    }

    fn router(&self, config: &Config, role: Role) -> Router {
        let handle = self.metrics.clone();
        let metrics: mf_api::Metrics = Arc::new(move || handle.render());
        let router = match role {
            Role::All | Role::Http => mf_api::router(&self.services, metrics),
            Role::Worker => mf_api::health_router(&self.services, metrics),
        };
        let mut settings = HttpSettings::new(self.ids.clone());
        settings.cors = config.cors.clone();
        // A send waits for the engine, which may take its whole time twice over.
        // A file is fetched before that.
        let engine = config.engine_timeout.max(MEDIA_TIMEOUT);
        let patience = engine * 2 + MEDIA_TIMEOUT + Duration::from_secs(5);
        settings.request_timeout = settings.request_timeout.max(patience);
        harden(router, &settings)
    }

    fn serve(
        self,
        config: &Config,
        role: Role,
        listener: TcpListener,
        database: Database,
        base_url: String,
    ) -> Server {
        let addr = listener.local_addr().unwrap_or(config.addr);
        let router = self.router(config, role);
        let stop_http = CancellationToken::new();
        let stopped = stop_http.clone();
        let limits = ClientLimits {
            head: HEAD,
            stalled: STALLED,
            connections: most_connections(),
        };
        let http = tokio::spawn(mf_http_kit::serve(listener, router, limits, stopped));
        let follower = tokio::spawn({
            let services = Arc::clone(&self.services);
            async move { services.follow().await }
        });
        let worker = (role != Role::Http).then(|| Worker::start(&self.services));
        Banner {
            role,
            base_url: &base_url,
            database: &database.describe(),
            engine: &self.engine.describe(config),
            data_dir: &config.data_dir,
            loopback: config.outbound.allow_loopback,
            first: self.first.as_ref(),
        }
        .print();
        info!(%addr, ?role, "up");
        Server {
            addr,
            base_url,
            services: self.services,
            database,
            engine: self.engine,
            http,
            stop_http,
            worker,
            follower,
            patience: config.shutdown_patience,
        }
    }
}

impl Server {
    /// Starts a server. When this returns, it answers.
    pub async fn start(mut config: Config, role: Role) -> Result<Self, StartError> {
        crate::install_crypto();
        if role != Role::All && (config.engine_url.is_none() || config.callback_url.is_none()) {
            bail!(
                "MOLTFLOW_ENGINE_URL and MOLTFLOW_CALLBACK_URL must be set to split the work \
                 between processes: the simulator lives in one, and the engine must report to \
                 one that serves the API"
            );
        }
        config.data_dir = secrets::data_dir(&config.data_dir)?;
        // First the port: that another server has it is the commonest fault, and the quickest
        // to tell.
        let listener = TcpListener::bind(config.addr).await.with_context(|| {
            format!(
                "cannot listen on {}: set MOLTFLOW_ADDR to another port",
                config.addr
            )
        })?;
        let local_url = format!("http://{}", reachable(listener.local_addr()?));
        let base_url = config
            .public_url
            .clone()
            .unwrap_or_else(|| local_url.clone());

        let database = Database::open(&config).await?;
        match Parts::make(&mut config, role, &database, &local_url, &base_url).await {
            Ok(parts) => Ok(parts.serve(&config, role, listener, database, base_url)),
            Err(error) => {
                // Nothing is left running that this start began.
                database.leave().await;
                Err(error)
            }
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address that clients see, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What it works with.
    pub fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// Where the simulator listens, and its key, if there is one.
    pub fn simulator(&self) -> Option<(&str, &str)> {
        self.engine
            .simulator
            .as_ref()
            .map(|sim| (sim.address.as_str(), sim.api_key.as_str()))
    }

    /// Goes down in order: readiness says no, streams end, requests and jobs finish what they
    /// hold, then the engine, then the database. What does not finish in time is cut: it is on
    /// disk, and the next start takes it up.
    pub async fn shutdown(self) {
        info!("going down");
        self.services.shutdown.cancel();
        self.stop_http.cancel();
        self.services.tracker.close();
        let drained = timeout(self.patience, async {
            if let Err(error) = self.http.await {
                warn!(error = %error, "the HTTP server did not end well");
            }
            self.services.tracker.wait().await;
            if let Some(worker) = self.worker {
                worker.finish().await;
            }
        });
        if drained.await.is_err() {
            warn!("some work did not finish in time; it is taken up at the next start");
        }
        // Now, and not before: until here others saw that we live, and left us what we held.
        self.follower.abort();
        if let Some(simulator) = self.engine.simulator {
            simulator.stop().await;
        }
        self.database.close().await;
        info!("down");
    }
}

/// Connections of clients at a time: four in five of the files that this process may have open.
/// The rest is for the database, the engine, webhooks and media.
fn most_connections() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files / 5 * 4).unwrap_or(usize::MAX)
}

/// The address at which others on this machine reach a listener.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

fn settings(config: &Config, local_url: &str) -> Settings {
    Settings {
        public_url: config
            .public_url
            .clone()
            .unwrap_or_else(|| local_url.to_owned()),
        media_timeout: MEDIA_TIMEOUT,
        catch_up_every: config.catch_up_every,
        event_retention: config.event_retention,
        callback_base: config
            .callback_url
            .clone()
            .unwrap_or_else(|| local_url.to_owned()),
        signup_open: config.signup_open,
        default_plan: config.default_plan.clone(),
        require_key_scopes: config.require_key_scopes,
        access_token_ttl: config.access_token_ttl,
        refresh_token_ttl: Duration::from_hours(30 * 24),
        outbox_patience: config.outbox_patience,
        send_lease: config.engine_timeout + Duration::from_secs(10),
        media_send_lease: config.engine_timeout.max(MEDIA_TIMEOUT) + Duration::from_secs(10),
        watchdog_silence: config.watchdog_silence,
        disconnect_grace: config.disconnect_grace,
        recovery_base: config.recovery_base,
    }
}

/// The use cases for a command: without an engine to talk to, since no command does.
pub(crate) fn command_services(
    config: &mut Config,
    database: &Database,
    clock: Arc<dyn Clock>,
    ids: Ids,
) -> anyhow::Result<Arc<Services>> {
    crate::install_crypto();
    let secrets = Secrets::obtain(config, &ids)?;
    let local_url = format!("http://{}", reachable(config.addr));
    let engine = EngineHandle::unused()?;
    Ok(Services::new(ServiceParts {
        store: database.store.clone(),
        engine,
        clock: Arc::clone(&clock),
        ids: ids.clone(),
        files: outside::files(config)?,
        outbound: outside::outbound(config)?,
        vault: Vault::new(&secrets.master, ids),
        tokens: Tokens::new(&secrets.jwt, clock),
        settings: settings(config, &local_url),
    }))
}

/// The process's metrics. One recorder serves all servers of a process: tests start several.
fn recorder() -> anyhow::Result<PrometheusHandle> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let buckets = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ];
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &buckets)
        .context("the metrics' buckets")?
        .build_recorder();
    let handle = HANDLE.get_or_init(|| recorder.handle()).clone();
    // If another thread was quicker, its recorder is the one that counts.
    let _ = metrics::set_global_recorder(recorder);
    Ok(handle)
}
