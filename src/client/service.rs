//! The service.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    exchange::{passing, Exchange},
    future::ResponseFuture,
    plan::plan,
    request_body::WaitingBody,
    response_body::ResponseBody,
    settings::Settings,
    BoxError,
};

/// Middleware whose requests wait for a 100 before they send their body, created by
/// [`ExpectContinueLayer`](super::ExpectContinueLayer).
///
/// See the [module](super) for the outcomes.
#[derive(Clone)]
pub struct ExpectContinue<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> ExpectContinue<S> {
    pub(super) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }

    /// Returns a reference to the wrapped client.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the wrapped client.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the wrapped client, without this service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, R> Service<Request<B>> for ExpectContinue<S>
where
    S: Service<Request<WaitingBody<B>>, Response = Response<R>> + Clone,
    B: Body + Send + 'static,
    B::Error: Into<BoxError>,
    R: Body,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture<S::Future, S, B> {
        let (mut head, body) = request.into_parts();
        let Some(expect) = plan(&mut head, &body, self.settings.min_length) else {
            let request = passing(Request::from_parts(head, body));
            return ResponseFuture::passing(self.inner.call(request));
        };
        let host = self.settings.host(&head);
        if host.as_ref().is_some_and(|host| self.settings.knows(host)) {
            expect.remove(&mut head.headers);
            let request = passing(Request::from_parts(head, body));
            return ResponseFuture::passing(self.inner.call(request));
        }
        // What is ready is this one, not its clone.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        let request = Request::from_parts(head, body);
        ResponseFuture::of(Exchange::begin(
            ready,
            request,
            expect,
            host,
            &self.settings,
        ))
    }
}

impl<S: fmt::Debug> fmt::Debug for ExpectContinue<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpectContinue")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
