use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Url, redirect};

use crate::resolver::Guard;
use crate::{Lookup, Policy, Refused, SystemLookup, port};

/// How long a connection that nobody uses is kept, for the next one to the same host.
const IDLE_FOR: Duration = Duration::from_secs(15);
/// Connections kept for each host.
const IDLE_PER_HOST: usize = 2;

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
        Self::with_lookup(policy, user_agent, connect_timeout, Arc::new(SystemLookup))
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

    /// A request to an address, if it is not refused. What the name resolves to is judged when it
    /// is sent; [`Refused::behind`] finds that in the error.
    pub fn request(
        &self,
        method: Method,
        url: &str,
        purpose: Purpose,
    ) -> Result<RequestBuilder, Refused> {
        let url = self.check_url(url, purpose)?;
        Ok(self.client.request(method, url))
    }

    pub(crate) fn check(&self, url: &Url, purpose: Purpose) -> Result<(), Refused> {
        self.check_scheme(url.scheme(), purpose)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        self.check_host(url)?;
        match url.port_or_known_default() {
            Some(port) if port::is_accepted(port) => Ok(()),
            _ => Err(Refused::Port),
        }
    }

    fn check_scheme(&self, scheme: &str, purpose: Purpose) -> Result<(), Refused> {
        let http = self.policy.allow_http || purpose == Purpose::Media;
        match scheme {
            "https" => Ok(()),
            "http" if http => Ok(()),
            _ if http => Err(Refused::NotHttp),
            _ => Err(Refused::NotHttps),
        }
    }

    /// The URL's parser has brought every spelling of an IPv4 address into one form, and refused
    /// zones. Literals never reach the resolver, so that they are judged here or nowhere.
    fn check_host(&self, url: &Url) -> Result<(), Refused> {
        let host = url.host_str().ok_or(Refused::Malformed)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse() {
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
        // RFC 6761: these are this machine, whatever the system's resolver makes of them.
        let local = name == "localhost" || name.ends_with(".localhost");
        if local && !self.policy.permits(Ipv4Addr::LOCALHOST.into()) {
            return Err(Refused::NotPublic);
        }
        Ok(())
    }
}
