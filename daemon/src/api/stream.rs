//! A connection's bytes: shared with whoever asks the kernel about the peer, and cut where the client stops reading.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Sleep, sleep};

/// The half of a connection that is shared with whoever asks the kernel about the peer.
pub(super) type Shared = Arc<OwnedWriteHalf>;

/// The stream under hyper. A client that takes nothing of its answer for `patience` loses the connection; hyper itself
/// would keep it, and the answer, for ever.
pub(super) struct PatientStream {
    /// Reads through tokio's own way, which does not ask the kernel again after a read that left nothing.
    read: OwnedReadHalf,
    write: Shared,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl PatientStream {
    pub(super) fn new(stream: UnixStream, patience: Duration) -> Self {
        let (read, write) = stream.into_split();
        PatientStream {
            read,
            write: Arc::new(write),
            patience,
            stalled: None,
        }
    }

    pub(super) fn shared(&self) -> Shared {
        self.write.clone()
    }

    fn stream(&self) -> &UnixStream {
        self.read.as_ref()
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let patience = self.patience;
        let timer = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for PatientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(cx, buf)
    }
}

impl AsyncWrite for PatientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.stream().poll_write_ready(cx)?.is_pending() {
                return self.wait(cx);
            }
            match self.stream().try_write(buf) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                done => {
                    self.stalled = None;
                    return Poll::Ready(done);
                }
            }
        }
    }

    /// Head and body in one piece: to copy a body of some hundred bytes behind its head costs less than what two pieces
    /// cost hyper and the kernel.
    fn is_write_vectored(&self) -> bool {
        false
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(
            rustix::net::shutdown(self.stream(), rustix::net::Shutdown::Write).map_err(Into::into),
        )
    }
}
