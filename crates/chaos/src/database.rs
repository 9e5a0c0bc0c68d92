//! The PostgreSQL under the server under test: one that may be shared, or one of our own that can
//! be killed.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use mf_local_postgres::{Download, LocalPostgres, Options};
use rustix::process::{Pid, Signal};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Executor as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{free_port, process};

/// The login of the server under test, and its password.
const LOGIN: &str = "moltflow_chaos";
/// The database that a cluster of ours is made with, where the superuser begins.
const FIRST: &str = "chaos_admin";
/// The database of the server under test.
const NAME: &str = "chaos";

/// Where a rig's database comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A cluster of its own, as durable as in production.
    Own,
    /// A database in somebody else's cluster, which is therefore never stopped.
    Given {
        /// As the server logs in.
        url: String,
        /// As a superuser, whom row security does not stop.
        rows: PgPool,
    },
}

/// A database of a rig.
#[derive(Debug)]
pub struct Database {
    /// `postgres://…`, as the server logs in: as no superuser, as in production.
    pub url: String,
    rows: PgPool,
    cluster: Option<Cluster>,
}

/// A cluster of our own. Dropping it ends it at once: nothing in it is wanted any more.
#[derive(Debug)]
struct Cluster {
    options: Options,
    running: Option<LocalPostgres>,
}

impl Database {
    /// The one that was given.
    pub(crate) const fn given(url: String, rows: PgPool) -> Self {
        Self {
            url,
            rows,
            cluster: None,
        }
    }

    /// A cluster in this folder, with more settings as in `postgresql.conf`.
    pub(crate) async fn make(folder: &Path, settings: &[(String, String)]) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        // As it says it itself: the same port every time.
        std::fs::write(folder.join("port"), free_port()?.to_string())?;
        let options = Options {
            bin_dir: std::env::var_os("MOLTFLOW_PG_BIN").map(Into::into),
            download: match std::env::var_os("MOLTFLOW_PG_DOWNLOAD") {
                Some(value) if value == "never" => Download::Never,
                _ => Download::Allowed,
            },
            settings: settings.to_vec(),
            ..Options::new(folder, FIRST)
        };
        let running = LocalPostgres::start(&options).await?;
        let admin: PgConnectOptions = running.url().parse()?;
        let cluster = Cluster {
            options,
            running: Some(running),
        };
        prepare(&admin).await?;
        let login = admin.clone().username(LOGIN).password(LOGIN).database(NAME);
        let rows = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(20))
            .connect_lazy_with(admin.database(NAME));
        Ok(Self {
            url: login.to_url_lossy().to_string(),
            rows,
            cluster: Some(cluster),
        })
    }

    /// Its rows, all of them, and the right to do anything: a superuser.
    pub const fn rows(&self) -> &PgPool {
        &self.rows
    }

    /// Where it listens.
    pub fn addr(&self) -> Result<SocketAddr> {
        let options: PgConnectOptions = self.url.parse()?;
        let host = options.get_host().parse();
        let host = host.context("the database's host is no address")?;
        Ok(SocketAddr::new(host, options.get_port()))
    }

    /// The same database, reached through somebody who listens here.
    pub fn url_through(&self, addr: SocketAddr) -> Result<String> {
        let options: PgConnectOptions = self.url.parse()?;
        let through = options.host(&addr.ip().to_string()).port(addr.port());
        Ok(through.to_url_lossy().to_string())
    }

    /// Ends every process of it at once, as `pg_ctl stop -m immediate` does. Needs
    /// [`Source::Own`].
    pub async fn stop_immediate(&mut self) -> Result<()> {
        let cluster = self.own()?;
        let running = cluster.running.take().context("it does not run")?;
        let pid = pid_of(&running)?;
        process::send(pid, Signal::QUIT)?;
        let patience = Duration::from_secs(30);
        // A child of ours must be collected, which tokio does for those that were dropped.
        drop(running);
        crate::until("PostgreSQL has ended", patience, async || {
            Ok(!process::is_alive(pid))
        })
        .await?;
        Ok(())
    }

    /// Starts it again after [`Self::stop_immediate`], at the same address.
    pub async fn start_again(&mut self) -> Result<()> {
        let cluster = self.own()?;
        cluster.running = Some(LocalPostgres::start(&cluster.options).await?);
        Ok(())
    }

    /// Ends every connection but those of superusers. How many there were.
    pub async fn terminate_backends(&self) -> Result<i64> {
        let ended = sqlx::query_scalar(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND usename <> current_user
                 AND backend_type = 'client backend'",
        );
        Ok(ended.fetch_one(&self.rows).await?)
    }

    /// One number that a query gives.
    pub async fn count(&self, sql: &'static str) -> Result<i64> {
        sqlx::query_scalar(sql)
            .fetch_one(&self.rows)
            .await
            .with_context(|| sql)
    }

    fn own(&mut self) -> Result<&mut Cluster> {
        self.cluster
            .as_mut()
            .context("a database that others use is not stopped")
    }
}

/// A login that is no superuser, and a database that belongs to it. The server makes its roles.
async fn prepare(admin: &PgConnectOptions) -> Result<()> {
    let mut admin = admin.connect().await?;
    let login = format!("CREATE ROLE {LOGIN} LOGIN CREATEROLE PASSWORD '{LOGIN}'");
    admin.execute(AssertSqlSafe(login)).await?;
    let create = format!("CREATE DATABASE {NAME} OWNER {LOGIN} TEMPLATE template0");
    admin.execute(AssertSqlSafe(create)).await?;
    Ok(())
}

fn pid_of(postgres: &LocalPostgres) -> Result<Pid> {
    Pid::from_raw(postgres.pid().cast_signed()).context("PostgreSQL has no process id")
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let Some(pid) = self
            .running
            .as_ref()
            .and_then(|running| pid_of(running).ok())
        else {
            return;
        };
        if process::send(pid, Signal::QUIT).is_ok() {
            let begun = Instant::now();
            while process::is_alive(pid) && begun.elapsed() < Duration::from_secs(10) {
                std::thread::yield_now();
            }
        }
    }
}
