//! What the operator chose: defaults, then the environment, every fault listed at once.

use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ipnet::IpNet;
use mf_domain::PlanId;
use mf_files::S3Config;
use mf_http_kit::Cors;
use mf_outbound::Policy;
use mf_waha_sim::Dialect;
use secrecy::{SecretBox, SecretString};

/// A variable that is read, as `.env.example` and `--help` tell of it.
#[derive(Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value when it is not set, as text.
    pub default: &'static str,
    /// What it does, in a sentence or two.
    pub help: &'static str,
}

macro_rules! settings {
    ($($name:literal = $default:literal, $help:literal;)+) => {
        /// Every variable that is read.
        pub const SETTINGS: &[Setting] = &[
            $(Setting { name: $name, default: $default, help: $help },)+
        ];
    };
}

settings! {
    "DATABASE_URL" = "", "postgres://user:password@host:port/database. Unset: a PostgreSQL of our own in the data folder. Set: the secrets below must be set too.";
    "MOLTFLOW_ADDR" = "127.0.0.1:8080", "Where to listen. Beyond loopback, the secrets below must be set.";
    "MOLTFLOW_PUBLIC_URL" = "http://<MOLTFLOW_ADDR>", "The address that clients see.";
    "MOLTFLOW_CALLBACK_URL" = "http://<MOLTFLOW_ADDR>", "The address at which the engine reaches this server.";
    "MOLTFLOW_DATA_DIR" = "./.moltflow", "Where everything is kept that is not in the database.";
    "MOLTFLOW_PG_BIN" = "", "The folder with the PostgreSQL programs, for the database of our own.";
    "MOLTFLOW_PG_DOWNLOAD" = "ask pip", "never: do not fetch PostgreSQL programs where the machine has none.";
    "MOLTFLOW_DB_CONNECTIONS" = "16", "Most connections to the database, 2 to 1000.";
    "MOLTFLOW_ENGINE_URL" = "", "http://host:port of a WAHA server. Unset: a simulator, which reaches no phone.";
    "MOLTFLOW_ENGINE_API_KEY" = "", "WAHA's API key (WAHA_API_KEY there). Needed with MOLTFLOW_ENGINE_URL.";
    "MOLTFLOW_ENGINE_TIMEOUT" = "30", "Seconds that the engine may take to answer, 1 to 300. WAHA itself waits up to 15 before it refuses.";
    "MOLTFLOW_SIM_ENGINE" = "NOWEB", "Which of WAHA's engines the simulator imitates: NOWEB, GOWS or WEBJS.";
    "MOLTFLOW_JWT_SECRET" = "generated", "Signs access tokens: 32 characters or more.";
    "MOLTFLOW_MASTER_KEY" = "generated", "Seals stored secrets: 32 bytes in base64 (openssl rand -base64 32). Keep it: what it sealed opens with no other.";
    "MOLTFLOW_ACCESS_TOKEN_MINUTES" = "15", "How long an access token is good, 1 to 1440.";
    "MOLTFLOW_SIGNUP" = "closed", "open: strangers may make accounts.";
    "MOLTFLOW_DEFAULT_PLAN" = "self_hosted", "The plan of a new tenant: free, starter, growth, pro, business or self_hosted.";
    "MOLTFLOW_REQUIRE_KEY_SCOPES" = "false", "true: an API key must name its scopes.";
    "MOLTFLOW_OUTBOX_MINUTES" = "60", "How long an accepted message waits for its session, 1 to 10080.";
    "MOLTFLOW_CATCH_UP_MINUTES" = "5", "How often the engine is asked for messages that nobody told us of, 1 to 1440.";
    "MOLTFLOW_MEDIA_STORE" = "<MOLTFLOW_DATA_DIR>/media", "Where files of messages are kept: a folder, or s3://bucket/prefix.";
    "MOLTFLOW_S3_ENDPOINT" = "", "http(s)://host:port of an S3 that is not Amazon's.";
    "MOLTFLOW_S3_REGION" = "us-east-1", "The bucket's region.";
    "MOLTFLOW_S3_ACCESS_KEY" = "", "The key to the bucket. Needed with s3://.";
    "MOLTFLOW_S3_SECRET_KEY" = "", "Its secret. Needed with s3://.";
    "MOLTFLOW_WEBHOOK_ALLOW_NETWORKS" = "", "Networks that are not public and that tenants' addresses (media_url, webhooks) may lead to all the same: 10.1.0.0/16, with commas between them.";
    "MOLTFLOW_WEBHOOK_ALLOW_HTTP" = "false", "true: webhooks may go to http addresses. Media may come from them in any case.";
    "MOLTFLOW_WATCHDOG_SECONDS" = "120", "After how much silence a working session is asked whether it is alive, 5 to 3600.";
    "MOLTFLOW_DISCONNECT_GRACE_SECONDS" = "60", "How long a session may be away before session.disconnected is told, 0 to 3600.";
    "MOLTFLOW_RECOVERY_BASE_SECONDS" = "5", "How soon a failed session is brought back, 0 to 600. Later attempts wait 6, 24, 120, 360 and 720 times as long.";
    "MOLTFLOW_CORS_ORIGINS" = "", "Web pages that may call the API from a browser: origins with commas between them, or *.";
    "MOLTFLOW_SHUTDOWN_SECONDS" = "25", "How long requests and jobs may take to finish when the server goes down, 1 to 600.";
    "MOLTFLOW_LOG" = "info", "What is logged, as tracing's filters say it: info, debug, mf_services=debug, …";
    "MOLTFLOW_LOG_FORMAT" = "text", "text or json.";
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors: one object a line.
    Json,
}

