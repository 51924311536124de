//! The service: decides, then rejects or calls the inner service.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::{
    decision::{decide, Decision},
    exchange::{accept, reject, reject_unasked, ExpectBody, ResponseBody, ResponseFuture},
    future::{AsyncResponseFuture, Pending},
    observe::RejectReason,
    settings::Settings,
    signal::CloseOnDrop,
    validator::{Async, AsyncValidator, Validator},
    ContinueSignal,
};

/// Middleware that decides about requests before their bodies are read, created by
/// [`ExpectLayer`](crate::ExpectLayer).
///
/// `poll_ready` is that of the inner service. A rejection does not call the inner service although it
/// is ready. What readiness has reserved, such as a permit of tower's `ConcurrencyLimit`, is used by the
/// next call, or released when this instance is dropped. Servers such as hyper-util and axum clone the
/// service for each connection or request, and drop the clone.
pub struct Expect<S, V = ()> {
    inner: S,
    settings: Arc<Settings<V>>,
}

impl<S, V> Expect<S, V> {
    pub(crate) fn new(inner: S, settings: Arc<Settings<V>>) -> Self {
        Self { inner, settings }
    }

    /// Returns a reference to the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the inner service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, V, B, R> Service<Request<B>> for Expect<S, V>
where
    S: Service<Request<ExpectBody<B>>, Response = Response<R>>,
    V: Validator,
    B: Body + Send + Unpin + 'static,
    R: Body,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Settings { validator, options } = &*self.settings;
        let mut acceptance = match decide(&request, &options.policy) {
            Decision::Pass => {
                let limit = options.policy.limit_without_body();
                let request = request.map(|body| ExpectBody::new(body, None, limit));
                return ResponseFuture::accepted(self.inner.call(request), None);
            }
            Decision::Accept(acceptance) => acceptance,
            Decision::Reject(bad) => {
                return reject_unasked(&bad, request, options);
            }
        };
        if acceptance.validate {
            let (parts, body) = request.into_parts();
            let head = acceptance.head(parts, body.size_hint());
            let accepted = match validator.validate(&head) {
                Ok(accepted) => accepted,
                Err(rejection) => {
                    return reject(rejection, RejectReason::Validator, &head, body, options);
                }
            };
            let mut parts = head.into_parts();
            let max_body = accepted.into_request_parts(&mut parts);
            let request = Request::from_parts(parts, body);
            return accept(request, &acceptance, options, max_body, |request| {
                self.inner.call(request)
            });
        }
        accept(request, &acceptance, options, None, |request| {
            self.inner.call(request)
        })
    }
}

impl<S, V, B, R> Service<Request<B>> for Expect<S, Async<V>>
where
    S: Service<Request<ExpectBody<B>>, Response = Response<R>> + Clone,
    V: AsyncValidator,
    B: Body + Send + Unpin + 'static,
    R: Body,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = AsyncResponseFuture<V::Future, S, S::Future, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Settings { validator, options } = &*self.settings;
        let mut acceptance = match decide(&request, &options.policy) {
            Decision::Pass => {
                let limit = options.policy.limit_without_body();
                let request = request.map(|body| ExpectBody::new(body, None, limit));
                let inner = self.inner.call(request);
                return AsyncResponseFuture::decided(ResponseFuture::accepted(inner, None));
            }
            Decision::Accept(acceptance) => acceptance,
            Decision::Reject(bad) => {
                let rejected = reject_unasked(&bad, request, options);
                return AsyncResponseFuture::decided(rejected);
            }
        };
        if !acceptance.validate {
            let call = |request| self.inner.call(request);
            return AsyncResponseFuture::decided(accept(request, &acceptance, options, None, call));
        }
        let (parts, body) = request.into_parts();
        let head = acceptance.head(parts, body.size_hint());
        let decision = validator.0.validate(&head);
        // The instance that was made ready is the one to call; its clone may not be ready.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let pending = Pending {
            signal: CloseOnDrop(head.extensions.get::<ContinueSignal>().cloned()),
            service: ready,
            head,
            body,
            acceptance,
            options: Arc::clone(options),
        };
        AsyncResponseFuture::validating(decision, pending)
    }
}

/// Not derived: the validator need not be `Clone`, the settings are shared.
impl<S: Clone, V> Clone for Expect<S, V> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            settings: Arc::clone(&self.settings),
        }
    }
}

impl<S: fmt::Debug, V> fmt::Debug for Expect<S, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expect")
            .field("inner", &self.inner)
            .field("options", &self.settings.options)
            .finish_non_exhaustive()
    }
}
