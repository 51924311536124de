//! The response future.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{ready, Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{
    exchange::{Begun, Exchange},
    request_body::WaitingBody,
    response_body::ResponseBody,
    BoxError,
};

pin_project! {
    /// Response future of [`ExpectContinue`](super::ExpectContinue). `F` is the future of the wrapped client
    /// `S`.
    ///
    /// It holds the timer: a body waits longer if this future is not polled.
    // Without a bound that ties the parameters: for one, the compiler can't tell that a task with this
    // future in it is `Send` where `B` has a `Box<dyn Error>` in it (rust-lang/rust#110338).
    pub struct ResponseFuture<F, S, B> {
        // `None` while a repeat waits for the service: what the first call still holds, such as a place
        // under a limit, may be what it waits for.
        #[pin]
        call: Option<F>,
        exchange: Option<Box<Exchange<S, B>>>,
    }
}

impl<F, S, B> ResponseFuture<F, S, B> {
    pub(super) fn passing(call: F) -> Self {
        Self {
            call: Some(call),
            exchange: None,
        }
    }

    pub(super) fn of((call, exchange): Begun<F, S, B>) -> Self {
        Self {
            call: Some(call),
            exchange,
        }
    }
}

impl<S, B, R> Future for ResponseFuture<S::Future, S, B>
where
    S: Service<Request<WaitingBody<B>>, Response = Response<R>>,
    B: Body + Send + 'static,
    B::Error: Into<BoxError>,
    R: Body,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let Some(exchange) = this.exchange else {
                let call = this.call.as_pin_mut().expect("polled after it was ready");
                let response = ready!(call.poll(cx))?;
                return Poll::Ready(Ok(response.map(ResponseBody::plain)));
            };
            if let Some(begun) = ready!(exchange.poll_repeat(cx)) {
                let (call, exchange) = begun?;
                this.call.set(Some(call));
                *this.exchange = exchange;
                continue;
            }
            let patience = exchange.poll_patience(cx);
            let call = this.call.as_mut().as_pin_mut();
            match call.expect("polled after it was ready").poll(cx) {
                Poll::Ready(result) => {
                    let settled = exchange.settle(result);
                    this.call.set(None);
                    if let Some(result) = settled {
                        return Poll::Ready(result);
                    }
                }
                Poll::Pending => {
                    exchange.act(patience);
                    return Poll::Pending;
                }
            }
        }
    }
}

impl<F, S, B> fmt::Debug for ResponseFuture<F, S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
