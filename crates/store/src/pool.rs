use std::time::Duration;

use sqlx::{
    AssertSqlSafe, Connection as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;
use tracing::instrument;

use crate::{
    StoreError, StoreResult, SystemTx, Tenant, TenantTx, Wake, alive::Alive, patience::timed_out,
};

/// After this long without use a connection is asked whether it still stands.
const RESTED: Duration = Duration::from_secs(1);

/// How to connect.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Most connections at a time, but for the one that listens: see [`Store::join_peers`]. Of
    /// four or more, one is kept for background work, of eight or more two.
    pub max_connections: u32,
    /// How long a request waits for one before it is told to come back.
    pub acquire_timeout: Duration,
    /// How long the loops that everybody depends on wait for an answer before they take the
    /// database for gone, and connect anew.
    pub patience: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            max_connections: 16,
            acquire_timeout: Duration::from_secs(5),
            patience: Duration::from_secs(10),
        }
    }
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) pool: PgPool,
    /// For the loops that everybody depends on: see [`Store::system_apart`].
    apart: PgPool,
    /// Connections of `pool`.
    connections: u32,
    connect: PgConnectOptions,
    acquire_timeout: Duration,
    pub(crate) patience: Duration,
    wake: Wake,
    pub(crate) alive: Alive,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("connections", &self.pool.size())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Connects to `url` (`postgres://user:password@host:port/database`).
    ///
    /// Fails with [`StoreError::Unavailable`] where nobody answers, and with
    /// [`StoreError::Database`] where the URL makes no sense or the password is wrong.
    pub async fn connect(url: &str, options: &PoolOptions) -> StoreResult<Self> {
        let connect: PgConnectOptions = url.parse().map_err(StoreError::Database)?;
        let connect = connect.application_name("moltflow");
        let apart = match options.max_connections {
            0..4 => 0,
            4..8 => 1,
            8.. => 2,
        };
        let connections = options.max_connections - apart;
        let settings = |connections| Self::pool_settings(options).max_connections(connections);
        let (pool, apart) = match apart {
            0 => {
                let settings = let_go_in_time(settings(connections), options.patience);
                let pool = settings.connect_with(connect.clone()).await?;
                (pool.clone(), pool)
            }
            apart => {
                let pool = settings(connections).connect_with(connect.clone()).await?;
                let apart = let_go_in_time(settings(apart), options.patience);
                (pool, apart.connect_lazy_with(connect.clone()))
            }
        };
        Ok(Self {
            pool,
            apart,
            connections,
            connect,
            acquire_timeout: options.acquire_timeout,
            patience: options.patience,
            wake: Wake::default(),
            alive: Alive::default(),
        })
    }

    fn pool_settings(options: &PoolOptions) -> PgPoolOptions {
        PgPoolOptions::new()
            .acquire_timeout(options.acquire_timeout)
            // A round trip before each request is saved where the connection was used a moment
            // ago; one that has rested is asked first, since the database may have restarted.
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for < RESTED {
                        return Ok(true);
                    }
                    Ok(connection.ping().await.is_ok())
                })
            })
    }

    /// For one connection, as old as it may get, that is closed when it is given back: what is
    /// held by it ends with it. Each listener has a pool of its own, so that it need not wait for
    /// the end of one before it that leads nowhere.
    pub(crate) fn pool_to_listen(&self) -> PgPool {
        PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(self.acquire_timeout)
            .max_lifetime(None)
            .idle_timeout(None)
            .after_release(|_, _| Box::pin(async { Ok(false) }))
            .connect_lazy_with(self.connect.clone())
    }

    /// Opens a transaction that sees one tenant and nothing else.
    pub async fn begin(&self, tenant: Tenant) -> StoreResult<TenantTx> {
        self.begin_as(tenant, "").await
    }

    /// The same, where all that is read is of one moment. It cannot write.
    pub async fn begin_reading(&self, tenant: Tenant) -> StoreResult<TenantTx> {
        let how = " ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '20s'";
        self.begin_as(tenant, how).await
    }

    #[instrument(name = "db.begin", level = "debug", skip_all)]
    async fn begin_as(&self, tenant: Tenant, how: &'static str) -> StoreResult<TenantTx> {
        // One round trip. The id is a UUID, so there is nothing to escape.
        let begin = format!(
            "BEGIN{how}; SET LOCAL ROLE moltflow_app; SET LOCAL app.tenant_id = '{}'",
            tenant.id()
        );
        let tx = self.pool.begin_with(AssertSqlSafe(begin)).await?;
        Ok(TenantTx::new(tx, tenant, self.wake.clone()))
    }

    /// Opens a transaction that sees all tenants. `reason` says, to readers and in traces,
    /// why one tenant is not enough.
    #[instrument(name = "db.begin_system", level = "debug", skip(self))]
    pub async fn system(&self, reason: &'static str) -> StoreResult<SystemTx> {
        let tx = self
            .pool
            .begin_with("BEGIN; SET LOCAL ROLE moltflow_system")
            .await?;
        Ok(SystemTx::new(tx, self.alive.clone()))
    }

    /// The same on connections that nobody else uses: for the loops that tell everybody what
    /// happens. However many requests wait for a connection, these do not wait behind them.
    #[instrument(name = "db.begin_system", level = "debug", skip(self))]
    pub async fn system_apart(&self, reason: &'static str) -> StoreResult<SystemTx> {
        let tx = self
            .apart
            .begin_with("BEGIN; SET LOCAL ROLE moltflow_system")
            .await?;
        Ok(SystemTx::new(tx, self.alive.clone()))
    }

    /// How many connections one tenant's reports may hold at a time, so that those of others
    /// find one: about half.
    pub fn tenant_share(&self) -> usize {
        let shared = self.connections / 2;
        usize::try_from(shared.max(1)).unwrap_or(1)
    }

    /// What is rung after commits.
    pub fn wake(&self) -> &Wake {
        &self.wake
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> StoreResult<()> {
        sqlx::query!("SELECT 1 AS one")
            .fetch_one(&self.pool)
            .await?;
        Ok(())
    }

    /// Closes every connection, after the transactions that are under way. One that listens
    /// ends when its [`Peers`](crate::Peers) are dropped.
    pub async fn close(&self) {
        self.pool.close().await;
        self.apart.close().await;
    }
}

/// Has a connection that was given up on leave its place. Before one is used again, sqlx has it
/// answer, and waits for that without a limit: where nothing comes of it any more, its place would
/// be gone for a quarter of an hour.
fn let_go_in_time(settings: PgPoolOptions, patience: Duration) -> PgPoolOptions {
    let limit = patience / 5;
    settings.after_release(move |connection, _| {
        Box::pin(async move {
            let answer = timeout(limit, connection.ping()).await;
            answer.unwrap_or_else(|_| Err(timed_out())).map(|()| true)
        })
    })
}
