//! From the inner future's response to the one that may leave.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{ready, Context, Poll},
};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::{
    flight::{Before, Done, Flight},
    held::{cannot_switch, leave, Held, Settled},
    outcome::Outcome,
    response::ResponseBody,
};
use crate::deadline::Deadline;

pin_project! {
    /// Response future of [`Expect`](crate::Expect).
    ///
    /// # Panics
    ///
    /// It may panic if it is polled after it was ready.
    pub struct ResponseFuture<F>
    where
        F: Future,
        F::Output: Outcome,
    {
        // `None` once it is ready, and for a rejection.
        #[pin]
        inner: Option<F>,
        // Boxed: most responses leave at once.
        settling: Slot<F::Output>,
        // Last: what the others hold of the request comes back before the exchange is left.
        flight: InFlight,
    }
}

/// Abandons the exchange when it is dropped.
struct InFlight(Option<Arc<dyn Flight>>);

impl Drop for InFlight {
    #[inline]
    fn drop(&mut self) {
        if let Some(flight) = self.0.take() {
            flight.abandon();
        }
    }
}

type Slot<O> = Option<Box<Settling<O>>>;

/// A response that is there but may not leave yet.
struct Settling<O: Outcome> {
    held: Held<O>,
    /// `None` if that has not been asked yet.
    next: Option<Before>,
    done: Done,
    wait: Option<Deadline>,
    // The lock is never taken: it makes `Sync` what is only `Send`.
    drain: Option<Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>>,
}

impl<F> ResponseFuture<F>
where
    F: Future,
    F::Output: Outcome,
{
    /// The response of the inner service, settled with the exchange if there is one.
    #[inline]
    pub(crate) fn accepted(inner: F, flight: Option<Arc<dyn Flight>>) -> Self {
        Self {
            inner: Some(inner),
            settling: None,
            flight: InFlight(flight),
        }
    }

    pub(super) fn rejected(response: Response<Bytes>, flight: Option<Arc<dyn Flight>>) -> Self {
        Self {
            inner: None,
            settling: Some(Box::new(Settling::of(Held::Rejection(response), None))),
            flight: InFlight(flight),
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.settling.is_none() {
            let inner = this.inner.as_mut().as_pin_mut();
            let result = ready!(inner.expect("polled after it was ready").poll(cx));
            if this.flight.0.is_none() {
                return Poll::Ready(result.map(|response| response.map(ResponseBody::plain)));
            }
            // Whatever the inner future still holds of the request must come back before we look.
            this.inner.set(None);
            return settle_first(result, this.settling, &mut this.flight.0, cx);
        }
        settle(this.settling, &mut this.flight.0, cx)
    }
}

/// Apart from `poll`, so that this can be inlined where there is nothing to settle.
#[inline(never)]
fn settle_first<R: Body, E>(
    result: Result<Response<R>, E>,
    settling: &mut Slot<Result<Response<R>, E>>,
    exchange: &mut Option<Arc<dyn Flight>>,
    cx: &mut Context<'_>,
) -> Poll<Result<Response<ResponseBody<R>>, E>> {
    if let Some(flight) = exchange {
        let status = result.as_ref().map(Response::status).ok();
        let next = flight.before(status, Done::default());
        if !matches!(next, Before::Nothing) {
            *settling = Some(Box::new(Settling::of(Held::Ready(result), Some(next))));
            return settle(settling, exchange, cx);
        }
    }
    Poll::Ready(leave(result, exchange.take()))
}

#[inline(never)]
fn settle<O: Outcome>(
    settling: &mut Slot<O>,
    exchange: &mut Option<Arc<dyn Flight>>,
    cx: &mut Context<'_>,
) -> Poll<Settled<O>> {
    if let (Some(settling), Some(flight)) = (settling.as_mut(), exchange.as_ref()) {
        ready!(settling.poll_may_leave(flight, cx));
    }
    let settled = settling.take().expect("polled after it was ready");
    Poll::Ready(settled.held.leave(exchange.take()))
}

impl<O: Outcome> Settling<O> {
    fn of(held: Held<O>, next: Option<Before>) -> Self {
        Self {
            held,
            next,
            done: Done::default(),
            wait: None,
            drain: None,
        }
    }

    /// Does what must be done before the response leaves.
    fn poll_may_leave(&mut self, flight: &Arc<dyn Flight>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(deadline) = &mut self.wait {
                if flight.poll_asked(cx).is_pending() {
                    ready!(deadline.poll(cx));
                }
                self.wait = None;
            }
            if let Some(drain) = &mut self.drain {
                let drain = drain.get_mut().unwrap_or_else(PoisonError::into_inner);
                ready!(drain.as_mut().poll(cx));
                self.drain = None;
            }
            let ask = || flight.before(self.held.status(), self.done);
            match self.next.take().unwrap_or_else(ask) {
                Before::Nothing => return Poll::Ready(()),
                Before::TurnOfAsked => {
                    self.done.turn_of_asked = true;
                    return turn(cx);
                }
                Before::TurnOfDropped => {
                    self.done.turn_of_dropped = true;
                    return turn(cx);
                }
                Before::AwaitAsking => {
                    self.done.wait = true;
                    self.wait = Deadline::soon();
                }
                Before::Prime => {
                    self.done.prime = true;
                    self.held.prime(cx);
                }
                Before::Drain(bounds) => {
                    self.done.drain = true;
                    self.drain = Some(Mutex::new(Arc::clone(flight).drain_first(bounds)));
                }
                Before::Fail => self.held = Held::Rejection(cannot_switch()),
            }
        }
    }
}

/// Lets the connection run once.
fn turn(cx: &Context<'_>) -> Poll<()> {
    cx.waker().wake_by_ref();
    Poll::Pending
}

impl<F> fmt::Debug for ResponseFuture<F>
where
    F: Future,
    F::Output: Outcome,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
