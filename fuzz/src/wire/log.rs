//! The requests of a connection, as the server has understood them.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use http::{header::EXPECT, HeaderValue, Method, Request, Response, Version};
use http_body::Body;
use tower::Service;

#[derive(Debug)]
pub struct Call {
    pub path: String,
    pub method: Method,
    /// Whether it is HTTP/1.1 with anything but empty list members in `Expect`.
    pub expects: bool,
    pub content: bool,
}

/// The requests of a connection in their order.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<Call>>>);

impl Log {
    /// Notes the request and returns its number.
    fn add<B: Body>(&self, request: &Request<B>) -> usize {
        let says = |line: &HeaderValue| line.as_bytes().iter().any(|byte| !b" \t,".contains(byte));
        let mut expect = request.headers().get_all(EXPECT).iter();
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(Call {
            path: request.uri().path().to_owned(),
            method: request.method().clone(),
            expects: request.version() == Version::HTTP_11 && expect.any(says),
            content: !request.body().is_end_stream(),
        });
        calls.len() - 1
    }

    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Outside of the layer: numbers requests, and their responses by a field `x-number`.
#[derive(Clone)]
pub struct Numbering<S> {
    inner: S,
    log: Log,
}

impl<S> Numbering<S> {
    pub fn new(inner: S, log: Log) -> Self {
        Self { inner, log }
    }
}

impl<S, B, R> Service<Request<B>> for Numbering<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: 'static,
    B: Body,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let number = self.log.add(&request);
        let response = self.inner.call(request);
        Box::pin(async move {
            let mut response = response.await?;
            response.headers_mut().insert("x-number", number.into());
            Ok(response)
        })
    }
}
