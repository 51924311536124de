//! The response's body.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{ready, Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::gate::Gate;

pin_project! {
    /// Response body of [`ExpectContinue`](super::ExpectContinue), which forwards that of the wrapped client.
    ///
    /// If the response arrived before the request's body was sent, the end or drop of this body closes the
    /// connection (HTTP/1.1) or resets the stream (HTTP/2), because the server may still wait for the request's
    /// body.
    pub struct ResponseBody<R> {
        #[pin]
        body: R,
        owed: Option<Owed>,
        ended: bool,
    }
}

/// The request's body is owed until the response has been read.
struct Owed(Arc<Gate>);

impl Drop for Owed {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl<R: Body> ResponseBody<R> {
    pub(super) fn plain(body: R) -> Self {
        Self {
            body,
            owed: None,
            ended: false,
        }
    }

    pub(super) fn of_withheld(body: R, gate: Arc<Gate>) -> Self {
        let ended = body.is_end_stream();
        let owed = Owed(gate);
        Self {
            body,
            owed: (!ended).then_some(owed),
            ended,
        }
    }
}

impl<R: Body> Body for ResponseBody<R> {
    type Data = R::Data;
    type Error = R::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<R::Data>, R::Error>>> {
        let mut this = self.project();
        // On HTTP/2, the reset that ends the request's body would make an error of the end of this one.
        if *this.ended {
            return Poll::Ready(None);
        }
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        if this.owed.is_some()
            && (matches!(frame, None | Some(Err(_))) || this.body.is_end_stream())
        {
            *this.ended = true;
            *this.owed = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.ended {
            SizeHint::with_exact(0)
        } else {
            self.body.size_hint()
        }
    }
}

impl<R> fmt::Debug for ResponseBody<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}
