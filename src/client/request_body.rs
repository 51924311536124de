//! The request's body, on its way to the connection.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{ready, Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{gate::Gate, unsent::Unsent, BoxError};

pin_project! {
    /// Request body that the wrapped client receives: withheld until the server sends a 100.
    ///
    /// Forwards frames, trailers and `size_hint` of `B` unchanged, at once if it need not wait. It is `Unpin`,
    /// `Send` and `Sync` if `B` is.
    pub struct WaitingBody<B> {
        #[pin]
        body: Option<B>,
        wait: Option<Wait<B>>,
    }
}

struct Wait<B> {
    gate: Arc<Gate>,
    body: Unsent<B>,
    hint: SizeHint,
}

impl<B> WaitingBody<B> {
    pub(super) fn passing(body: B) -> Self {
        Self {
            body: Some(body),
            wait: None,
        }
    }

    pub(super) fn waiting(gate: Arc<Gate>, body: Unsent<B>, hint: SizeHint) -> Self {
        Self {
            body: None,
            wait: Some(Wait { gate, body, hint }),
        }
    }
}

impl<B> Body for WaitingBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let mut this = self.project();
        if let Some(wait) = this.wait {
            if let Err(error) = ready!(wait.gate.poll_open(cx)) {
                return Poll::Ready(Some(Err(error.into())));
            }
            this.body.set(wait.body.take());
            *this.wait = None;
        }
        match this.body.as_pin_mut() {
            Some(body) => body
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(Into::into))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Some(body) => body.is_end_stream(),
            None => self.wait.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.body, &self.wait) {
            (Some(body), _) => body.size_hint(),
            (None, Some(wait)) => SizeHint::clone(&wait.hint),
            (None, None) => SizeHint::with_exact(0),
        }
    }
}

impl<B> fmt::Debug for WaitingBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitingBody")
            .field("waiting", &self.wait.is_some())
            .finish_non_exhaustive()
    }
}
