//! The two bodies: the request's on its way in, and in `response` the response's on its way out.

mod response;

use std::{
    cell::Cell,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};

pub use self::response::ResponseBody;
use crate::{
    observe::Watch,
    rare::Rare,
    unread::{End, Slot},
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
    loan: Rare<Loan<B>>,
}

/// What the layer wants to know, and do, while the inner service has the body.
pub(crate) struct Loan<B> {
    signal: Option<ContinueSignal>,
    slot: Option<Arc<Slot<B>>>,
    watch: Option<Arc<Watch>>,
    polled: bool,
    end: End,
}

impl<B> ExpectBody<B> {
    #[inline]
    pub(crate) fn plain(body: B) -> Self {
        Self::lent(body, None)
    }

    #[inline]
    pub(crate) fn lent(body: B, loan: Option<Loan<B>>) -> Self {
        Self {
            body: Some(body),
            loan: loan.into(),
        }
    }
}

impl<B> Loan<B> {
    /// `None` if there is nothing to know or do.
    pub(crate) fn new(
        signal: Option<ContinueSignal>,
        slot: Option<Arc<Slot<B>>>,
        watch: Option<Arc<Watch>>,
    ) -> Option<Self> {
        let matters = signal.is_some() || slot.is_some() || watch.is_some();
        matters.then_some(Self {
            signal,
            slot,
            watch,
            polled: false,
            end: End::NotYet,
        })
    }

    #[cold]
    fn first_poll(&mut self) {
        self.polled = true;
        if let Some(slot) = &self.slot {
            slot.polled();
        }
        let signal = self.signal.take();
        if let Some(signal) = &signal {
            signal.fire();
        }
        if let Some(watch) = &self.watch {
            // A nested layer's body may have fired it before.
            watch.polled(signal.map(|signal| signal.has_fired()));
        }
    }

    fn give_back(self, body: Option<B>) {
        if let (Some(slot), Some(body)) = (&self.slot, body) {
            let end = if SPENT.get() { End::Reached } else { self.end };
            slot.give_back(body, end);
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
        let Some(loan) = loan.as_mut() else {
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

impl<B> fmt::Debug for ExpectBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ExpectBody");
        if let Some(loan) = self.loan.as_ref() {
            debug.field("polled", &loan.polled).field("end", &loan.end);
        }
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
