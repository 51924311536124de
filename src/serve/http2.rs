//! An HTTP/2 connection, on the crate's own.

use std::{
    error::Error,
    future::{poll_fn, Future},
    pin::{pin, Pin},
    task::{Context, Poll},
};

use http::{Extensions, Request, Response};
use http_body::Body;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use super::{preface::Rewound, settings::Settings, IncomingBody};
use crate::http2::RequestBody;

pub(super) async fn serve<I, S, B>(
    io: Rewound<I>,
    service: S,
    info: Extensions,
    settings: &Settings,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    I: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<IncomingBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
{
    let service = WithInfo { service, info };
    let mut connection = settings.http2.serve_connection(io, service);
    let mut closing = false;
    poll_fn(|cx| {
        if !closing && shutdown.as_mut().poll(cx).is_ready() {
            closing = true;
            connection.graceful_shutdown();
        }
        pin!(&mut connection).poll(cx)
    })
    .await
    .map_err(Into::into)
}

/// The service with the body of both versions, and what is known of the connection in each request.
#[derive(Clone)]
struct WithInfo<S> {
    service: S,
    info: Extensions,
}

impl<S> Service<Request<RequestBody>> for WithInfo<S>
where
    S: Service<Request<IncomingBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> S::Future {
        request.extensions_mut().extend(self.info.clone());
        self.service.call(request.map(IncomingBody::http2))
    }
}
