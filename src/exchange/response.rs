//! The response body, on its way out.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::flight::Flight;

pin_project! {
    /// Response body of [`Expect`](crate::Expect): that of the inner service, or that of a rejection.
    ///
    /// Forwards frames, trailers, `size_hint` and `is_end_stream` of either body unchanged. It also keeps the
    /// unread request body until the response has been sent.
    pub struct ResponseBody<B>
    where
        B: Body,
    {
        #[pin]
        inner: Inner<B>,
        // After the inner body: its drop begins the draining, which must not overtake the response.
        guard: Option<Guard>,
    }
}

pin_project! {
    #[project = InnerProjection]
    enum Inner<B>
    where
        B: Body,
    {
        Plain { #[pin] body: B },
        Primed { primed: Box<Primed<B>> },
        Rejection { body: Bytes },
    }
}

type Polled<D, E> = Poll<Option<Result<Frame<D>, E>>>;

/// A body that was polled before its head could leave, and what that gave.
pub(super) struct Primed<B: Body> {
    body: Pin<Box<B>>,
    first: Polled<B::Data, B::Error>,
    /// Before the first poll: not every body takes off what it has given.
    size_hint: SizeHint,
}

/// Lets the exchange know, when it is dropped, that the head of the response is out.
struct Guard(Arc<dyn Flight>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.head_is_out();
    }
}

impl<B: Body> Primed<B> {
    pub(super) fn new(body: B, cx: &mut Context<'_>) -> Self {
        let mut body = Box::pin(body);
        let size_hint = body.size_hint();
        let first = body.as_mut().poll_frame(cx);
        Self {
            body,
            first,
            size_hint,
        }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled<B::Data, B::Error> {
        match std::mem::replace(&mut self.first, Poll::Pending) {
            Poll::Pending => self.body.as_mut().poll_frame(cx),
            first @ Poll::Ready(_) => first,
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.first {
            Poll::Pending => self.body.is_end_stream(),
            Poll::Ready(None) => true,
            Poll::Ready(Some(_)) => false,
        }
    }

    #[allow(
        clippy::clone_on_copy,
        reason = "it is `Copy` only in later versions of http-body than the lowest"
    )]
    fn size_hint(&self) -> SizeHint {
        match &self.first {
            Poll::Pending => self.body.size_hint(),
            Poll::Ready(None) => SizeHint::with_exact(0),
            Poll::Ready(Some(_)) => self.size_hint.clone(),
        }
    }
}

impl<B: Body> ResponseBody<B> {
    #[inline]
    pub(super) fn plain(body: B) -> Self {
        Self::of(Inner::Plain { body })
    }

    pub(super) fn primed(primed: Primed<B>) -> Self {
        let primed = Box::new(primed);
        Self::of(Inner::Primed { primed })
    }

    pub(super) fn rejection(body: Bytes) -> Self {
        Self::of(Inner::Rejection { body })
    }

    #[inline]
    fn of(inner: Inner<B>) -> Self {
        Self { inner, guard: None }
    }

    /// Its length in bytes, if that is known.
    pub(super) fn len(&self) -> Option<u64> {
        match &self.inner {
            Inner::Plain { body } => body.size_hint().exact(),
            Inner::Primed { primed } => primed.size_hint().exact(),
            Inner::Rejection { body } => Some(body.len() as u64),
        }
    }

    /// Keeps the exchange until the head is out.
    pub(super) fn keep(&mut self, exchange: Arc<dyn Flight>) {
        self.guard = Some(Guard(exchange));
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.as_mut().project();
        let polled = match this.inner.project() {
            InnerProjection::Plain { body } => body.poll_frame(cx),
            InnerProjection::Primed { primed } => primed.poll_frame(cx),
            InnerProjection::Rejection { body } => {
                let body = std::mem::take(body);
                let frame = (!body.is_empty()).then(|| Ok(Frame::data(body.into())));
                Poll::Ready(frame)
            }
        };
        // The head is out by now. At the end the server drops this body, which lets the guard go; until
        // then the client may already need to be drained.
        if this.guard.is_some() && !matches!(polled, Poll::Ready(None)) && !self.is_end_stream() {
            *self.project().guard = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Plain { body } => body.is_end_stream(),
            Inner::Primed { primed } => primed.is_end_stream(),
            Inner::Rejection { body } => body.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Plain { body } => body.size_hint(),
            Inner::Primed { primed } => primed.size_hint(),
            Inner::Rejection { body } => SizeHint::with_exact(body.len() as u64),
        }
    }
}

/// For outer layers that respond by themselves, such as tower-http's timeout.
impl<B: Body + Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::plain(B::default())
    }
}

impl<B: Body + fmt::Debug> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ResponseBody");
        match &self.inner {
            Inner::Plain { body } => debug.field("inner", body),
            Inner::Primed { primed } => debug.field("inner", &primed.body),
            Inner::Rejection { body } => debug.field("rejection", &body.len()),
        };
        debug.finish_non_exhaustive()
    }
}
