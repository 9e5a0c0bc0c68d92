//! A wire to PostgreSQL that understands enough of its protocol to hold up one answer.

mod frames;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use frames::{Frames, Statements};

/// What is being held up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Everything passes.
    Nothing,
    /// The next answer to a `COMMIT` of a transaction that wrote an event, and all that would
    /// come after it on that connection.
    Commit,
}

/// Stands before a PostgreSQL. Dropping it closes it, and every connection through it.
#[derive(Debug)]
pub struct PostgresGate {
    addr: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    hold: watch::Sender<Held>,
    /// How many answers were held up so far.
    held: watch::Sender<usize>,
}

impl PostgresGate {
    /// A gate before the PostgreSQL that listens here.
    pub async fn before(to: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            to,
            hold: watch::Sender::new(Held::Nothing),
            held: watch::Sender::new(0),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self {
            addr,
            shared,
            serving,
        })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What is to be held up from now on. What was held remains so.
    pub fn hold(&self, what: Held) {
        self.shared.hold.send_replace(what);
    }

    /// Waits until so many answers were held up, since the beginning. PostgreSQL has then
    /// committed, and nobody knows.
    pub async fn until_held(&self, count: usize) -> Result<()> {
        let mut held = self.shared.held.subscribe();
        let reached = held.wait_for(|held| *held >= count).await;
        reached.map(drop).context("the gate was closed")
    }

    /// How many were held up so far.
    pub fn held(&self) -> usize {
        *self.shared.held.borrow()
    }
}

impl Drop for PostgresGate {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            if let Ok(server) = TcpStream::connect(shared.to).await {
                shared.connect(client, server).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

impl Shared {
    async fn connect(&self, client: TcpStream, server: TcpStream) {
        let (_, _) = (client.set_nodelay(true), server.set_nodelay(true));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        // Whether the answer that comes next is to be held up.
        let held = watch::Sender::new(false);
        // Whichever side closes, both are closed: as with a wire.
        tokio::select! {
            _ = self.ask(from_client, to_server, &held) => {}
            _ = self.answer(from_server, to_client, &held) => {}
        }
    }

    async fn ask(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        held: &watch::Sender<bool>,
    ) -> Result<()> {
        let mut frames = Frames::default();
        let mut statements = Statements::default();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            frames.push(&buffer[..length]);
            while let Some(frame) = frames.next_frame() {
                let commits = statements.commits_event(&frame);
                if commits && self.hold.send_if_modified(take_one) {
                    held.send_replace(true);
                }
            }
            to.write_all(&buffer[..length]).await?;
        }
    }

    async fn answer(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        held: &watch::Sender<bool>,
    ) -> Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            if *held.borrow() {
                // It says that it is done; nobody will hear it.
                self.held.send_modify(|count| *count += 1);
                return std::future::pending().await;
            }
            to.write_all(&buffer[..length]).await?;
        }
    }
}

/// One is held up each time that it is asked for.
fn take_one(hold: &mut Held) -> bool {
    let holds = *hold == Held::Commit;
    *hold = Held::Nothing;
    holds
}
