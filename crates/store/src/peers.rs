use std::time::Duration;

use sqlx::{
    Executor as _,
    postgres::{PgListener, PgNotification},
};
use tokio::time::{Instant, sleep_until};

use crate::{Store, StoreResult, SystemTx, TenantTx, Wake, alive::Heartbeat, patience::in_time};

const CREDENTIALS: &str = "moltflow_credentials";
const BELLS: &str = "moltflow_bells";
/// Bells are announced no more often than this, however often they are rung: transactions
/// that notify are committed one after the other, in the whole cluster.
const QUIET: Duration = Duration::from_millis(20);
/// How soon the lock that shows that we live is tried for again.
const UNSEEN: Duration = Duration::from_secs(1);
/// By which the server finds out that we are gone, with our host or the network: after half a
/// minute, and not after the two hours that are usual. It is to give the lock back.
const KEEPALIVES: &str = "SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 4";

/// The other processes on this database. One connection hears them and tells them: whose
/// credentials changed, which bells were rung, and that this process lives. It is nobody else's,
/// and ends with this.
///
/// Changes to credentials are rare, so a `NOTIFY` in their transaction costs nothing that
/// matters; it arrives after the commit, and only then. Bells ring all the time: they are
/// announced here, together, after the commits that rang them, which never wait for it.
#[derive(Debug)]
pub struct Peers {
    listener: PgListener,
    /// By which what we said ourselves is known.
    backend: i32,
    wake: Wake,
    quiet_until: Instant,
    heartbeat: Heartbeat,
    beat_at: Instant,
    /// How long the database may take with anything that is asked here.
    patience: Duration,
}

impl Store {
    /// Starts to listen. Whatever changed before this call is not told; bells are all rung
    /// once, since they may have been missed.
    pub async fn join_peers(&self) -> StoreResult<Peers> {
        in_time(self.patience, Box::pin(self.join())).await
    }

    async fn join(&self) -> StoreResult<Peers> {
        let mut listener = PgListener::connect_with(&self.pool_to_listen()).await?;
        // A connection that is lost is the end: nobody could say what was missed meanwhile.
        listener.eager_reconnect(false);
        listener.listen_all([CREDENTIALS, BELLS]).await?;
        listener.execute(KEEPALIVES).await?;
        let backend = sqlx::query_scalar!(r#"SELECT pg_backend_pid() AS "backend!""#)
            .fetch_one(&mut listener)
            .await?;
        let mut peers = Peers {
            listener,
            backend,
            wake: self.wake().clone(),
            quiet_until: Instant::now(),
            heartbeat: self.alive.heartbeat(),
            beat_at: Instant::now(),
            patience: self.patience,
        };
        peers.beat().await?;
        self.wake().echo_all();
        Ok(peers)
    }
}

impl Peers {
    /// Passes on the ringing of bells, ours to the others and theirs to us, until a credential
    /// is changed by anybody: another process, the command line. An error says that changes may
    /// have been missed: whoever keeps credentials in memory must forget them all, and join
    /// anew.
    pub async fn credential_changed(&mut self) -> StoreResult<()> {
        loop {
            let (quiet_until, beat_at) = (self.quiet_until, self.beat_at);
            let to_announce = async {
                self.wake.unannounced().await;
                sleep_until(quiet_until).await;
            };
            tokio::select! {
                heard = self.listener.try_recv() => match heard? {
                    Some(heard) if heard.channel() == CREDENTIALS => return Ok(()),
                    Some(heard) => self.hear_bells(&heard),
                    // The connection was lost, and what was told meanwhile with it.
                    None => return Err(sqlx::Error::PoolClosed.into()),
                },
                () = to_announce => self.announce_bells().await?,
                () = sleep_until(beat_at) => self.beat().await?,
            }
        }
    }

    /// Shows that we live, and sees whether the database does: a connection on which nothing is
    /// said would never be known to be dead.
    async fn beat(&mut self) -> StoreResult<()> {
        in_time(self.patience, self.heartbeat.beat(&mut self.listener)).await?;
        let calm = self.patience / 2;
        let pause = if self.heartbeat.is_seen() {
            calm
        } else {
            calm.min(UNSEEN)
        };
        self.beat_at = Instant::now() + pause;
        Ok(())
    }

    fn hear_bells(&self, heard: &PgNotification) {
        if i64::from(heard.process_id()) == i64::from(self.backend) {
            return;
        }
        // Of another version, perhaps, that has other bells: then there is the poll.
        if let Ok(rung) = heard.payload().parse() {
            self.wake.echo(rung);
        }
    }

    async fn announce_bells(&mut self) -> StoreResult<()> {
        let rung = self.wake.take_unannounced();
        // Nothing is lost by a crash that loses it, so its commit waits for no disk.
        let telling = sqlx::query!(
            "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)",
            BELLS,
            rung.to_string(),
        )
        .fetch_one(&mut self.listener);
        let told = in_time(self.patience, telling).await;
        self.quiet_until = Instant::now() + QUIET;
        if told.is_err() {
            self.wake.owe(rung);
        }
        told.map(|_| ())
    }
}

impl TenantTx {
    /// Tells every replica, once this is committed, that a credential changed.
    pub async fn announce_credential_change(&mut self) -> StoreResult<()> {
        sqlx::query!("SELECT pg_notify($1, '')", CREDENTIALS)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}

impl SystemTx {
    /// Tells every replica, once this is committed, that a credential changed.
    pub async fn announce_credential_change(&mut self) -> StoreResult<()> {
        sqlx::query!("SELECT pg_notify($1, '')", CREDENTIALS)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
