//! What the operator chose: defaults, then the environment, every fault listed at once.

mod outside;
mod reader;
mod secrets;
mod settings;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use mf_domain::PlanId;
use mf_http_kit::Cors;
use mf_outbound::Policy;
use mf_waha_sim::Dialect;
use secrecy::{SecretBox, SecretString};

pub(crate) use outside::MediaStore;
pub use reader::ConfigFaults;
pub use settings::{SETTINGS, Setting};

use self::{
    outside::{media_store, outbound},
    reader::{HTTP, Reader, YES_NO},
    secrets::{jwt_secret, master_key},
};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors: one object a line.
    Json,
}

/// What the operator chose, checked as a whole.
#[derive(Debug)]
pub struct Config {
    /// `None`: a database of our own.
    pub database_url: Option<SecretString>,
    /// Where to listen.
    pub addr: SocketAddr,
    /// What clients see, without a slash at the end. `None`: where we listen.
    pub public_url: Option<String>,
    /// Where the engine reaches us, without a slash at the end. `None`: where we listen.
    pub callback_url: Option<String>,
    /// Where everything is kept that is not in the database.
    pub data_dir: PathBuf,
    /// The folder with the PostgreSQL programs.
    pub pg_bin: Option<PathBuf>,
    /// Whether PostgreSQL programs may be fetched.
    pub pg_download: bool,
    /// Most connections to the database.
    pub db_connections: u32,
    /// `None`: a simulator.
    pub engine_url: Option<String>,
    /// The engine's key.
    pub engine_api_key: Option<SecretString>,
    /// How long the engine may take to answer.
    pub engine_timeout: Duration,
    /// Which engine the simulator imitates.
    pub sim_engine: Dialect,
    /// Signs access tokens. `None`: generated and kept.
    pub jwt_secret: Option<SecretString>,
    /// Seals stored secrets. `None`: generated and kept.
    pub master_key: Option<SecretBox<[u8; 32]>>,
    /// How long an access token is good.
    pub access_token_ttl: Duration,
    /// Whether strangers may make accounts.
    pub signup_open: bool,
    /// The plan of a new tenant.
    pub default_plan: PlanId,
    /// Whether an API key must name its scopes.
    pub require_key_scopes: bool,
    /// How long an accepted message waits for its session.
    pub outbox_patience: Duration,
    /// How long events and deliveries to webhooks are kept.
    pub event_retention: Duration,
    /// How often the engine is asked for messages that nobody told us of.
    pub catch_up_every: Duration,
    /// Where files of messages are kept.
    pub media_store: MediaStore,
    /// What tenants' addresses may lead to beyond the public internet.
    pub outbound: Policy,
    /// After how much silence a working session is asked whether it is alive.
    pub watchdog_silence: Duration,
    /// How long a session may be away before it is told as disconnected.
    pub disconnect_grace: Duration,
    /// How soon a failed session is first brought back.
    pub recovery_base: Duration,
    /// Which web pages may call the API from a browser.
    pub cors: Cors,
    /// How long a shutdown may take.
    pub shutdown_patience: Duration,
    /// What is logged.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
}

/// What the start-up lines tell people to export for their clients, and what tests read.
const NOT_FOR_US: &[&str] = &[
    "MOLTFLOW_API_KEY",
    "MOLTFLOW_TEST_",
    "MOLTFLOW_WAHA_OPENAPI",
];

impl Config {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, ConfigFaults> {
        #[allow(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        Self::from_lookup(&|name| std::env::var(name).ok())
    }

    /// Variables that look like settings and are none: misspelt ones, mostly.
    pub fn unknown_in_env() -> Vec<String> {
        #[allow(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        names
            .filter(|name| name.starts_with("MOLTFLOW_"))
            .filter(|name| !NOT_FOR_US.iter().any(|other| name.starts_with(other)))
            .filter(|name| SETTINGS.iter().all(|setting| setting.name != name))
            .collect()
    }

