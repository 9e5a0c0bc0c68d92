use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use mf_test_support::soon;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// Somebody's endpoint: keeps what it is sent, and answers as it is told to, else 200.
pub(crate) struct Receiver {
    addr: SocketAddr,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

/// One request that came.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) path: String,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// The very bytes.
    pub(crate) body: Vec<u8>,
}

impl Arrival {
    /// A header's value.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.unwrap_or_else(|| panic!("no {name}: {:?}", self.headers))
    }

    /// `webhook-id`: the event's.
    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// The body, read.
    pub(crate) fn envelope(&self) -> Value {
        serde_json::from_slice(&self.body).expect("webhooks send JSON")
    }
}

/// How to answer.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    status: u16,
    headers: String,
    body: String,
}

impl Told {
    /// With this status, and nothing more.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: String::new(),
            body: String::new(),
        }
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers = format!("{}{name}: {value}\r\n", self.headers);
        self
    }

    /// With a body.
    pub(crate) fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }
}

#[derive(Default)]
struct State {
    arrivals: watch::Sender<Vec<Arrival>>,
    /// What to answer next, by path.
    once: Mutex<BTreeMap<String, VecDeque<Told>>>,
    /// And afterwards, until told otherwise.
    always: Mutex<BTreeMap<String, Told>>,
    /// Where answers wait until this says that they may go.
    held: Mutex<BTreeMap<String, watch::Receiver<bool>>>,
}

/// Answers that wait. They go when this is dropped, at the latest.
#[derive(Debug)]
pub(crate) struct Held(watch::Sender<bool>);

impl Held {
    /// Lets them go.
    pub(crate) fn release(self) {
        self.0.send_replace(true);
    }
}

impl Receiver {
    /// One that takes everything.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let serving = tokio::spawn({
            let state = Arc::clone(&state);
            async move {
                // Dropped with this task, and every connection with it.
                let mut connections = JoinSet::new();
                while let Ok((sender, _)) = listener.accept().await {
                    let state = Arc::clone(&state);
                    connections.spawn(async move { state.serve(sender).await });
                }
            }
        });
        Self {
            addr,
            state,
            serving,
        }
    }

    /// Where it listens.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The next request there is answered so; the one after it as before.
    pub(crate) fn answer_once(&self, path: &str, told: Told) {
        let mut once = lock(&self.state.once);
        once.entry(path.to_owned()).or_default().push_back(told);
    }

    /// From now on, requests there are answered so.
    pub(crate) fn answer(&self, path: &str, told: Told) {
        lock(&self.state.always).insert(path.to_owned(), told);
    }

    /// From now on, requests there are kept, and not answered.
    pub(crate) fn hold(&self, path: &str) -> Held {
        let (release, released) = watch::channel(false);
        lock(&self.state.held).insert(path.to_owned(), released);
        Held(release)
    }

    /// What came there so far, oldest first.
    pub(crate) fn arrivals(&self, path: &str) -> Vec<Arrival> {
        at(&self.state.arrivals.borrow(), path)
    }

    /// What came there, once there are so many.
    #[track_caller]
    pub(crate) fn arrived(&self, path: &str, count: usize) -> impl Future<Output = Vec<Arrival>> {
        let mut arrivals = self.state.arrivals.subscribe();
        let path = path.to_owned();
        soon(async move {
            let enough =
                |all: &Vec<Arrival>| all.iter().filter(|one| one.path == path).count() >= count;
            let all = arrivals.wait_for(enough).await.unwrap();
            at(&all, &path)
        })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl State {
    async fn serve(&self, mut sender: TcpStream) -> Option<()> {
        let mut unread = Vec::new();
        loop {
            let arrival = read(&mut sender, &mut unread).await?;
            let told = self.told(&arrival.path);
            let waits = lock(&self.held).get(&arrival.path).cloned();
            self.arrivals.send_modify(|all| all.push(arrival));
            if let Some(mut held) = waits {
                // Dropped is released.
                let _ = held.wait_for(|released| *released).await;
            }
            let head = format!(
                "HTTP/1.1 {} Told\r\n{}Content-Length: {}\r\n\r\n",
                told.status,
                told.headers,
                told.body.len()
            );
            sender.write_all(head.as_bytes()).await.ok()?;
            sender.write_all(told.body.as_bytes()).await.ok()?;
        }
    }

    fn told(&self, path: &str) -> Told {
        let next = lock(&self.once).get_mut(path).and_then(VecDeque::pop_front);
        next.or_else(|| lock(&self.always).get(path).cloned())
            .unwrap_or_else(|| Told::status(200))
    }
}

/// One request; none at the connection's end.
async fn read(sender: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Arrival> {
    let end = loop {
        if let Some(end) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        more(sender, unread).await?;
    };
    let head = String::from_utf8(unread.drain(..end).collect()).ok()?;
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length")?.parse().ok()?;
    while unread.len() < length {
        more(sender, unread).await?;
    }
    let body = unread.drain(..length).collect();
    Some(Arrival {
        path,
        headers,
        body,
    })
}

async fn more(sender: &mut TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 4096];
    let length = sender.read(&mut buffer).await.ok()?;
    unread.extend_from_slice(&buffer[..length]);
    (length > 0).then_some(())
}

fn at(all: &[Arrival], path: &str) -> Vec<Arrival> {
    let here = all.iter().filter(|arrival| arrival.path == path);
    here.cloned().collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
