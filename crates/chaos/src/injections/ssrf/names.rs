//! Names whose answers deceive. What the server under test asks is the machine's; here `outbound`,
//! which makes all of its connections for tenants, is asked itself.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use bytes::Bytes;
use mf_outbound::{FetchError, Limits, Lookup, Outbound, Patience, Policy, Post, PostError};

use super::canary::Canary;
use super::tricks;
use crate::Receiver;

const PATIENCE: Duration = Duration::from_secs(15);
/// The one address that may be told here: the receiver's.
const GOOD: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// One that may not be, on the same machine.
const BAD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const REBINDING: &str = "rebinding.example";
const PATH: &str = "/rebound";

/// What came of all.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) tricks: usize,
    /// Names that were not refused, with their answers.
    pub(super) not_refused: Vec<String>,
    pub(super) connections: usize,
}

/// Answers by name, one after the other and from the beginning again.
#[derive(Default)]
struct Names(Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>);

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = names.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        let answer = answers.pop_front().unwrap_or_default();
        answers.push_back(answer.clone());
        Ok(answer)
    }
}

/// A server's view of the world, in which the receiver is on the internet.
struct World {
    names: Arc<Names>,
    outbound: Outbound,
}

impl World {
    fn make() -> Result<Self> {
        // A second installation is refused, and is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let names = Arc::<Names>::default();
        let policy = Policy {
            allow_http: true,
            allow_networks: vec![IpAddr::from(GOOD).into()],
            ..Policy::default()
        };
        let outbound = Outbound::with_lookup(policy, "MoltFlow-chaos", PATIENCE, names.clone())?;
        Ok(Self { names, outbound })
    }

    fn name(&self, name: &str, answers: &[Vec<IpAddr>]) {
        let mut names = self.names.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(name.to_owned(), answers.iter().cloned().collect());
    }

    /// Whether both a webhook and a file at this address are refused.
    async fn refuses(&self, url: &str) -> bool {
        let refused = matches!(self.tell(url).await, Err(PostError::Refused(_)));
        let limits = Limits {
            max_bytes: 1000,
            timeout: PATIENCE,
            max_redirects: 3,
        };
        let fetched = self.outbound.get(url, limits).await;
        refused && matches!(fetched, Err(FetchError::Refused(_)))
    }

    async fn tell(&self, url: &str) -> Result<u16, PostError> {
        let post = Post {
            url,
            headers: Vec::new(),
            body: Bytes::from_static(b"{}"),
        };
        let patience = Patience {
            timeout: PATIENCE,
            body_timeout: PATIENCE,
            max_read: 1000,
            max_kept: 0,
        };
        Ok(self.outbound.post(post, patience).await?.status)
    }
}

/// Answers that lead inside, alone and among good ones, in every order.
pub(super) async fn deceive(canary: &Canary, own: &BTreeSet<IpAddr>) -> Result<Found> {
    let world = World::make()?;
    let before = canary.connections().await?;
    let mut found = Found::default();
    let good = IpAddr::from(GOOD);
    for bad in inside(own) {
        let mut all = vec![vec![bad], vec![good, bad], vec![bad, good]];
        all.push(vec![good, good, bad, good]);
        for answers in all {
            let name = format!("deceiving{}.example", found.tricks);
            world.name(&name, &[answers]);
            let url = format!("http://{name}:{}/", canary.port());
            found.tricks += 1;
            if !world.refuses(&url).await {
                found.not_refused.push(format!("a name that is {bad}"));
            }
        }
    }
    found.connections = canary.connections().await? - before;
    Ok(found)
}

/// Addresses that a name must not lead to: each of this machine's but the good one, the clouds'
/// metadata service, and all the forms that carry these.
fn inside(own: &BTreeSet<IpAddr>) -> BTreeSet<IpAddr> {
    let metadata = Ipv4Addr::new(169, 254, 169, 254);
    let mut all: BTreeSet<IpAddr> = own.clone();
    all.extend([BAD, metadata, Ipv4Addr::UNSPECIFIED].map(IpAddr::from));
    let v4 = all.clone().into_iter().filter_map(|address| match address {
        // In whatever form, that is the one that may be told.
        IpAddr::V4(address) => (address != GOOD).then_some(address),
        IpAddr::V6(_) => None,
    });
    for address in v4 {
        let written = tricks::spellings(address, false);
        let bare = written
            .iter()
            .map(|host| host.text.trim_matches(['[', ']']));
        all.extend(bare.filter_map(|text| text.parse::<IpAddr>().ok()));
    }
    all.remove(&IpAddr::from(GOOD));
    all
}

/// A name that is good when it is asked for and bad when it is asked for again, many times at
/// once: on the same port of another address waits a canary.
pub(super) async fn rebind(receiver: &Receiver, rounds: usize) -> Result<Found> {
    let world = Arc::new(World::make()?);
    let port = receiver.addr().port();
    let canary = Canary::at((BAD, port).into()).await?;
    let mut answers = vec![vec![IpAddr::from(GOOD)], vec![IpAddr::from(BAD)]];
    answers.push(vec![BAD.into(), GOOD.into()]);
    world.name(REBINDING, &answers);
    let url = Arc::new(format!("http://{REBINDING}:{port}{PATH}"));
    let mut found = Found::default();
    let mut told = 0;
    for _ in 0..rounds {
        let at_once = (0..8).map(|_| {
            let (world, url) = (Arc::clone(&world), Arc::clone(&url));
            tokio::spawn(async move { world.tell(&url).await })
        });
        for one in at_once.collect::<Vec<_>>() {
            found.tricks += 1;
            match one.await? {
                Ok(200) => told += 1,
                Err(PostError::Refused(_)) => {}
                other => found.not_refused.push(format!("rebinding: {other:?}")),
            }
        }
    }
    let arrived = receiver.count_of(PATH);
    anyhow::ensure!(
        arrived == told && told > 0 && told < found.tricks,
        "of {} attempts, {told} were answered and {arrived} arrived",
        found.tricks
    );
    found.connections = canary.connections().await.context("the canary is gone")?;
    Ok(found)
}
