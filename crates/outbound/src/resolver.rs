use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::{Policy, Refused};

/// Names to addresses, so that tests can answer.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All addresses of the name.
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Lookups that the system is asked for at a time. It knows no other way than a thread for each,
/// which a name server that does not answer holds for half a minute, whoever still waits for it;
/// and threads are shared with files and passwords.
const LOOKUPS: usize = 128;

/// What the system says: hosts file, DNS and whatever else is set up. Nobody asks for a name that
/// is being asked for, so that a dead name takes one thread however often it is tried.
#[derive(Clone)]
pub struct SystemLookup {
    running: Arc<Mutex<HashMap<String, Answer>>>,
    places: Arc<Semaphore>,
}

/// An answer on its way, or none.
type Answer = Shared<BoxFuture<'static, Option<Vec<IpAddr>>>>;

impl Default for SystemLookup {
    fn default() -> Self {
        Self {
            running: Arc::default(),
            places: Arc::new(Semaphore::new(LOOKUPS)),
        }
    }
}

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = self.join(name).await;
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl SystemLookup {
    /// The answer that is on its way, or a new one, which then comes whether or not somebody goes
    /// on waiting.
    fn join(&self, name: &str) -> Answer {
        let mut running = lock(&self.running);
        if let Some(answer) = running.get(name) {
            return answer.clone();
        }
        let task = tokio::spawn(self.clone().ask(name.to_owned()));
        let answer = async { task.await.ok().flatten() }.boxed().shared();
        running.insert(name.to_owned(), answer.clone());
        answer
    }

    async fn ask(self, name: String) -> Option<Vec<IpAddr>> {
        let place = self.places.clone().acquire_owned().await;
        let asked = name.clone();
        let found = spawn_blocking(move || {
            let _place = place;
            let found = (asked.as_str(), 0).to_socket_addrs().ok()?;
            Some(found.map(|address| address.ip()).collect())
        });
        let found = found.await.ok().flatten();
        lock(&self.running).remove(&name);
        found
    }
}

/// Nothing that is done under this lock leaves it half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The client's resolver: it is asked at the moment of connecting, and the client dials what it
/// says. One answer that is not permitted refuses them all, since a name with both kinds of
/// addresses is there to deceive, and which of them is dialled is luck.
pub(crate) struct Guard {
    pub(crate) policy: Arc<Policy>,
    pub(crate) lookup: Arc<dyn Lookup>,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy.clone();
        let lookup = self.lookup.clone();
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await;
            let judged = judge(&policy, found.unwrap_or_default());
            judged.map_err(|refused| Box::new(refused) as Box<dyn Error + Send + Sync>)
        })
    }
}

fn judge(policy: &Policy, found: Vec<IpAddr>) -> Result<Addrs, Refused> {
    if found.is_empty() {
        return Err(Refused::NotResolved);
    }
    if !found.iter().all(|address| policy.permits(*address)) {
        return Err(Refused::NotPublic);
    }
    // Port 0 stands for the URL's.
    let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
    Ok(Box::new(addresses))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_asks_for_the_same_name_waits_for_the_same_answer() {
        let lookup = SystemLookup::default();
        let [first, second] = [lookup.join("localhost"), lookup.join("localhost")];
        assert!(first.ptr_eq(&second));
        let found = first.await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
        assert_eq!(second.await, Some(found));
        assert!(lock(&lookup.running).is_empty(), "the next one asks anew");
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_the_answer_to_others() {
        let lookup = SystemLookup::default();
        drop(lookup.join("localhost"));
        let found = lookup.lookup("localhost").await.unwrap();
        assert!(!found.is_empty());
    }
}
