use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::{Policy, Refused};

/// Names to addresses, so that tests can answer.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All addresses of the name.
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// What the system says: hosts file, DNS and whatever else is set up.
#[derive(Debug, Clone, Copy)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
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
