//! A database that is gone without a word: its host, or the network before it.

use std::time::Duration;

use mf_store::{EventPosition, PoolOptions, Store, StoreError};
use mf_test_support::{TestDatabase, soon};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::{
    io::{AsyncRead, AsyncWrite, copy},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

/// Stands before the database.
struct Network {
    url: String,
    /// How many times everything that was connected has lost its way.
    lost: watch::Sender<u32>,
    task: AbortHandle,
}

impl Network {
    async fn before(database: &TestDatabase) -> Self {
        let direct: PgConnectOptions = database.url().parse().unwrap();
        let to = (direct.get_host().to_owned(), direct.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = direct.host("127.0.0.1").port(port).to_url_lossy();
        let (lost, losing) = watch::channel(0);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect((to.0.as_str(), to.1)).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(carry(from_client, to_server, losing.clone()));
                tokio::spawn(carry(from_server, to_client, losing.clone()));
            }
        });
        Self {
            url: url.to_string(),
            lost,
            task: task.abort_handle(),
        }
    }

    async fn store(&self) -> Store {
        let options = PoolOptions {
            max_connections: 4,
            patience: Duration::from_secs(1),
            ..PoolOptions::default()
        };
        Store::connect(&self.url, &options).await.unwrap()
    }

    /// Whatever is sent over the connections that there are arrives nowhere from now on, and
    /// nobody is told. New ones are as good as ever.
    fn lose_everything(&self) {
        self.lost.send_modify(|times| *times += 1);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut lost: watch::Receiver<u32>,
) {
    lost.mark_unchanged();
    tokio::select! {
        _ = copy(&mut from, &mut to) => {}
        ended = lost.changed() => {
            if ended.is_ok() {
                // Neither read from any more nor closed, until the test is over.
                while lost.changed().await.is_ok() {}
            }
        }
    }
}

#[tokio::test]
async fn who_listens_to_a_database_that_vanished_finds_out_in_the_silence() {
    let database = TestDatabase::create().await;
    let network = Network::before(&database).await;
    let store = network.store().await;
    let mut peers = soon(store.join_peers()).await.unwrap();
    network.lose_everything();
    let ended = soon(peers.credential_changed()).await;
    assert!(
        matches!(ended, Err(StoreError::Unavailable(_))),
        "{ended:?}"
    );
    soon(store.join_peers()).await.unwrap();
}

#[tokio::test]
async fn who_reads_the_log_of_a_database_that_vanished_reads_on_over_another_connection() {
    let database = TestDatabase::create().await;
    let network = Network::before(&database).await;
    let store = network.store().await;
    // A look that nothing comes of is given up, and does not keep its place among the few
    // connections that there are: wherever the connection was when it lost its way.
    let look = async || store.events_after(EventPosition::default(), 10).await;
    for _ in 0..4 {
        soon(async { while look().await.is_err() {} }).await;
        network.lose_everything();
    }
}

/// The lock's number, once a process holds it.
async fn lock(superuser: &mut PgConnection) -> i32 {
    soon(async {
        loop {
            let key = sqlx::query_scalar(
                "SELECT objid::bigint::int FROM pg_locks
                 WHERE locktype = 'advisory' AND granted AND classid = x'6d66'::int::oid
                   AND database = (SELECT oid FROM pg_database
                                   WHERE datname = current_database())
                   AND pid <> pg_backend_pid()",
            );
            if let Some(key) = key.fetch_optional(&mut *superuser).await.unwrap() {
                return key;
            }
        }
    })
    .await
}

#[tokio::test]
async fn the_lock_that_shows_that_a_process_lives_ends_with_its_listener_and_is_tried_for_again() {
    let database = TestDatabase::create().await;
    let network = Network::before(&database).await;
    let store = network.store().await;
    let mut other = PgConnection::connect(&database.url()).await.unwrap();
    let peers = store.join_peers().await.unwrap();
    let key = lock(&mut other).await;

    drop(peers);
    // Waits until it is given back: the connection is closed, whatever became of the pool.
    let take = sqlx::query("SELECT pg_advisory_lock(x'6d66'::int, $1)").bind(key);
    soon(take.execute(&mut other)).await.unwrap();

    let mut peers = store.join_peers().await.unwrap();
    let give = sqlx::query("SELECT pg_advisory_unlock(x'6d66'::int, $1)").bind(key);
    give.execute(&mut other).await.unwrap();
    tokio::select! {
        ended = peers.credential_changed() => panic!("{ended:?}"),
        again = lock(&mut other) => assert_eq!(again, key),
    }
}
