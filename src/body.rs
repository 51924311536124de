//! The two bodies: the request's on its way in, the response's on its way out.

use std::{
    cell::Cell,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::{
    unread::{End, Guard, Slot},
    ContinueSignal,
};

/// The request body that the inner service gets.
///
/// Frames, trailers, size hint and end are those of the body inside. The first poll of an expecting
/// request's body sends the 100: hyper does it by itself on HTTP/1.1, elsewhere the
/// [`ContinueSignal`] is fired.
///
/// If it is dropped before its end, the unread rest goes back to the layer, which reads it after the
/// response, so that the client can finish sending and see the answer. This is why the body inside
/// must be `Unpin`, as those of hyper, axum and tonic are: what was pinned could not be handed back.
/// Wrap others in `Box::pin`.
///
/// # Cancel safety
///
/// A poll that is pending loses nothing if it is not repeated.
pub struct ExpectBody<B> {
    /// `None` only when dropped.
    body: Option<B>,
    /// `None` if nobody cares how far the body is read.
    loan: Option<Loan<B>>,
}

/// What the layer wants to know, and do, while the inner service has the body.
struct Loan<B> {
    signal: Option<ContinueSignal>,
    slot: Option<Arc<Slot<B>>>,
    polled: bool,
    end: End,
}

impl<B> ExpectBody<B> {
    /// The body of a request without content.
    #[inline]
    pub(crate) fn plain(body: B) -> Self {
        Self {
            body: Some(body),
            loan: None,
        }
    }

    pub(crate) fn lent(
        body: B,
        signal: Option<ContinueSignal>,
        slot: Option<Arc<Slot<B>>>,
    ) -> Self {
        let loan = Loan {
            signal,
            slot,
            polled: false,
            end: End::NotYet,
        };
        Self {
            body: Some(body),
            loan: Some(loan),
        }
    }
}

impl<B> Loan<B> {
    #[cold]
    fn first_poll(&mut self) {
        self.polled = true;
        if let Some(slot) = &self.slot {
            slot.polled();
        }
        if let Some(signal) = self.signal.take() {
            signal.fire();
        }
    }
}

impl<B: Body + Unpin> Body for ExpectBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let Self { body, loan } = &mut *self;
        let Some(body) = body else {
            return Poll::Ready(None);
        };
        let Some(loan) = loan else {
            return Pin::new(body).poll_frame(cx);
        };
        if !loan.polled {
            loan.first_poll();
        }
        let polled = Pin::new(&mut *body).poll_frame(cx);
        match polled {
            Poll::Ready(None) => loan.end = End::Reached,
            Poll::Ready(Some(Ok(_))) if body.is_end_stream() => loan.end = End::Reached,
            Poll::Ready(Some(Err(_))) => loan.end = End::Broken,
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().map_or(true, Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B> Drop for ExpectBody<B> {
    #[inline]
    fn drop(&mut self) {
        if let Some(loan) = self.loan.take() {
            loan.give_back(self.body.take());
        }
    }
}

impl<B> Loan<B> {
    fn give_back(self, body: Option<B>) {
        if let (Some(slot), Some(body)) = (&self.slot, body) {
            let end = if SPENT.get() { End::Reached } else { self.end };
            slot.give_back(body, end);
        }
    }
}

impl<B> fmt::Debug for ExpectBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ExpectBody");
        if let Some(loan) = &self.loan {
            debug.field("polled", &loan.polled).field("end", &loan.end);
        }
        debug.finish_non_exhaustive()
    }
}

pin_project! {
    /// The response body that the server gets: the inner service's, or the content of a rejection.
    ///
    /// Frames, trailers, size hint and end are exactly those. It also keeps what is unread of the
    /// request's body until the response has gone out.
    pub struct ResponseBody<B> {
        // `None` for a rejection.
        #[pin]
        inner: Option<B>,
        // After the content: its drop begins the reading, which must not overtake the response.
        rest: Option<Rest>,
    }
}

/// What an inner body does not have.
struct Rest {
    rejection: Bytes,
    guard: Option<Guard>,
}

impl<B> ResponseBody<B> {
    #[inline]
    pub(crate) fn plain(body: B) -> Self {
        Self {
            inner: Some(body),
            rest: None,
        }
    }

    pub(crate) fn guarded(body: B, guard: Option<Guard>) -> Self {
        let rejection = Bytes::new();
        Self {
            inner: Some(body),
            rest: guard.map(|guard| Rest {
                rejection,
                guard: Some(guard),
            }),
        }
    }

    pub(crate) fn rejected(rejection: Bytes, guard: Option<Guard>) -> Self {
        Self {
            inner: None,
            rest: Some(Rest { rejection, guard }),
        }
    }

    fn rejection(&self) -> &[u8] {
        self.rest.as_ref().map_or(&[], |rest| &rest.rejection)
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
        let polled = match (this.inner.as_pin_mut(), this.rest.as_mut()) {
            (Some(body), None) => return body.poll_frame(cx),
            (Some(body), Some(_)) => body.poll_frame(cx),
            (None, rest) => {
                let content = rest.map(|rest| std::mem::take(&mut rest.rejection));
                let content = content.filter(|content| !content.is_empty());
                Poll::Ready(content.map(|content| Ok(Frame::data(content.into()))))
            }
        };
        // The head is out by now. At the end of the content the server drops this body, which lets
        // the guard go; until then the client may already need to be read from.
        let ended = matches!(polled, Poll::Ready(None)) || self.is_end_stream();
        if !ended {
            if let Some(rest) = self.project().rest {
                drop(rest.guard.take());
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Some(body) => body.is_end_stream(),
            None => self.rejection().is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(self.rejection().len() as u64),
        }
    }
}

/// For outer layers that answer by themselves, such as tower-http's timeout.
impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::plain(B::default())
    }
}

impl<B: fmt::Debug> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ResponseBody");
        match &self.inner {
            Some(body) => debug.field("inner", body),
            None => debug.field("rejection", &self.rejection().len()),
        };
        debug.finish_non_exhaustive()
    }
}

thread_local! {
    /// Whether a body is being dropped that has been read on already.
    static SPENT: Cell<bool> = const { Cell::new(false) };
}

#[cfg_attr(not(feature = "tokio"), allow(dead_code, reason = "nothing reads on"))]
/// Drops a body that has been read on as far as its bounds allow.
///
/// There may be the [`ExpectBody`] of an outer layer inside, under boxes that hide its type. It must
/// not begin to read on anew.
pub(crate) fn drop_spent<B>(body: B) {
    struct Restore(bool);

    impl Drop for Restore {
        fn drop(&mut self) {
            SPENT.set(self.0);
        }
    }

    // Also if the body's own `Drop` panics.
    let _restore = Restore(SPENT.replace(true));
    drop(body);
}
