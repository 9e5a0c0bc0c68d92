use std::{
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll},
};

use axum::{
    Error,
    body::{Body, Bytes, HttpBody},
};
use hyper::body::{Frame, SizeHint};

/// What everything that is done for one connection's requests holds a piece of.
#[derive(Clone)]
pub(super) struct UnderWay {
    _piece: Arc<()>,
}

/// Tells whether any of it is left.
pub(super) struct Watch(Weak<()>);

impl UnderWay {
    pub(super) fn begin() -> (Self, Watch) {
        let whole = Arc::new(());
        let watch = Watch(Arc::downgrade(&whole));
        (Self { _piece: whole }, watch)
    }

    /// The body of an answer, which is under way until it is let go.
    pub(super) fn answer(self, body: Body) -> Answer {
        Answer {
            body,
            _under_way: self,
        }
    }
}

impl Watch {
    /// Whether a request is being answered. The connection itself has one piece.
    pub(super) fn is_busy(&self) -> bool {
        self.0.strong_count() > 1
    }
}

pub(super) struct Answer {
    body: Body,
    _under_way: UnderWay,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
