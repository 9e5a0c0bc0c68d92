use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Somebody else's web server on this machine: what clients name by its address is here. It
/// counts who comes, whatever they want.
pub(crate) struct Shelf {
    addr: SocketAddr,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    things: Mutex<BTreeMap<String, Thing>>,
    visits: Mutex<usize>,
}

/// What is at an address.
#[derive(Debug, Clone)]
enum Thing {
    File { mimetype: String, bytes: Vec<u8> },
    Elsewhere(String),
}

impl Shelf {
    /// An empty one.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let serving = tokio::spawn({
            let state = Arc::clone(&state);
            async move {
                while let Ok((visitor, _)) = listener.accept().await {
                    *lock(&state.visits) += 1;
                    let state = Arc::clone(&state);
                    tokio::spawn(async move { state.answer(visitor).await });
                }
            }
        });
        Self {
            addr,
            state,
            serving,
        }
    }

    /// Puts a file up, and says where.
    pub(crate) fn put(&self, path: &str, mimetype: &str, bytes: &[u8]) -> String {
        let (mimetype, bytes) = (mimetype.to_owned(), bytes.to_vec());
        self.set(path, Thing::File { mimetype, bytes })
    }

    /// Sends visitors on, and says from where.
    pub(crate) fn redirect(&self, path: &str, to: &str) -> String {
        self.set(path, Thing::Elsewhere(to.to_owned()))
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.addr.port()
    }

    /// How many came.
    pub(crate) fn visits(&self) -> usize {
        *lock(&self.state.visits)
    }

    fn set(&self, path: &str, thing: Thing) -> String {
        lock(&self.state.things).insert(path.to_owned(), thing);
        format!("http://{}{path}", self.addr)
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl State {
    async fn answer(&self, mut visitor: TcpStream) -> Option<()> {
        let mut request = Vec::new();
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut buffer = [0; 1024];
            let length = visitor.read(&mut buffer).await.ok()?;
            if length == 0 {
                return None;
            }
            request.extend_from_slice(&buffer[..length]);
        }
        let request = String::from_utf8_lossy(&request).into_owned();
        let path = request.split(' ').nth(1)?;
        let found = lock(&self.things).get(path).cloned();
        let (head, body) = match found {
            Some(Thing::File { mimetype, bytes }) => {
                (format!("200 OK\r\nContent-Type: {mimetype}"), bytes)
            }
            Some(Thing::Elsewhere(to)) => (format!("302 Found\r\nLocation: {to}"), Vec::new()),
            None => ("404 Not Found".to_owned(), Vec::new()),
        };
        let length = body.len();
        let head =
            format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        visitor.write_all(head.as_bytes()).await.ok()?;
        // Whoever has seen enough goes, and that is their right.
        visitor.write_all(&body).await.ok()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
