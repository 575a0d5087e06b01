//! A large body in pieces, so that what a connection copies of it at a time, and keeps room for, stays small.

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Bytes of a piece.
const PIECE: usize = 16 * 1024;

/// A body whose frames have at most [`PIECE`] bytes.
pub(super) struct Pieces {
    body: Body,
    rest: Bytes,
}

impl Pieces {
    /// The same body, in pieces where it is not small.
    pub(super) fn of(body: Body) -> Body {
        let most = body.size_hint().upper().and_then(|n| n.try_into().ok());
        if most.is_some_and(|bytes: usize| bytes <= PIECE) {
            return body;
        }
        Body::new(Pieces {
            body,
            rest: Bytes::new(),
        })
    }
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)).map(|f| f.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(why)) => return Poll::Ready(Some(Err(why))),
                None => return Poll::Ready(None),
            }
        }
        let piece = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn a_large_body_comes_in_pieces_and_tells_its_length() {
        let bytes: Vec<u8> = (0..=250).cycle().take(PIECE * 2 + 7).collect();
        let mut body = Pieces::of(Body::from(bytes.clone()));
        let mut read = Vec::new();
        while !body.is_end_stream() {
            let left = (bytes.len() - read.len()) as u64;
            assert_eq!(body.size_hint().exact(), Some(left));
            let frame = body.frame().await.expect("a frame").expect("no error");
            let data = frame.into_data().expect("data");
            assert!(data.len() <= PIECE);
            read.extend_from_slice(&data);
        }
        assert_eq!(read, bytes);
    }
}
