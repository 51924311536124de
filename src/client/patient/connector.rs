//! A connector of hyper-util whose sockets are patient.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{ready, Context, Poll},
};

use http::Uri;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::PatientStream;

/// Connector for hyper-util's legacy `Client` whose connections are [`PatientStream`]s.
///
/// With TLS, wrap the connector that does the TLS, such as hyper-rustls's `HttpsConnector`.
#[derive(Clone, Copy, Debug)]
pub struct PatientConnector<C>(C);

impl<C> PatientConnector<C> {
    /// Creates a connector from another.
    pub fn new(connector: C) -> Self {
        Self(connector)
    }

    /// Returns a reference to the wrapped connector.
    pub fn get_ref(&self) -> &C {
        &self.0
    }

    /// Returns a mutable reference to the wrapped connector.
    pub fn get_mut(&mut self) -> &mut C {
        &mut self.0
    }

    /// Returns the wrapped connector, without this one.
    pub fn into_inner(self) -> C {
        self.0
    }
}

impl<C: Service<Uri>> Service<Uri> for PatientConnector<C> {
    type Response = PatientStream<C::Response>;
    type Error = C::Error;
    type Future = PatientConnectorFuture<C::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        PatientConnectorFuture {
            connect: self.0.call(uri),
        }
    }
}

pin_project! {
    /// Future of a connection of [`PatientConnector`].
    pub struct PatientConnectorFuture<F> {
        #[pin]
        connect: F,
    }
}

impl<F, Io, E> Future for PatientConnectorFuture<F>
where
    F: Future<Output = Result<Io, E>>,
{
    type Output = Result<PatientStream<Io>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let io = ready!(self.project().connect.poll(cx))?;
        Poll::Ready(Ok(PatientStream::new(io)))
    }
}

impl<F> fmt::Debug for PatientConnectorFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientConnectorFuture")
            .finish_non_exhaustive()
    }
}
