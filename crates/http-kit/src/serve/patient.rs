use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// A connection whose other end may take its time, but must take something of what it is sent.
///
/// Without a limit, a client that does not read would hold what waits for it until it goes
/// away: its system goes on answering for it.
pub(super) struct Patient<T> {
    stream: T,
    limit: Duration,
    /// Runs while nothing can be written.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<T> Patient<T> {
    pub(super) fn new(stream: T, limit: Duration) -> Self {
        Self {
            stream,
            limit,
            stalled: None,
        }
    }

    /// What came of writing, unless nothing came of it for too long.
    fn wait<R>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let limit = self.limit;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Patient<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Patient<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wait(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wait(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // What is flushed and shut down was written before: a socket keeps nothing back.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::ErrorKind,
        pin::Pin,
        task::{Context, Poll, Waker},
        time::Duration,
    };

    use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::Patient;

    #[tokio::test]
    async fn whoever_takes_nothing_is_cut_off() {
        let (stream, _reader) = duplex(4);
        let mut stream = Patient::new(stream, Duration::from_millis(5));
        let error = stream.write_all(b"too much").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn whoever_takes_a_little_has_all_the_time_again() {
        let write = |stream: &mut Patient<DuplexStream>| {
            let mut context = Context::from_waker(Waker::noop());
            Pin::new(stream).poll_write(&mut context, b"slow")
        };
        let (stream, mut reader) = duplex(4);
        let mut stream = Patient::new(stream, Duration::from_hours(1));
        assert!(matches!(write(&mut stream), Poll::Ready(Ok(4))));
        assert!(write(&mut stream).is_pending());
        assert!(stream.stalled.is_some());
        reader.read_u8().await.unwrap();
        assert!(matches!(write(&mut stream), Poll::Ready(Ok(1))));
        assert!(stream.stalled.is_none());
    }
}
