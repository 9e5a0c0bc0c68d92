use std::time::Duration;

use sqlx::{
    AssertSqlSafe, Connection as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tracing::instrument;

use crate::{StoreError, StoreResult, SystemTx, Tenant, TenantTx, Wake, alive::Alive};

/// After this long without use a connection is asked whether it still stands.
const RESTED: Duration = Duration::from_secs(1);

/// How to connect.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Most connections at a time. Of four or more, one is kept for background work, of eight
    /// or more two.
    pub max_connections: u32,
    /// How long a request waits for one before it is told to come back.
    pub acquire_timeout: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            max_connections: 16,
            acquire_timeout: Duration::from_secs(5),
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
        let pool = settings(connections).connect_with(connect.clone()).await?;
        let apart = match apart {
            0 => pool.clone(),
            apart => settings(apart).connect_lazy_with(connect),
        };
        Ok(Self {
            pool,
            apart,
            connections,
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
        // One is the listener's.
        let shared = self.connections.saturating_sub(1) / 2;
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

    /// Closes every connection, after the transactions that are under way.
    pub async fn close(&self) {
        self.pool.close().await;
        self.apart.close().await;
    }
}
