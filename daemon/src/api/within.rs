//! A limit of time on a future, for futures that are mostly ready at once: those cost no timer.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::sleep;

/// What the future came to; `None` where it was not ready within `patience`, from when it had to wait first. It is pinned
/// where it was made: a future that takes another by value has room for it twice.
pub(super) async fn within<T>(
    patience: Duration,
    future: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    before(|| Box::pin(sleep(patience)), future).await
}

/// What the future came to; `None` where the wait was over before, which begins when the future has to wait first.
pub(super) async fn before<T, W: Future<Output = ()> + Unpin>(
    wait: impl Fn() -> W,
    mut future: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    let mut waits = None;
    poll_fn(|cx| {
        if let Poll::Ready(done) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        let wait = waits.get_or_insert_with(&wait);
        Pin::new(wait).poll(cx).map(|()| None)
    })
    .await
}
