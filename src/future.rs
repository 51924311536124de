//! The futures of the service.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{ready, Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{
    body::{ExpectBody, ResponseBody},
    deadline::Deadline,
    decision::Admission,
    exchange::{admit, refuse, Exchange, Refused},
    layer::Options,
    rare::Rare,
    signal::CloseOnDrop,
    Accepted, RejectReason, Rejection, RequestHead,
};

pin_project! {
    /// The future of [`Expect`](crate::Expect): a rejection that is ready, or the inner response.
    ///
    /// # Panics
    ///
    /// It may, if polled after it was ready.
    pub struct ResponseFuture<F> {
        // `None` for a rejection.
        #[pin]
        inner: Option<F>,
        rest: Rare<Rest>,
    }
}

/// What there is to do but to wait for the inner response.
enum Rest {
    Exchange(Exchange),
    // Boxed: the future of the usual case should be small to move.
    Refused(Box<Refused>),
}

impl<F> ResponseFuture<F> {
    pub(crate) fn passed(inner: F) -> Self {
        Self {
            inner: Some(inner),
            rest: Rare::from(None),
        }
    }

    pub(crate) fn admitted(inner: F, exchange: Exchange) -> Self {
        Self {
            inner: Some(inner),
            rest: Some(Rest::Exchange(exchange)).into(),
        }
    }

    pub(crate) fn rejected(refused: Box<Refused>) -> Self {
        Self {
            inner: None,
            rest: Some(Rest::Refused(refused)).into(),
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(Ok(rejection(this.rest.take())));
        };
        let result = ready!(inner.poll(cx));
        if this.rest.is_none() {
            return Poll::Ready(result.map(|response| response.map(ResponseBody::plain)));
        }
        // Whatever the inner future still holds of the request must come back before we look.
        this.inner.set(None);
        let rest = this.rest.take();
        Poll::Ready(result.map(|response| settle(rest, response)))
    }
}

/// Apart from `poll`, so that this can be inlined where there is nothing to do.
#[inline(never)]
fn settle<R: Body>(rest: Option<Rest>, mut response: Response<R>) -> Response<ResponseBody<R>> {
    let guard = match rest {
        Some(Rest::Exchange(exchange)) => exchange.finish(&mut response),
        _ => None,
    };
    response.map(|body| ResponseBody::guarded(body, guard))
}

#[cold]
fn rejection<R>(rest: Option<Rest>) -> Response<ResponseBody<R>> {
    match rest {
        Some(Rest::Refused(refused)) => refused.into_response(),
        _ => panic!("polled after it was ready"),
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`Expect`](crate::Expect) with an [`AsyncValidator`](crate::AsyncValidator).
    ///
    /// # Panics
    ///
    /// If polled after it was ready.
    pub struct AsyncResponseFuture<D, S, F, B> {
        #[pin]
        state: AsyncState<D, S, F, B>,
    }
}

pin_project! {
    #[project = AsyncStateProjection]
    enum AsyncState<D, S, F, B> {
        Validating { #[pin] decision: D, deadline: Deadline, pending: Option<Pending<S, B>> },
        Decided { #[pin] response: ResponseFuture<F> },
    }
}

/// What waits while the validator decides.
pub(crate) struct Pending<S, B> {
    pub(crate) signal: CloseOnDrop,
    pub(crate) service: S,
    pub(crate) head: RequestHead,
    pub(crate) body: B,
    pub(crate) admission: Admission,
    pub(crate) options: Arc<Options>,
}

impl<D, S, F, B> AsyncResponseFuture<D, S, F, B> {
    pub(crate) fn validating(decision: D, pending: Pending<S, B>) -> Self {
        let deadline = Deadline::after(pending.options.decision_timeout);
        let pending = Some(pending);
        Self {
            state: AsyncState::Validating {
                decision,
                deadline,
                pending,
            },
        }
    }

    pub(crate) fn decided(response: ResponseFuture<F>) -> Self {
        Self {
            state: AsyncState::Decided { response },
        }
    }
}

impl<S, B> Pending<S, B>
where
    B: Body + Send + Unpin + 'static,
{
    fn decide<R>(
        mut self,
        decision: Result<Accepted, (Rejection, RejectReason)>,
    ) -> ResponseFuture<S::Future>
    where
        S: Service<Request<ExpectBody<B>>, Response = Response<R>>,
    {
        self.signal.0 = None;
        let accepted = match decision {
            Ok(accepted) => accepted,
            Err((rejection, reason)) => {
                let refused = refuse(rejection, reason, &self.head, self.body, &self.options);
                return ResponseFuture::rejected(refused);
            }
        };
        let mut parts = self.head.into_parts();
        let _max_body = accepted.into_request_parts(&mut parts);
        let request = Request::from_parts(parts, self.body);
        admit(request, &self.admission, &self.options, |request| {
            self.service.call(request)
        })
    }
}

impl<D, S, B, R> Future for AsyncResponseFuture<D, S, S::Future, B>
where
    D: Future<Output = Result<Accepted, Rejection>>,
    S: Service<Request<ExpectBody<B>>, Response = Response<R>>,
    B: Body + Send + Unpin + 'static,
    R: Body,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let response = match this.state.as_mut().project() {
                AsyncStateProjection::Validating {
                    decision,
                    deadline,
                    pending,
                } => {
                    let decision = match decision.poll(cx) {
                        Poll::Ready(decision) => {
                            decision.map_err(|no| (no, RejectReason::Validator))
                        }
                        Poll::Pending => {
                            ready!(deadline.poll(cx));
                            Err((too_late(), RejectReason::TimedOut))
                        }
                    };
                    let pending = pending.take().expect("polled after it was ready");
                    pending.decide(decision)
                }
                AsyncStateProjection::Decided { response } => return response.poll(cx),
            };
            this.state.set(AsyncState::Decided { response });
        }
    }
}

fn too_late() -> Rejection {
    Rejection::service_unavailable(Duration::from_secs(1))
        .with_message("the server could not decide in time; repeat the request later")
}

impl<D, S, F, B> fmt::Debug for AsyncResponseFuture<D, S, F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decided = matches!(self.state, AsyncState::Decided { .. });
        f.debug_struct("AsyncResponseFuture")
            .field("decided", &decided)
            .finish_non_exhaustive()
    }
}
