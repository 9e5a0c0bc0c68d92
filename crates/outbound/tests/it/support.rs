//! Listeners, servers that say what they are told to, and names.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use mf_outbound::{FetchError, Limits, Lookup, Outbound, Policy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A port that nobody must connect to.
pub(crate) struct Canary(TcpListener);

impl Canary {
    pub(crate) fn on(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Connections since the last call. The kernel makes them without our help, so that none is
    /// missed.
    pub(crate) fn connections(&self) -> usize {
        let mut count = 0;
        while self.0.accept().is_ok() {
            count += 1;
        }
        count
    }
}

/// A server that gives its answers one after the other, a connection for each, and keeps the
/// last connection open for as long as it lives.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn saying(answers: &[&str]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let task = tokio::spawn(async move {
            let mut last = None;
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await;
                heard.lock().unwrap().push(request);
                // The client may have had enough before the end.
                let _ = stream.write_all(answer.as_bytes()).await;
                last = Some(stream);
            }
            std::future::pending::<()>().await;
            drop(last);
        });
        Self {
            address,
            asked,
            task,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// What was asked, with headers.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => read.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(read).unwrap()
}

/// Names that answer something else at each asking, the last answer for ever.
pub(crate) struct Names(Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>);

impl Names {
    pub(crate) fn of(names: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let addresses = |all: &[&str]| all.iter().map(|one| one.parse().unwrap()).collect();
        let answers = |all: &[&[&str]]| all.iter().map(|one| addresses(one)).collect();
        let map = names
            .iter()
            .map(|(name, all)| ((*name).to_owned(), answers(all)))
            .collect();
        Arc::new(Self(Mutex::new(map)))
    }
}

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut names = self.0.lock().unwrap();
        let answers = names
            .get_mut(name)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        if answers.len() > 1 {
            Ok(answers.pop_front().unwrap())
        } else {
            Ok(answers.front().cloned().unwrap_or_default())
        }
    }
}

pub(crate) fn outbound(policy: Policy, names: Arc<Names>) -> Outbound {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Outbound::with_lookup(policy, "MoltFlow-test", LONG, names).unwrap()
}

/// The internet only, and no names.
pub(crate) fn strict() -> Outbound {
    outbound(Policy::default(), Names::of(&[]))
}

/// 127.0.0.1 counts as the internet, so that there is something to talk to; 127.0.0.2 does not.
pub(crate) fn with_home(names: &[(&str, &[&[&str]])]) -> Outbound {
    let policy = Policy {
        allow_networks: vec!["127.0.0.1/32".parse().unwrap()],
        ..Policy::default()
    };
    outbound(policy, Names::of(names))
}

pub(crate) fn limits() -> Limits {
    Limits {
        max_bytes: 1000,
        timeout: LONG,
        max_redirects: 3,
    }
}

/// The whole body.
pub(crate) async fn fetch(
    outbound: &Outbound,
    url: &str,
    limits: Limits,
) -> Result<Vec<u8>, FetchError> {
    let mut fetched = outbound.get(url, limits).await?;
    let mut body = Vec::new();
    while let Some(chunk) = fetched.body.next().await {
        body.extend_from_slice(&chunk?);
    }
    Ok(body)
}

pub(crate) async fn get(outbound: &Outbound, url: &str) -> Result<Vec<u8>, FetchError> {
    fetch(outbound, url, limits()).await
}
