//! An endpoint that takes requests with bodies, several on one connection.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

type Connection = BufStream<TcpStream>;

/// What it is to say, and what it was told over how many connections.
#[derive(Default)]
struct State {
    answers: Vec<String>,
    requests: Vec<String>,
    connections: usize,
}

pub(crate) struct Endpoint {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Endpoint {
    /// Gives its answers one after the other, on whatever connection, and then nothing; keeps
    /// connections open until the other side closes them.
    pub(crate) async fn saying(answers: &[&str]) -> Self {
        let answers = answers.iter().rev().map(|text| (*text).to_owned());
        let state = Arc::new(Mutex::new(State {
            answers: answers.collect(),
            ..State::default()
        }));
        let shared = state.clone();
        Self::start(state, async move |listener| {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                shared.lock().unwrap().connections += 1;
                tokio::spawn(converse(BufStream::new(stream), shared.clone()));
            }
        })
        .await
    }

    /// Says this to whoever comes, and closes.
    pub(crate) async fn hanging_up_after(answer: &str) -> Self {
        let answer = answer.to_owned();
        Self::start(Arc::default(), async move |listener| {
            let mut stream = BufStream::new(listener.accept().await.unwrap().0);
            // What is of TLS has no end that could be waited for.
            let _ = stream.fill_buf().await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
            // What is left unread would take back what was said.
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        })
        .await
    }

    /// Goes on for as long as somebody reads, and takes one connection only.
    pub(crate) async fn without_end(head: &str) -> Self {
        let head = head.to_owned();
        Self::start(Arc::default(), async move |listener| {
            let mut stream = BufStream::new(listener.accept().await.unwrap().0);
            read_request(&mut stream).await;
            stream.write_all(head.as_bytes()).await.unwrap();
            while stream.write_all(&[b'x'; 8192]).await.is_ok() {}
        })
        .await
    }

    async fn start<F, S>(state: Arc<Mutex<State>>, serve: F) -> Self
    where
        F: FnOnce(TcpListener) -> S,
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(serve(listener));
        Self {
            address,
            state,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The requests, head and body.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// Waits until it can say no more.
    pub(crate) async fn ended(mut self) {
        (&mut self.task).await.unwrap();
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(mut stream: Connection, state: Arc<Mutex<State>>) {
    while let Some(request) = read_request(&mut stream).await {
        let answer = {
            let mut state = state.lock().unwrap();
            state.requests.push(request);
            state.answers.pop().unwrap_or_default()
        };
        // The client may have had enough before the end.
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.flush().await;
    }
}

/// Head and body, by the length that the head says; nothing at the connection's end.
async fn read_request(stream: &mut Connection) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let length = name.eq_ignore_ascii_case("content-length");
        length.then(|| value.trim().parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}
