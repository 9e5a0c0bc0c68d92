//! How connections are served, and how they end.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use bytes::Bytes;
use futures_util::stream::{pending, repeat_with};
use futures_util::{Stream, StreamExt as _};
use mf_http_kit::{ClientLimits, serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

const SOON: Duration = Duration::from_secs(20);
/// Shorter than any server would have it.
const STALLED: Duration = Duration::from_millis(50);

struct Serving {
    addr: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// The limits that nobody comes to.
const AMPLE: ClientLimits = ClientLimits {
    head: Duration::from_hours(1),
    stalled: Duration::from_hours(1),
    connections: 100,
};

const STALLING: ClientLimits = ClientLimits {
    stalled: STALLED,
    ..AMPLE
};

async fn start(router: Router) -> Serving {
    start_with(router, STALLING).await
}

async fn start_with(router: Router, limits: ClientLimits) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(serve(listener, router, limits, stop.clone()));
    Serving { addr, stop, task }
}

/// A route whose answer is this stream, and what resolves when the answer is let go.
fn streaming(
    stream: impl Stream<Item = Bytes> + Send + 'static,
) -> (Router, oneshot::Receiver<()>) {
    let (held, let_go) = oneshot::channel::<()>();
    let stream = stream.map(move |bytes| {
        let _held = &held;
        Ok::<_, Infallible>(bytes)
    });
    let body = Arc::new(Mutex::new(Some(Body::from_stream(stream))));
    let take = move || {
        let body = body.lock().unwrap().take().unwrap();
        async move { body }
    };
    (Router::new().route("/", get(take)), let_go)
}

async fn ask(addr: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(addr).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    client.write_all(request).await.unwrap();
    client
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(SOON, future).await.expect("soon")
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off_and_what_it_held_is_let_go() {
    let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
    let (router, let_go) = streaming(repeat_with(move || chunk.clone()));
    let server = start(router).await;
    // It is there, and answers for everything but its data.
    let _client = ask(server.addr).await;
    soon(let_go).await.unwrap_err();
}

#[tokio::test]
async fn a_client_that_goes_away_in_the_silence_is_noticed() {
    let (router, let_go) = streaming(pending());
    let server = start(router).await;
    let mut client = ask(server.addr).await;
    let mut head = [0; 12];
    client.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    drop(client);
    soon(let_go).await.unwrap_err();
}

#[tokio::test]
async fn a_silence_is_no_stall() {
    let speak = Arc::new(Notify::new());
    let notified = Arc::clone(&speak);
    let word = futures_util::stream::once(async move {
        notified.notified().await;
        Bytes::from_static(b"at last")
    });
    let (router, _let_go) = streaming(word);
    let server = start(router).await;
    let mut client = ask(server.addr).await;
    // Another client is cut off in the meantime: that takes as long as a stall may.
    let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
    let (other, let_go) = streaming(repeat_with(move || chunk.clone()));
    let other = start(other).await;
    let _stalled = ask(other.addr).await;
    soon(let_go).await.unwrap_err();
    speak.notify_one();
    server.stop.cancel();
    let mut answer = String::new();
    soon(client.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.contains("at last"), "{answer}");
}

#[tokio::test]
async fn who_stops_finishes_what_was_begun_and_begins_nothing_more() {
    let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (beginning, released) = (Arc::clone(&begun), Arc::clone(&release));
    let handler = move || {
        let (beginning, released) = (Arc::clone(&beginning), Arc::clone(&released));
        async move {
            beginning.notify_one();
            released.notified().await;
            "finished"
        }
    };
    let server = start(Router::new().route("/", get(handler))).await;
    // One that only waits for its next request holds up nothing.
    let _idle = TcpStream::connect(server.addr).await.unwrap();
    let mut client = ask(server.addr).await;
    soon(begun.notified()).await;
    server.stop.cancel();
    soon(async { while TcpStream::connect(server.addr).await.is_ok() {} }).await;
    assert!(!server.task.is_finished());
    release.notify_one();
    let mut answer = String::new();
    soon(client.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("finished"), "{answer}");
    soon(server.task).await.unwrap();
}

/// Half a request.
async fn begin(addr: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(addr).await.unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n")
        .await
        .unwrap();
    client
}

/// Waits until the server has closed this connection, without a word or with one.
async fn closed(mut client: TcpStream) {
    let mut rest = Vec::new();
    // A connection that is reset is closed, too.
    let _ = soon(client.read_to_end(&mut rest)).await;
}

/// Answers with what it is sent.
fn echo() -> Router {
    Router::new().route("/", post(async |body: Bytes| body))
}

#[tokio::test]
async fn half_a_request_is_cut_off_and_slow_bodies_and_silent_answers_are_not() {
    let limits = ClientLimits {
        head: Duration::from_millis(50),
        ..AMPLE
    };
    let speak = Arc::new(Notify::new());
    let notified = Arc::clone(&speak);
    let (answer, _let_go) = streaming(futures_util::stream::once(async move {
        notified.notified().await;
        Bytes::from_static(b"at last")
    }));
    let server = start_with(answer.merge(echo()), limits).await;
    let mut silent = ask(server.addr).await;
    let mut slow = TcpStream::connect(server.addr).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nsl";
    slow.write_all(head).await.unwrap();
    // As long as a head may take, and again.
    closed(begin(server.addr).await).await;
    closed(begin(server.addr).await).await;
    slow.write_all(b"ow").await.unwrap();
    let mut answer = String::new();
    soon(slow.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.ends_with("slow"), "{answer}");
    speak.notify_one();
    let mut answer = String::new();
    soon(silent.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.contains("at last"), "{answer}");
}

#[tokio::test]
async fn half_a_request_does_not_hold_up_who_stops_and_a_whole_one_does() {
    let (speak, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (notified, released) = (Arc::clone(&speak), Arc::clone(&release));
    let (answer, _let_go) = streaming(futures_util::stream::once(async move {
        notified.notified().await;
        Bytes::from_static(b"at last")
    }));
    let begun = Arc::new(Notify::new());
    let beginning = Arc::clone(&begun);
    let handler = async move || {
        beginning.notify_one();
        released.notified().await;
        "finished"
    };
    let router = answer.route("/slow", get(handler));
    let server = start_with(router, AMPLE).await;
    let half = begin(server.addr).await;
    let mut streamed = ask(server.addr).await;
    let mut head = [0; 12];
    streamed.read_exact(&mut head).await.unwrap();
    let mut slow = TcpStream::connect(server.addr).await.unwrap();
    let request = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    slow.write_all(request).await.unwrap();
    soon(begun.notified()).await;
    server.stop.cancel();
    closed(half).await;
    assert!(!server.task.is_finished());
    speak.notify_one();
    release.notify_one();
    for (client, end) in [(&mut streamed, "at last"), (&mut slow, "finished")] {
        let mut answer = String::new();
        soon(client.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.contains(end), "{answer}");
    }
    soon(server.task).await.unwrap();
}

#[tokio::test]
async fn more_connections_than_there_may_be_wait_until_one_ends() {
    let limits = ClientLimits {
        connections: 1,
        ..AMPLE
    };
    let calls = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&calls);
    let count = async move || format!("number {}.", counting.fetch_add(1, Ordering::SeqCst));
    let server = start_with(Router::new().route("/", get(count)), limits).await;
    let mut first = ask(server.addr).await;
    let mut second = ask(server.addr).await;
    for number in 0..20 {
        let answer = until(&mut first, ".").await;
        assert!(answer.ends_with(&format!("number {number}.")), "{answer}");
        let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        first.write_all(request).await.unwrap();
    }
    until(&mut first, "number 20.").await;
    drop(first);
    until(&mut second, "number 21.").await;
}

async fn until(client: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        let length = soon(client.read_buf(&mut read)).await.unwrap();
        assert!(length > 0, "it ended: {}", String::from_utf8_lossy(&read));
    }
    String::from_utf8(read).unwrap()
}