    /// Reads variables from wherever `lookup` finds them.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigFaults> {
        let mut r = Reader::new(lookup);
        let addr = r.parsed("MOLTFLOW_ADDR", |text| {
            text.parse()
                .map_err(|_| "must be an address and a port, such as 127.0.0.1:8080".into())
        });
        let config = Self {
            database_url: r
                .url("DATABASE_URL", &["postgres://", "postgresql://"])
                .map(SecretString::from),
            addr: addr.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
            public_url: r.url("MOLTFLOW_PUBLIC_URL", HTTP),
            callback_url: r.url("MOLTFLOW_CALLBACK_URL", HTTP),
            data_dir: r
                .text("MOLTFLOW_DATA_DIR")
                .unwrap_or_else(|| "./.moltflow".into())
                .into(),
            pg_bin: r.text("MOLTFLOW_PG_BIN").map(PathBuf::from),
            pg_download: r.choice(
                "MOLTFLOW_PG_DOWNLOAD",
                true,
                &[("never", false), ("pip", true)],
            ),
            db_connections: r.number("MOLTFLOW_DB_CONNECTIONS", 16, 2, 1000),
            engine_url: r.url("MOLTFLOW_ENGINE_URL", HTTP),
            engine_api_key: r.text("MOLTFLOW_ENGINE_API_KEY").map(SecretString::from),
            engine_timeout: r.seconds("MOLTFLOW_ENGINE_TIMEOUT", 30, 1, 300),
            sim_engine: r
                .parsed("MOLTFLOW_SIM_ENGINE", |text| {
                    text.parse()
                        .map_err(|_| "must be NOWEB, GOWS or WEBJS".to_owned())
                })
                .unwrap_or(Dialect::Noweb),
            jwt_secret: r.parsed("MOLTFLOW_JWT_SECRET", jwt_secret),
            master_key: r.parsed("MOLTFLOW_MASTER_KEY", master_key),
            access_token_ttl: Duration::from_secs(
                60 * r.number("MOLTFLOW_ACCESS_TOKEN_MINUTES", 15, 1, 1440),
            ),
            signup_open: r.choice(
                "MOLTFLOW_SIGNUP",
                false,
                &[("open", true), ("closed", false)],
            ),
            default_plan: PlanId::new(r.choice(
                "MOLTFLOW_DEFAULT_PLAN",
                PlanId::SELF_HOSTED,
                &PLANS.map(|plan| (plan, plan)),
            )),
            require_key_scopes: r.choice("MOLTFLOW_REQUIRE_KEY_SCOPES", false, YES_NO),
            outbox_patience: Duration::from_secs(
                60 * r.number("MOLTFLOW_OUTBOX_MINUTES", 60, 1, 10080),
            ),
            event_retention: Duration::from_hours(24 * r.number("MOLTFLOW_EVENT_DAYS", 14, 2, 90)),
            catch_up_every: Duration::from_secs(
                60 * r.number("MOLTFLOW_CATCH_UP_MINUTES", 5, 1, 1440),
            ),
            media_store: media_store(&mut r),
            outbound: outbound(&mut r, addr),
            watchdog_silence: r.seconds("MOLTFLOW_WATCHDOG_SECONDS", 120, 5, 3600),
            disconnect_grace: r.seconds("MOLTFLOW_DISCONNECT_GRACE_SECONDS", 60, 0, 3600),
            recovery_base: r.seconds("MOLTFLOW_RECOVERY_BASE_SECONDS", 5, 0, 600),
            cors: r
                .parsed("MOLTFLOW_CORS_ORIGINS", |text| {
                    let origins: Vec<&str> = text.split(',').map(str::trim).collect();
                    Cors::parse(&origins).map_err(|invalid| invalid.message)
                })
                .unwrap_or(Cors::None),
            shutdown_patience: r.seconds("MOLTFLOW_SHUTDOWN_SECONDS", 25, 1, 600),
            log: r.text("MOLTFLOW_LOG").unwrap_or_else(|| "info".to_owned()),
            log_format: r.choice(
                "MOLTFLOW_LOG_FORMAT",
                LogFormat::Text,
                &[("text", LogFormat::Text), ("json", LogFormat::Json)],
            ),
        };
        config.check_secrets(&mut r);
        if r.faults.is_empty() {
            Ok(config)
        } else {
            Err(ConfigFaults(r.faults))
        }
    }
}

const PLANS: [&str; 6] = [
    "free",
    "starter",
    "growth",
    "pro",
    "business",
    PlanId::SELF_HOSTED,
];
