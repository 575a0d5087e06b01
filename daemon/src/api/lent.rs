//! A request's body on loan to the router: one that no handler has touched is heard out, because a sender that is cut off
//! while it still sends never reads the answer.

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// The body in the hands of a handler; dropped untouched, it goes back.
struct Lent<B> {
    body: Option<B>,
    back: Option<oneshot::Sender<B>>,
}

/// Where it comes back.
pub(super) struct Rest<B>(oneshot::Receiver<B>);

/// Lends a body.
pub(super) fn lend<B>(body: B) -> (Body, Rest<B>)
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Unpin + Send + 'static,
{
    let (back, rest) = oneshot::channel();
    let lent = Lent {
        body: Some(body),
        back: Some(back),
    };
    (Body::new(lent), Rest(rest))
}

impl<B: HttpBody> Rest<B> {
    /// The body, where the handler is done and has not begun to read it.
    pub(super) fn unread(mut self) -> Option<B> {
        self.0.try_recv().ok().filter(|body| !body.is_end_stream())
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Lent<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        // Whoever begins to read takes care of the rest.
        self.back = None;
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl<B> Drop for Lent<B> {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take()) {
            // Nobody wants it back where the request has ended.
            let _ = back.send(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};

    #[tokio::test]
    async fn what_was_not_read_comes_back() {
        let full = || Full::new(Bytes::from_static(b"{}"));
        let (body, rest) = lend(full());
        drop(body);
        assert!(rest.unread().is_some());
        let (body, rest) = lend(full());
        assert_eq!(body.collect().await.expect("read").to_bytes(), "{}");
        assert!(rest.unread().is_none());
        let (_kept, rest) = lend(full());
        assert!(rest.unread().is_none());
    }
}
