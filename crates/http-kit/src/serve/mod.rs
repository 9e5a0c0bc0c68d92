//! From a listener to the router: connections, and how they end.
//!
//! Our own loop over hyper's HTTP/1, since what a connection costs is multiplied by the number
//! of open streams. axum's clones every route for each connection, and keeps room for HTTP/2.

mod patient;

use std::{convert::Infallible, io::ErrorKind, pin::pin, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Request as HttpRequest, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service as _;
use tracing::{debug, error};

use self::patient::Patient;

/// The pause after a connection could not be accepted, for lack of file descriptors above all.
const OUT_OF_BREATH: Duration = Duration::from_secs(1);

/// Serves HTTP/1.1 until `stop`, and then until the last request under way is answered. A
/// client that takes nothing of what it is sent for as long as `stalled` is cut off.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stalled: Duration,
    stop: CancellationToken,
) {
    // Once, and not for each connection.
    let router = router.with_state(());
    let connections = TaskTracker::new();
    while let Some(stream) = stop.run_until_cancelled(accept(&listener)).await {
        let stream = Patient::new(stream, stalled);
        connections.spawn(converse(stream, router.clone(), stop.clone()));
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

async fn converse(stream: Patient<TcpStream>, router: Router, stop: CancellationToken) {
    let service =
        service_fn(|request: HttpRequest<Incoming>| answer(router.clone(), request.map(Body::new)));
    let connection = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(error = %error, "a connection did not end well");
    }
}

/// The router is always ready.
fn answer(
    mut router: Router,
    request: Request,
) -> impl Future<Output = Result<Response<Body>, Infallible>> {
    router.call(request)
}
