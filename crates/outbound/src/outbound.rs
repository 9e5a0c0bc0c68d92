use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url, redirect};

use crate::address::stands_for;
use crate::resolver::Guard;
use crate::{Lookup, Policy, Refused, SystemLookup, port};

/// How long a connection that nobody uses is kept, for what comes next for the same host; it still
/// leads to the address that was judged when it was made. Shorter than servers keep theirs, which
/// in Node, Apache and uvicorn is 5 seconds: what is written into a connection that is just being
/// closed looks like a failure of the endpoint.
const IDLE_FOR: Duration = Duration::from_secs(4);
/// Connections kept for each host: as many as webhooks use of one endpoint at a time.
const IDLE_PER_HOST: usize = 16;

/// What an address is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Something to fetch, which may be on a server of `http` only.
    Media,
    /// Something to tell, which must not be read on its way.
    Webhook,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for addresses of tenants cannot be made")]
pub struct BuildError(#[source] reqwest::Error);

/// HTTP to addresses that tenants name.
///
/// Follows no redirects but those of [`Outbound::get`], and no proxy: what a proxy would dial is
/// not ours to judge.
#[derive(Clone)]
pub struct Outbound {
    policy: Arc<Policy>,
    pub(crate) client: Client,
}

impl Outbound {
    /// With the system's names. `connect_timeout` includes looking the name up.
    pub fn new(
        policy: Policy,
        user_agent: &str,
        connect_timeout: Duration,
    ) -> Result<Self, BuildError> {
        let lookup = Arc::new(SystemLookup::default());
        Self::with_lookup(policy, user_agent, connect_timeout, lookup)
    }

    /// With other names than the system's.
    pub fn with_lookup(
        policy: Policy,
        user_agent: &str,
        connect_timeout: Duration,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, BuildError> {
        let policy = Arc::new(policy);
        let guard = Guard {
            policy: policy.clone(),
            lookup,
        };
        let client = Client::builder()
            .user_agent(user_agent)
            .connect_timeout(connect_timeout)
            .dns_resolver(guard)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .http1_only()
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .build()
            .map_err(BuildError)?;
        Ok(Self { policy, client })
    }

    /// Judges what can be judged without asking for a name: to be called when a tenant says an
    /// address, so that it is refused there and then. A name is judged when it is dialled.
    pub fn check_url(&self, url: &str, purpose: Purpose) -> Result<Url, Refused> {
        let url = Url::parse(url).map_err(|_| Refused::Malformed)?;
        self.check(&url, purpose)?;
        Ok(url)
    }

    pub(crate) fn check(&self, url: &Url, purpose: Purpose) -> Result<(), Refused> {
        self.check_scheme(url, purpose)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        self.check_host(url)?;
        match url.port_or_known_default() {
            Some(port) if port::is_accepted(port) => Ok(()),
            _ => Err(Refused::Port),
        }
    }

    fn check_scheme(&self, url: &Url, purpose: Purpose) -> Result<(), Refused> {
        let http = match purpose {
            Purpose::Media => true,
            // Nobody reads along between this machine and itself.
            Purpose::Webhook => {
                self.policy.allow_http || (self.policy.allow_loopback && is_this_machine(url))
            }
        };
        match url.scheme() {
            "https" => Ok(()),
            "http" if http => Ok(()),
            _ if http => Err(Refused::NotHttp),
            _ => Err(Refused::NotHttps),
        }
    }

    fn check_host(&self, url: &Url) -> Result<(), Refused> {
        let host = url.host_str().ok_or(Refused::Malformed)?;
        if let Some(address) = literal(host) {
            return if self.policy.permits(address) {
                Ok(())
            } else {
                Err(Refused::NotPublic)
            };
        }
        let name = host.strip_suffix('.').unwrap_or(host);
        if name.is_empty() || name.split('.').any(str::is_empty) {
            return Err(Refused::Malformed);
        }
        if is_local(name) && !self.policy.permits(Ipv4Addr::LOCALHOST.into()) {
            return Err(Refused::NotPublic);
        }
        Ok(())
    }
}

/// The address that the host is, if it is no name. The URL's parser has brought every spelling of
/// an IPv4 address into one form, and refused zones. Literals never reach the resolver, so that
/// they are judged here or nowhere.
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok()
}

/// RFC 6761: these are this machine, whatever the system's resolver makes of them.
fn is_local(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether the host is loopback by what is written. A name other than those of RFC 6761 may lead
/// there and is not known to.
fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    match literal(host) {
        Some(written) => {
            let mut meant = stands_for(written).into_iter();
            meant.all(|address| address.is_loopback())
        }
        None => is_local(host.strip_suffix('.').unwrap_or(host)),
    }
}
