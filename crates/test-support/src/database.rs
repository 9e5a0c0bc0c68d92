//! A database for each test, cloned from a migrated template.
//!
//! Background work crosses tenants, so a database that tests share would have the worker of
//! one send the messages of another. The server logs in as a role that is no superuser, as it
//! should in production: row security would not stop it otherwise.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::UNIX_EPOCH,
};

use mf_local_postgres::{Download, LocalPostgres, Options};
use mf_store::{MIGRATOR, PoolOptions, ROLES_SQL, Store};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, PgPool, Row,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::sync::OnceCell;

/// The login that servers under test use, and its password.
const LOGIN: &str = "moltflow_test";
/// Says to other processes that one is at the template: any number that nobody else uses.
const TEMPLATE_LOCK: i64 = 0x6d66_7465_7374;
/// Databases of tests that were killed are removed when they are this old.
const STALE_SECONDS: u64 = 3600;

/// A database of its own: with the schema in it, and empty. One that nobody removes is removed
/// by a later test, after an hour.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    admin: PgConnectOptions,
    rows: PgPool,
}

impl TestDatabase {
    /// Makes one.
    pub async fn create() -> Self {
        let admin = admin().await;
        let mut maintenance = connect(&admin).await;
        let template = template(&admin, &mut maintenance).await;
        let name = fresh_name();
        execute(
            &mut maintenance,
            &format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {LOGIN}"),
        )
        .await;
        maintenance.close().await.expect("the connection closes");
        let rows = PgPoolOptions::new()
            .max_connections(2)
            .connect_lazy_with(admin.clone().database(&name));
        Self { name, admin, rows }
    }

    /// Where the server finds it, as the login that is no superuser.
    pub fn url(&self) -> String {
        login(&self.admin, &self.name).to_url_lossy().to_string()
    }

    /// Its rows, all of them: as a superuser, whom row security does not stop.
    pub fn rows(&self) -> &PgPool {
        &self.rows
    }

    /// Removes it, and ends whatever connections there are. To be called where the server no
    /// longer runs: a connection that is being made, by somebody who is not looking, keeps
    /// PostgreSQL from dropping anything for a minute.
    ///
    /// Connections to [`Self::rows`] are not closed first: they are the test's runtime's, which
    /// may be waiting for this to end.
    pub async fn remove(self) {
        let mut maintenance = connect(&self.admin).await;
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        execute(&mut maintenance, &drop).await;
    }
}

/// A database in which a superuser may make others: the one that is named in
/// `MOLTFLOW_TEST_DATABASE_URL`, else one of our own in the target folder, left running.
pub async fn superuser_url() -> String {
    static URL: OnceCell<String> = OnceCell::const_new();
    URL.get_or_init(async || {
        #[allow(
            clippy::disallowed_methods,
            reason = "tests have no configuration but this"
        )]
        match std::env::var("MOLTFLOW_TEST_DATABASE_URL") {
            Ok(url) if !url.is_empty() => url,
            _ => start().await,
        }
    })
    .await
    .clone()
}

async fn start() -> String {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    // As `cargo xtask test` starts it, so that either finds the other's.
    let settings = [
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
        ("max_connections", "200"),
    ];
    let options = Options {
        bin_dir: std::env::var_os("MOLTFLOW_PG_BIN").map(Into::into),
        download: match std::env::var_os("MOLTFLOW_PG_DOWNLOAD") {
            Some(value) if value == "never" => Download::Never,
            _ => Download::Allowed,
        },
        settings: settings
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        ..Options::new(target.join("test-postgres"), "moltflow_test")
    };
    let postgres = LocalPostgres::start(&options).await;
    postgres.expect("a database to test with").url().to_owned()
}

async fn admin() -> PgConnectOptions {
    let url = superuser_url().await;
    url.parse().expect("MOLTFLOW_TEST_DATABASE_URL is a URL")
}

fn login(admin: &PgConnectOptions, database: &str) -> PgConnectOptions {
    let login = admin.clone().username(LOGIN).password(LOGIN);
    login.database(database)
}

async fn connect(options: &PgConnectOptions) -> PgConnection {
    options.connect().await.expect("the test database answers")
}

async fn execute(connection: &mut PgConnection, sql: &str) {
    let done = connection.execute(AssertSqlSafe(sql)).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The name of the migrated template, made where it is missing.
async fn template(admin: &PgConnectOptions, maintenance: &mut PgConnection) -> String {
    let name = template_name();
    let present = ours(maintenance).await;
    let stale: Vec<_> = present.iter().filter(|name| is_stale(name)).collect();
    if present.contains(&name) && stale.is_empty() {
        return name;
    }
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut *maintenance)
        .await
        .expect("the lock of the template");
    for stale in stale {
        let drop = format!("DROP DATABASE IF EXISTS {stale} WITH (FORCE)");
        execute(maintenance, &drop).await;
    }
    // Somebody else may have made it while we waited.
    if !ours(maintenance).await.contains(&name) {
        build_template(admin, maintenance, &name).await;
    }
    sqlx::query("SELECT pg_advisory_unlock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut *maintenance)
        .await
        .expect("the lock of the template");
    name
}

/// Under another name until it is finished: a template is whole or not there.
async fn build_template(admin: &PgConnectOptions, maintenance: &mut PgConnection, name: &str) {
    let role = format!(
        "DO $$ BEGIN
             IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{LOGIN}') THEN
                 CREATE ROLE {LOGIN} LOGIN PASSWORD '{LOGIN}';
             END IF;
         EXCEPTION WHEN duplicate_object OR unique_violation THEN
             NULL;
         END $$"
    );
    execute(maintenance, &role).await;
    execute(maintenance, ROLES_SQL).await;
    let grant = format!("GRANT moltflow_app, moltflow_system TO {LOGIN}");
    execute(maintenance, &grant).await;

    let unfinished = format!("{name}_new");
    let drop = format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)");
    execute(maintenance, &drop).await;
    let create = format!("CREATE DATABASE {unfinished} OWNER {LOGIN} TEMPLATE template0");
    execute(maintenance, &create).await;
    let url = login(admin, &unfinished).to_url_lossy().to_string();
    let store = Store::connect(&url, &PoolOptions::default()).await;
    let store = store.expect("the template answers");
    store.migrate().await.expect("the schema is sound");
    store.close().await;
    let rename = format!("ALTER DATABASE {unfinished} RENAME TO {name}");
    execute(maintenance, &rename).await;
}

/// The databases of tests that are there.
async fn ours(maintenance: &mut PgConnection) -> Vec<String> {
    let rows = sqlx::query("SELECT datname::text FROM pg_database WHERE datname LIKE 'mft\\_%'")
        .fetch_all(maintenance)
        .await
        .expect("the list of databases");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Named by the schema, so that another schema has another template.
fn template_name() -> String {
    let mut hasher = DefaultHasher::new();
    ROLES_SQL.hash(&mut hasher);
    for migration in MIGRATOR.iter() {
        migration.version.hash(&mut hasher);
        migration.checksum.hash(&mut hasher);
    }
    format!("mft_template_{:016x}", hasher.finish())
}

#[allow(
    clippy::disallowed_methods,
    reason = "the age of a database is real time"
)]
fn now() -> std::time::Duration {
    let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("it is after 1970")
}

/// `mft_<seconds>_<process>_<count>`
fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("mft_{}_{}_{count}", now().as_secs(), std::process::id())
}

fn is_stale(name: &str) -> bool {
    let seconds = name.split('_').nth(1).and_then(|text| text.parse().ok());
    seconds.is_some_and(|made: u64| now().as_secs().saturating_sub(made) > STALE_SECONDS)
}
