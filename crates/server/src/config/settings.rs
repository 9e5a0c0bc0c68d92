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
    "MOLTFLOW_DB_CONNECTIONS" = "16", "Most connections to the database, 2 to 1000. One that listens comes on top.";
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
    "MOLTFLOW_EVENT_DAYS" = "14", "How long events and webhook deliveries are kept, 2 to 90 days. What has yet to be delivered is kept in any case.";
    "MOLTFLOW_WATCHDOG_SECONDS" = "120", "After how much silence a working session is asked whether it is alive, 5 to 3600.";
    "MOLTFLOW_DISCONNECT_GRACE_SECONDS" = "60", "How long a session may be away before session.disconnected is told, 0 to 3600.";
    "MOLTFLOW_RECOVERY_BASE_SECONDS" = "5", "How soon a failed session is brought back, 0 to 600. Later attempts wait 6, 24, 120, 360 and 720 times as long.";
    "MOLTFLOW_CORS_ORIGINS" = "", "Web pages that may call the API from a browser: origins with commas between them, or *.";
    "MOLTFLOW_SHUTDOWN_SECONDS" = "25", "How long requests and jobs may take to finish when the server goes down, 1 to 600.";
    "MOLTFLOW_LOG" = "info", "What is logged, as tracing's filters say it: info, debug, mf_services=debug, …";
    "MOLTFLOW_LOG_FORMAT" = "text", "text or json.";
}