/// Where files of messages are kept.
#[derive(Debug)]
pub enum MediaStore {
    /// In this folder; `None`: in the data folder.
    Folder(Option<PathBuf>),
    /// In a bucket.
    S3(S3Config),
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

/// Everything that is wrong with a configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigFaults(pub Vec<String>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The configuration has {} fault(s):", self.0.len())?;
        self.0
            .iter()
            .try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl std::error::Error for ConfigFaults {}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<String>,
}

impl Reader<'_> {
    /// A variable's value. An empty one is none: compose files pass those for unset ones.
    fn text(&self, name: &str) -> Option<String> {
        debug_assert!(
            SETTINGS.iter().any(|s| s.name == name),
            "{name} is in no table"
        );
        (self.lookup)(name)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    }

    fn fault(&mut self, name: &str, what: impl fmt::Display) {
        self.faults.push(format!("{name}: {what}"));
    }

    fn parsed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(name)?;
        parse(&text).map_err(|what| self.fault(name, what)).ok()
    }

    fn number<T>(&mut self, name: &str, default: T, low: T, high: T) -> T
    where
        T: FromStr + PartialOrd + fmt::Display + Copy,
    {
        let range = format!("must be a whole number from {low} to {high}");
        self.parsed(name, |text| {
            let number: Option<T> = text.parse().ok().filter(|n| *n >= low && *n <= high);
            number.ok_or_else(|| range.clone())
        })
        .unwrap_or(default)
    }

    fn seconds(&mut self, name: &str, default: u64, low: u64, high: u64) -> Duration {
        Duration::from_secs(self.number(name, default, low, high))
    }

    fn choice<T: Copy>(&mut self, name: &str, default: T, choices: &[(&str, T)]) -> T {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        self.parsed(name, |text| {
            let found = choices
                .iter()
                .find(|(word, _)| word.eq_ignore_ascii_case(text));
            found
                .map(|(_, value)| *value)
                .ok_or_else(|| format!("must be {}", words.join(" or ")))
        })
        .unwrap_or(default)
    }

    fn url(&mut self, name: &str, schemes: &[&str]) -> Option<String> {
        self.parsed(name, |text| {
            let sound = schemes.iter().any(|scheme| {
                text.strip_prefix(scheme).is_some_and(|rest| {
                    !rest.is_empty()
                        && !rest.starts_with('/')
                        && !rest.contains(char::is_whitespace)
                })
            });
            if sound {
                Ok(text.trim_end_matches('/').to_owned())
            } else {
                Err(format!(
                    "must be an address that begins with {}",
                    schemes.join(" or ")
                ))
            }
        })
    }
}

/// What the start-up lines tell people to export for their clients, and what tests read.
const NOT_FOR_US: &[&str] = &[
    "MOLTFLOW_API_KEY",
    "MOLTFLOW_TEST_",
    "MOLTFLOW_WAHA_OPENAPI",
];
const HTTP: &[&str] = &["http://", "https://"];
const YES_NO: &[(&str, bool)] = &[("true", true), ("false", false)];

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
        let mut r = Reader {
            lookup,
            faults: Vec::new(),
        };
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

    /// What is generated is for a machine of one's own. Whoever names a database, or listens
    /// to the network, says their secrets themselves: several replicas must have the same, and
    /// a lost one must be somebody's to lose.
    fn check_secrets(&self, r: &mut Reader<'_>) {
        let why = if self.database_url.is_some() {
            "DATABASE_URL is set"
        } else if !self.addr.ip().is_loopback() {
            "MOLTFLOW_ADDR is beyond loopback"
        } else {
            ""
        };
        let already: BTreeSet<&str> = r
            .faults
            .iter()
            .filter_map(|fault| Some(fault.split_once(':')?.0))
            .collect();
        let missing = |name, there: bool| !why.is_empty() && !there && !already.contains(name);
        let jwt = missing("MOLTFLOW_JWT_SECRET", self.jwt_secret.is_some());
        let master = missing("MOLTFLOW_MASTER_KEY", self.master_key.is_some());
        if jwt {
            let help = "32 characters or more (openssl rand -hex 32)";
            r.fault(
                "MOLTFLOW_JWT_SECRET",
                format!("must be set, since {why}: {help}"),
            );
        }
        if master {
            let help = "32 bytes in base64 (openssl rand -base64 32)";
            r.fault(
                "MOLTFLOW_MASTER_KEY",
                format!("must be set, since {why}: {help}"),
            );
        }
        if self.engine_url.is_some() && self.engine_api_key.is_none() {
            r.fault(
                "MOLTFLOW_ENGINE_API_KEY",
                "must be set, since MOLTFLOW_ENGINE_URL is: the server's WAHA_API_KEY",
            );
        }
    }
}

