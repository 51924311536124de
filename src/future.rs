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
    signal::CloseOnDrop,
    Rejection, RequestHead,
};

pin_project! {
    /// The future of [`Expect`](crate::Expect): a rejection that is ready, or the inner response.
    ///
    /// # Panics
    ///
    /// If polled after it was ready.
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
        exchange: Option<Exchange>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Admitted { #[pin] future: F },
        // Boxed: the future of the usual case should be small to move.
        Rejected { refused: Option<Box<Refused>> },
        Done,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn admitted(future: F, exchange: Option<Exchange>) -> Self {
        Self {
            state: State::Admitted { future },
            exchange,
        }
    }

    pub(crate) fn rejected(refused: Box<Refused>) -> Self {
        Self {
            state: State::Rejected {
                refused: Some(refused),
            },
            exchange: None,
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
        let result = match this.state.as_mut().project() {
            StateProjection::Admitted { future } => ready!(future.poll(cx)),
            StateProjection::Rejected { refused } => {
                let refused = refused.take().expect("polled after it was ready");
                return Poll::Ready(Ok(refused.into_response()));
            }
            StateProjection::Done => panic!("polled after it was ready"),
        };
        // Whatever the inner future still holds of the request must come back before we look.
        this.state.set(State::Done);
        let exchange = this.exchange.take();
        Poll::Ready(match (exchange, result) {
            (None, Ok(response)) => Ok(response.map(ResponseBody::plain)),
            (Some(exchange), Ok(response)) => Ok(exchange.finish(response)),
            (_, Err(error)) => Err(error),
        })
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
    fn decide<R>(mut self, decision: Result<(), Rejection>) -> ResponseFuture<S::Future>
    where
        S: Service<Request<ExpectBody<B>>, Response = Response<R>>,
    {
        self.signal.0 = None;
        if let Err(rejection) = decision {
            let refused = refuse(rejection, &self.head, self.body, &self.options);
            return ResponseFuture::rejected(refused);
        }
        let request = Request::from_parts(self.head.into_parts(), self.body);
        admit(request, &self.admission, &self.options, |request| {
            self.service.call(request)
        })
    }
}

impl<D, S, B, R> Future for AsyncResponseFuture<D, S, S::Future, B>
where
    D: Future<Output = Result<(), Rejection>>,
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
                        Poll::Ready(decision) => decision,
                        Poll::Pending => Err(ready!(deadline.poll(cx).map(|()| too_late()))),
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
