//! A port that nobody must connect to.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::until;

const PATIENCE: Duration = Duration::from_secs(30);
const ANSWER: &[u8] = b"HTTP/1.1 200 -\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Counts connections. Whoever comes gets an answer, so that nobody waits.
#[derive(Debug)]
pub(super) struct Canary {
    addr: SocketAddr,
    came: Arc<Mutex<Vec<SocketAddr>>>,
    task: JoinHandle<()>,
}

impl Canary {
    /// On every address of this machine.
    pub(super) async fn everywhere() -> Result<Self> {
        // Of both families, where there are both.
        match TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).await {
            Ok(listener) => Self::on(listener),
            Err(_) => Self::on(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?),
        }
    }

    /// Here only.
    pub(super) async fn at(addr: SocketAddr) -> Result<Self> {
        Self::on(TcpListener::bind(addr).await?)
    }

    fn on(listener: TcpListener) -> Result<Self> {
        let addr = listener.local_addr()?;
        let came = Arc::<Mutex<Vec<SocketAddr>>>::default();
        let keep = Arc::clone(&came);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, peer)) = listener.accept().await {
                lock(&keep).push(peer);
                let _ = stream.write_all(ANSWER).await;
            }
        });
        Ok(Self { addr, came, task })
    }

    pub(super) fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Connections of others so far. Who comes first is counted first, so that nobody who came
    /// before our own knock is missed.
    pub(super) async fn connections(&self) -> Result<usize> {
        let here = if self.addr.ip().is_unspecified() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            self.addr.ip()
        };
        self.knock(here).await?;
        Ok(lock(&self.came).len())
    }

    /// Whether somebody who comes to this address is counted.
    pub(super) async fn is_at(&self, address: IpAddr) -> bool {
        self.knock(address).await.is_ok()
    }

    /// Connects, waits until that is counted, and takes it out of the count.
    async fn knock(&self, address: IpAddr) -> Result<()> {
        let stream = TcpStream::connect((address, self.port()));
        let stream = tokio::time::timeout(PATIENCE, stream).await;
        let stream = stream.context("the canary does not answer")??;
        let port = stream.local_addr()?.port();
        until("the canary hears", PATIENCE, async || {
            let mut came = lock(&self.came);
            let ours = came.iter().position(|peer| peer.port() == port);
            Ok(ours.map(|place| came.remove(place)).is_some())
        })
        .await
        .map(drop)
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(came: &Mutex<Vec<SocketAddr>>) -> MutexGuard<'_, Vec<SocketAddr>> {
    came.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The addresses of this machine, loopback included, as the kernel lists them.
pub(super) fn own_addresses() -> BTreeSet<IpAddr> {
    let mut own = BTreeSet::from([Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    let table = std::fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
    let mut above = "";
    for line in table.lines() {
        if line.trim() == "/32 host LOCAL" {
            let address = above.trim_start_matches([' ', '|', '-', '+']);
            own.extend(address.parse::<Ipv4Addr>().map(IpAddr::from));
        }
        above = line;
    }
    let table = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    for line in table.lines() {
        let address = u128::from_str_radix(line.get(..32).unwrap_or_default(), 16);
        let address = address.map(Ipv6Addr::from);
        // Those of a link cannot be reached without saying which.
        own.extend(
            address
                .ok()
                .filter(|address| !address.is_unicast_link_local())
                .map(IpAddr::from),
        );
    }
    own
}

/// Names that lead to this machine, by its own list.
pub(super) fn own_names(own: &BTreeSet<IpAddr>) -> BTreeSet<String> {
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let lines = hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let address: IpAddr = words.next()?.parse().ok()?;
            let here = address.is_loopback() || own.contains(&address);
            here.then(|| words.map(str::to_owned).collect::<Vec<_>>())
        })
        .flatten()
        .collect()
}