fn media_store(r: &mut Reader<'_>) -> MediaStore {
    let region = r.text("MOLTFLOW_S3_REGION");
    let endpoint = r.url("MOLTFLOW_S3_ENDPOINT", HTTP);
    let access_key = r.text("MOLTFLOW_S3_ACCESS_KEY");
    let secret = r.text("MOLTFLOW_S3_SECRET_KEY");
    let store = r.text("MOLTFLOW_MEDIA_STORE");
    let Some(place) = store.as_deref().and_then(|text| text.strip_prefix("s3://")) else {
        return MediaStore::Folder(store.map(PathBuf::from));
    };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if bucket.is_empty() {
        r.fault(
            "MOLTFLOW_MEDIA_STORE",
            "must be a folder or s3://bucket/prefix",
        );
    }
    for (name, there) in [
        ("MOLTFLOW_S3_ACCESS_KEY", access_key.is_some()),
        ("MOLTFLOW_S3_SECRET_KEY", secret.is_some()),
    ] {
        if !there {
            r.fault(name, "must be set, since MOLTFLOW_MEDIA_STORE is a bucket");
        }
    }
    MediaStore::S3(S3Config {
        bucket: bucket.to_owned(),
        region: region.unwrap_or_else(|| "us-east-1".to_owned()),
        allow_http: endpoint
            .as_deref()
            .is_some_and(|url| url.starts_with("http://")),
        endpoint,
        access_key: access_key.unwrap_or_default(),
        secret: secret.unwrap_or_default().into(),
        prefix: prefix.trim_matches('/').to_owned(),
    })
}

/// On a machine of one's own, with nothing configured, tenants are oneself: what listens on
/// loopback there may be reached.
fn outbound(r: &mut Reader<'_>, addr: Option<SocketAddr>) -> Policy {
    let alone = r.text("DATABASE_URL").is_none()
        && r.text("MOLTFLOW_PUBLIC_URL").is_none()
        && r.text("MOLTFLOW_SIGNUP").is_none()
        && addr.is_none_or(|addr| addr.ip().is_loopback());
    let networks = r.parsed("MOLTFLOW_WEBHOOK_ALLOW_NETWORKS", |text| {
        let networks = text.split(',').map(str::trim).filter(|net| !net.is_empty());
        let read = networks.map(|net| {
            net.parse::<IpNet>()
                .or_else(|_| net.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| format!("{net} is no network such as 10.1.0.0/16"))
        });
        read.collect::<Result<Vec<_>, _>>()
    });
    Policy {
        allow_http: r.choice("MOLTFLOW_WEBHOOK_ALLOW_HTTP", false, YES_NO),
        allow_networks: networks.unwrap_or_default(),
        allow_loopback: alone,
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

/// Words that stand in documentation and in nobody's vault.
fn is_placeholder(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("change-me") || text.contains("changeme") || text.contains("secret-here")
}

fn jwt_secret(text: &str) -> Result<SecretString, String> {
    if text.len() < 32 {
        return Err(format!(
            "must have 32 characters or more, and has {}",
            text.len()
        ));
    }
    if is_placeholder(text) {
        return Err("is the example's: make one with openssl rand -hex 32".to_owned());
    }
    Ok(SecretString::from(text))
}

fn master_key(text: &str) -> Result<SecretBox<[u8; 32]>, String> {
    let what = "must be 32 bytes in base64: make one with openssl rand -base64 32";
    let bytes = STANDARD.decode(text).map_err(|_| what.to_owned())?;
    let key: [u8; 32] = bytes.try_into().map_err(|_| what.to_owned())?;
    if key.iter().all(|byte| *byte == key[0]) {
        return Err("must be random: make one with openssl rand -base64 32".to_owned());
    }
    Ok(SecretBox::new(Box::new(key)))
}
