use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use sqlx::postgres::PgListener;
use tracing::{info, warn};

use crate::StoreResult;

/// The first half of the key of the locks by which processes show that they live: `mf`.
pub(crate) const LIVES: i32 = 0x6d66;

/// Whether this process can be seen to live.
///
/// It holds an advisory lock on the connection on which it listens, which nobody else uses: the
/// two end together. PostgreSQL gives the lock back the moment that the process is gone, so that
/// what it had claimed need not wait for the end of its lease. Without the lock, claims are
/// signed by nobody, and the lease counts alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alive(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The same for as long as the process lives, whatever becomes of its connections.
    key: OnceLock<i32>,
    held: AtomicBool,
}

/// Dropped with the connection.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    alive: Alive,
    /// What the last beat came to.
    held: Option<bool>,
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.alive.0.held.store(false, Ordering::SeqCst);
    }
}

impl Heartbeat {
    /// Whether others see that this process lives.
    pub(crate) fn is_seen(&self) -> bool {
        self.held == Some(true)
    }

    /// Shows on this connection that the process lives. Done again and again: the lock is not
    /// had at once where the server has yet to give up an earlier connection, and a connection
    /// of which nothing comes is found out only by asking.
    pub(crate) async fn beat(&mut self, listener: &mut PgListener) -> StoreResult<()> {
        let key = self.alive.minted_key(listener).await?;
        // Where it is held it is counted once more, which costs nothing.
        let held = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock($1::int, $2::int) AS "held!""#,
            LIVES,
            key
        )
        .fetch_one(listener)
        .await?;
        self.alive.0.held.store(held, Ordering::SeqCst);
        match (self.held.replace(held), held) {
            (Some(false), true) => info!("other processes see again that this one lives"),
            (None | Some(true), false) => {
                warn!("others cannot see that this process lives: its lock is held elsewhere");
            }
            _ => {}
        }
        Ok(())
    }
}

impl Alive {
    /// For a new connection.
    pub(crate) fn heartbeat(&self) -> Heartbeat {
        Heartbeat {
            alive: self.clone(),
            held: None,
        }
    }

    async fn minted_key(&self, listener: &mut PgListener) -> StoreResult<i32> {
        if let Some(key) = self.key() {
            return Ok(key);
        }
        let key = sqlx::query_scalar!(r#"SELECT (random() * 2147483646)::int AS "key!""#)
            .fetch_one(listener)
            .await?;
        Ok(*self.0.key.get_or_init(|| key))
    }

    /// What this process signs its claims with.
    pub(crate) fn signature(&self) -> Option<i32> {
        let held = self.0.held.load(Ordering::SeqCst);
        held.then(|| self.0.key.get().copied()).flatten()
    }

    /// What it has ever signed with.
    pub(crate) fn key(&self) -> Option<i32> {
        self.0.key.get().copied()
    }
}
