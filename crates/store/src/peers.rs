use std::time::Duration;

use sqlx::postgres::{PgListener, PgNotification};
use tokio::time::{Instant, sleep_until};

use crate::{Store, StoreResult, SystemTx, TenantTx, Wake, alive::Heartbeat};

const CREDENTIALS: &str = "moltflow_credentials";
const BELLS: &str = "moltflow_bells";
/// Bells are announced no more often than this, however often they are rung: transactions
/// that notify are committed one after the other, in the whole cluster.
const QUIET: Duration = Duration::from_millis(20);

/// The other processes on this database. One connection hears them and tells them: whose
/// credentials changed, which bells were rung.
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
    _heartbeat: Heartbeat,
}

impl Store {
    /// Starts to listen. Whatever changed before this call is not told; bells are all rung
    /// once, since they may have been missed.
    pub async fn join_peers(&self) -> StoreResult<Peers> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        // A connection that is lost is the end: nobody could say what was missed meanwhile.
        listener.eager_reconnect(false);
        listener.listen_all([CREDENTIALS, BELLS]).await?;
        let backend = sqlx::query_scalar!(r#"SELECT pg_backend_pid() AS "backend!""#)
            .fetch_one(&mut listener)
            .await?;
        let heartbeat = self.alive.show(&mut listener).await?;
        self.wake().echo_all();
        Ok(Peers {
            listener,
            backend,
            wake: self.wake().clone(),
            quiet_until: Instant::now(),
            _heartbeat: heartbeat,
        })
    }
}

impl Peers {
    /// Passes on the ringing of bells, ours to the others and theirs to us, until a credential
    /// is changed by anybody: another process, the command line. An error says that changes may
    /// have been missed: whoever keeps credentials in memory must forget them all, and join
    /// anew.
    pub async fn credential_changed(&mut self) -> StoreResult<()> {
        loop {
            let quiet_until = self.quiet_until;
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
            }
        }
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
        let told = sqlx::query!(
            "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)",
            BELLS,
            rung.to_string(),
        )
        .fetch_one(&mut self.listener)
        .await;
        self.quiet_until = Instant::now() + QUIET;
        if let Err(error) = told {
            self.wake.owe(rung);
            return Err(error.into());
        }
        Ok(())
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
