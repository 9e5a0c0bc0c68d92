use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use sqlx::postgres::PgListener;

use crate::StoreResult;

/// The first half of the key of the locks by which processes show that they live: `mf`.
pub(crate) const LIVES: i32 = 0x6d66;

/// Whether this process can be seen to live.
///
/// It holds an advisory lock on the connection on which it listens. PostgreSQL gives the lock
/// back the moment that the process is gone, so that what it had claimed need not wait for the
/// end of its lease. Without the lock, claims are signed by nobody, and the lease counts alone.
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
pub(crate) struct Heartbeat(Alive);

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.0.held.store(false, Ordering::SeqCst);
    }
}

impl Alive {
    /// Shows on this connection that the process lives.
    pub(crate) async fn show(&self, listener: &mut PgListener) -> StoreResult<Heartbeat> {
        let key = if let Some(key) = self.0.key.get() {
            *key
        } else {
            let key = sqlx::query_scalar!(r#"SELECT (random() * 2147483646)::int AS "key!""#)
                .fetch_one(&mut *listener)
                .await?;
            *self.0.key.get_or_init(|| key)
        };
        // Not had where an earlier connection has yet to be given up by the server.
        let held = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock($1::int, $2::int) AS "held!""#,
            LIVES,
            key
        )
        .fetch_one(listener)
        .await?;
        self.0.held.store(held, Ordering::SeqCst);
        Ok(Heartbeat(self.clone()))
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
