//! A receiver of webhooks: quick, with a log of all that came, and as bad as it is told to be.

mod behaviour;
mod http;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::Result;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub use behaviour::Behaviour;
use http::{Connection, Request};

/// A request that came, noted before it is answered.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Where it was sent to.
    pub path: Arc<str>,
    /// The header `webhook-id`: the event's id.
    pub webhook_id: String,
    /// The event's name.
    pub event: String,
    /// WhatsApp's id of the message that the event tells of.
    pub mark: Option<String>,
    /// When all of it was there.
    pub at: Instant,
}

impl Arrival {
    fn is_at(&self, path: &str) -> bool {
        &*self.path == path || (path.ends_with('/') && self.path.starts_with(path))
    }
}

/// Listens on 127.0.0.1. Dropping it closes every connection.
#[derive(Debug)]
pub struct Receiver {
    addr: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    arrivals: Mutex<Vec<Arrival>>,
    paths: Mutex<HashMap<Arc<str>, Place>>,
    /// Counts changes of behaviour, for those who are held.
    changes: watch::Sender<u64>,
    /// Counts arrivals, for those who wait.
    count: watch::Sender<usize>,
}

/// What is known of one path.
#[derive(Debug, Clone, Default)]
struct Place {
    behaviour: Behaviour,
    in_flight: usize,
    peak: usize,
    /// Bytes of bodies that were sent from here.
    sent: u64,
}

impl Receiver {
    /// Begins to listen.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let shared = Arc::<Shared>::default();
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

    /// The address of one endpoint, such as `/good`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// From now on, requests to this path are treated so, also those that are held.
    pub fn behave(&self, path: &str, behaviour: Behaviour) {
        self.shared
            .paths()
            .entry(path.into())
            .or_default()
            .behaviour = behaviour;
        self.shared.changes.send_modify(|count| *count += 1);
    }

    /// How many came so far.
    pub fn count(&self) -> usize {
        self.shared.arrivals().len()
    }

    /// Waits for another to come.
    pub async fn grown(&self) {
        let mut count = self.shared.count.subscribe();
        count.mark_unchanged();
        let _ = count.changed().await;
    }

    /// All that came to this path, in order. One that ends in `/` is all those below it.
    pub fn arrivals(&self, path: &str) -> Vec<Arrival> {
        let arrivals = self.shared.arrivals();
        let to_path = arrivals.iter().filter(|arrival| arrival.is_at(path));
        to_path.cloned().collect()
    }

    /// How many came to this path, or below it.
    pub fn count_of(&self, path: &str) -> usize {
        let arrivals = self.shared.arrivals();
        arrivals
            .iter()
            .filter(|arrival| arrival.is_at(path))
            .count()
    }

    /// How many requests to this path are being treated, and how many were at most.
    pub fn in_flight(&self, path: &str) -> (usize, usize) {
        let paths = self.shared.paths();
        paths
            .get(path)
            .map_or((0, 0), |place| (place.in_flight, place.peak))
    }

    /// Bytes of bodies that this path has sent.
    pub fn sent(&self, path: &str) -> u64 {
        self.shared.paths().get(path).map_or(0, |place| place.sent)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    fn arrivals(&self) -> MutexGuard<'_, Vec<Arrival>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn paths(&self) -> MutexGuard<'_, HashMap<Arc<str>, Place>> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, request: &Request) {
        /// What is looked at of a body.
        #[derive(Deserialize)]
        struct Told {
            data: Data,
        }
        #[derive(Deserialize)]
        struct Data {
            wa_message_id: Option<String>,
        }
        let told: Option<Told> = serde_json::from_slice(&request.body).ok();
        let arrival = Arrival {
            path: request.path.as_str().into(),
            webhook_id: request.header("webhook-id").unwrap_or_default().to_owned(),
            event: request
                .header("x-webhook-event")
                .unwrap_or_default()
                .to_owned(),
            mark: told.and_then(|told| told.data.wa_message_id),
            at: Instant::now(),
        };
        self.arrivals().push(arrival);
        self.count.send_modify(|count| *count += 1);
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(attend(stream, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

/// One connection, request after request.
async fn attend(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let mut connection = Connection::new(stream);
    // Whoever goes away in the middle has been noted, which is all that counts here.
    while let Ok(Some(request)) = connection.read().await {
        shared.note(&request);
        let guard = InFlight::enter(&shared, &request.path);
        let goes_on = behaviour::treat(&shared, &mut connection, &request.path).await;
        drop(guard);
        if !matches!(goes_on, Ok(true)) {
            return;
        }
    }
}

/// Counts a request while it is being treated, however that ends.
struct InFlight<'s> {
    shared: &'s Shared,
    path: Arc<str>,
}

impl<'s> InFlight<'s> {
    fn enter(shared: &'s Shared, path: &str) -> Self {
        let path: Arc<str> = path.into();
        let mut paths = shared.paths();
        let place = paths.entry(Arc::clone(&path)).or_default();
        place.in_flight += 1;
        place.peak = place.peak.max(place.in_flight);
        drop(paths);
        Self { shared, path }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.shared.paths().get_mut(&self.path) {
            place.in_flight -= 1;
        }
    }
}
