//! How connections are served, and how they end.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use futures_util::stream::{pending, repeat_with};
use futures_util::{Stream, StreamExt as _};
use mf_http_kit::serve;
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

async fn start(router: Router) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(serve(listener, router, STALLED, stop.clone()));
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
