use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{Stream, StreamExt as _};
use tokio::runtime::Handle;

/// How long a refused sender may go on.
const PATIENCE: Duration = Duration::from_secs(5);

/// Lets a sender finish whose request was answered early.
///
/// Many clients read the answer only when they have sent everything. Closing the connection
/// under them would turn a 401 or 413 into a broken pipe.
pub(super) async fn linger(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Such a sender waits to be asked, so until the body is read there is nothing to finish.
    let waits = request.headers().contains_key(header::EXPECT);
    let request = request.map(|body| {
        Body::from_stream(Lingering {
            rest: Some(body.into_data_stream()),
            sending: !waits,
        })
    });
    next.run(request).await
}

/// A body that reads itself to its end when it is dropped before.
struct Lingering {
    rest: Option<BodyDataStream>,
    sending: bool,
}

impl Stream for Lingering {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.sending = true;
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(None);
        };
        let polled = rest.poll_next_unpin(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.rest = None;
        }
        polled
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let Some(mut rest) = self.rest.take()
            && self.sending
            && let Ok(runtime) = Handle::try_current()
        {
            let drain = async move { while let Some(Ok(_)) = rest.next().await {} };
            runtime.spawn(tokio::time::timeout(PATIENCE, drain));
        }
    }
}
