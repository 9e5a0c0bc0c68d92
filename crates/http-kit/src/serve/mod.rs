//! From a listener to the router: connections, and how they end.
//!
//! Our own loop over hyper's HTTP/1, since what a connection costs is multiplied by the number
//! of open streams. axum's clones every route for each connection, and keeps room for HTTP/2.

mod patient;
mod places;
mod under_way;

use std::{convert::Infallible, io::ErrorKind, pin::pin, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Request as HttpRequest, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service as _;
use tracing::{debug, error};

use self::{
    patient::Patient,
    places::Places,
    under_way::{Answer, UnderWay},
};

/// The pause after a connection could not be accepted, for lack of file descriptors above all.
const OUT_OF_BREATH: Duration = Duration::from_secs(1);

/// When the server stops, how long a client has to finish a request that it had begun to write,
/// and to take the last of an answer.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What clients may take of the server, without being anybody.
#[derive(Debug, Clone, Copy)]
pub struct ClientLimits {
    /// How long the head of a request may be in coming, from the end of the one before it: a
    /// connection that is kept open for later is closed after this, too.
    pub head: Duration,
    /// How long a client may take nothing of what it is sent.
    pub stalled: Duration,
    /// How many connections there may be at a time. Others wait until one ends.
    pub connections: usize,
}

/// Serves HTTP/1.1 until `stop`, and then until the last request under way is answered. What is
/// not a whole request by then holds up nobody.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ClientLimits,
    stop: CancellationToken,
) {
    // Once, and not for each connection.
    let router = router.with_state(());
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head);
    let mut places = Places::of(limits.connections);
    let connections = TaskTracker::new();
    loop {
        let next = async { (places.take().await, accept(&listener).await) };
        let Some((place, stream)) = stop.run_until_cancelled(next).await else {
            break;
        };
        let stream = Patient::new(stream, limits.stalled);
        let talk = converse(http.clone(), stream, router.clone(), stop.clone());
        connections.spawn(async move {
            let _place = place;
            talk.await;
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Events are small: none shall wait for the acknowledgement of the one before.
                // Where that cannot be set, they are late and nothing worse.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            // Of that one connection, which is gone.
            Err(error) if is_of_one(error.kind()) => {}
            Err(error) => {
                error!(error = %error, "a connection could not be accepted");
                sleep(OUT_OF_BREATH).await;
            }
        }
    }
}

fn is_of_one(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

async fn converse(
    http: http1::Builder,
    stream: Patient<TcpStream>,
    router: Router,
    stop: CancellationToken,
) {
    let (under_way, watch) = UnderWay::begin();
    let service = service_fn(move |request: HttpRequest<Incoming>| {
        answer(router.clone(), request.map(Body::new), under_way.clone())
    });
    let connection = http.serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            // No request after the one that is under way, if there is one.
            connection.as_mut().graceful_shutdown();
            match timeout(LAST_WORDS, connection.as_mut()).await {
                Ok(ended) => ended,
                Err(_) if watch.is_busy() => connection.await,
                // Half a request, of which nothing was done.
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        debug!(error = %error, "a connection did not end well");
    }
}

/// The router is always ready.
async fn answer(
    mut router: Router,
    request: Request,
    under_way: UnderWay,
) -> Result<Response<Answer>, Infallible> {
    let response = router.call(request).await?;
    Ok(response.map(|body| under_way.answer(body)))
}
