//! The future of a service whose validator is asynchronous.

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
    deadline::Deadline,
    decision::Acceptance,
    exchange::{accept, reject, ExpectBody, Outcome, ResponseBody, ResponseFuture},
    observe::RejectReason,
    settings::Options,
    signal::CloseOnDrop,
    Accepted, Rejection, RequestHead,
};

pin_project! {
    /// Response future of [`Expect`](crate::Expect) with an [`AsyncValidator`](crate::AsyncValidator).
    ///
    /// # Panics
    ///
    /// If it is polled after it was ready.
    pub struct AsyncResponseFuture<D, S, F, B>
    where
        F: Future,
        F::Output: Outcome,
    {
        #[pin]
        state: AsyncState<D, S, F, B>,
    }
}

pin_project! {
    #[project = AsyncStateProjection]
    enum AsyncState<D, S, F, B>
    where
        F: Future,
        F::Output: Outcome,
    {
        Validating { #[pin] decision: D, deadline: Deadline, pending: Option<Pending<S, B>> },
        Decided { #[pin] response: ResponseFuture<F> },
    }
}

/// What is kept while the validator decides.
pub(crate) struct Pending<S, B> {
    pub(crate) signal: CloseOnDrop,
    pub(crate) service: S,
    pub(crate) head: RequestHead,
    pub(crate) body: B,
    pub(crate) acceptance: Acceptance,
    pub(crate) options: Arc<Options>,
}

impl<D, S, F, B> AsyncResponseFuture<D, S, F, B>
where
    F: Future,
    F::Output: Outcome,
{
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
        R: Body,
    {
        self.signal.0 = None;
        let accepted = match decision {
            Ok(accepted) => accepted,
            Err((rejection, reason)) => {
                return reject(rejection, reason, &self.head, self.body, &self.options);
            }
        };
        let mut parts = self.head.into_parts();
        let max_body = accepted.into_request_parts(&mut parts);
        let request = Request::from_parts(parts, self.body);
        accept(
            request,
            &self.acceptance,
            &self.options,
            max_body,
            |request| self.service.call(request),
        )
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
                            decision.map_err(|rejection| (rejection, RejectReason::Validator))
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

impl<D, S, F, B> fmt::Debug for AsyncResponseFuture<D, S, F, B>
where
    F: Future,
    F::Output: Outcome,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decided = matches!(self.state, AsyncState::Decided { .. });
        f.debug_struct("AsyncResponseFuture")
            .field("decided", &decided)
            .finish_non_exhaustive()
    }
}
