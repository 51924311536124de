//! One connection, by the version that the client speaks.

use std::{
    error::Error,
    future::{poll_fn, Future},
    pin::{pin, Pin},
    sync::{Arc, LazyLock},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tower_service::Service;

use super::{
    preface::{sniff, Rewound},
    IncomingBody,
};
use crate::{
    exchange::{accept_under_server, Turns},
    http2, Linger, LingerStream,
};

/// The bounds within which a body is drained before a 101.
static AT_SOCKET: LazyLock<Arc<Linger>> = LazyLock::new(|| Arc::new(Linger::at_socket()));

/// As long as hyper waits for the head of an HTTP/1 request.
const FIRST_BYTES: Duration = Duration::from_secs(30);

/// Serves one connection, HTTP/1 or HTTP/2 as its first bytes tell.
///
/// For streams that [`serve`](crate::serve()) cannot accept by itself, such as TLS. There, offer `h2`
/// and `http/1.1` by ALPN; what the client then sends decides.
///
/// When `shutdown` is ready, what has begun is finished, and the connection closed. Pass
/// [`std::future::pending()`] for never. A client that neither reads nor closes is waited for.
///
/// # Errors
///
/// Those of reading and writing, and of clients in breach of the protocol. Most servers do nothing
/// about them. A client that sends nothing for 30 s is closed without an error.
///
/// # Panics
///
/// If polled outside of a tokio runtime.
///
/// # Cancel safety
///
/// Dropping the future closes the connection at once.
pub async fn serve_connection<I, S, B>(
    io: I,
    service: S,
    http2: http2::Builder,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<IncomingBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: From<Bytes> + Send,
    B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
{
    let mut shutdown = pin!(shutdown);
    let sniffed = {
        let mut sniffed = pin!(timeout(FIRST_BYTES, sniff(io)));
        poll_fn(|cx| match sniffed.as_mut().poll(cx) {
            Poll::Ready(sniffed) => Poll::Ready(sniffed.ok()),
            // Nothing has been asked yet.
            Poll::Pending => shutdown.as_mut().poll(cx).map(|()| None),
        })
        .await
    };
    match sniffed.transpose()? {
        Some((true, io)) => serve_http2(io, service, &http2, shutdown).await,
        Some((false, io)) => serve_http1(io, service, shutdown).await,
        None => Ok(()),
    }
}

async fn serve_http2<I, S, B>(
    io: Rewound<I>,
    service: S,
    builder: &http2::Builder,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    I: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<IncomingBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
{
    let mut connection = builder.serve_connection(io, ForHttp2(service));
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

async fn serve_http1<I, S, B>(
    io: Rewound<I>,
    service: S,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<IncomingBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: From<Bytes> + Send,
    B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
{
    let turns = Turns::default();
    let counted = turns.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut service = service.clone();
        let turns = counted.clone();
        async move {
            poll_fn(|cx| service.poll_ready(cx)).await?;
            let call = |request: Request<_>| service.call(request.map(IncomingBody::http1));
            accept_under_server(request, &turns, &AT_SOCKET, call).await
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new());
    let io = TokioIo::new(LingerStream::new(io));
    let connection = builder.serve_connection(io, service);
    let mut connection = pin!(connection.with_upgrades());
    let mut closing = false;
    poll_fn(|cx| {
        if !closing && shutdown.as_mut().poll(cx).is_ready() {
            closing = true;
            connection.as_mut().graceful_shutdown();
        }
        turns.begin();
        connection.as_mut().poll(cx)
    })
    .await
    .map_err(Into::into)
}

/// The service with the body of both versions, for HTTP/2.
#[derive(Clone)]
struct ForHttp2<S>(S);

impl<S> Service<Request<http2::RequestBody>> for ForHttp2<S>
where
    S: Service<Request<IncomingBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<http2::RequestBody>) -> S::Future {
        self.0.call(request.map(IncomingBody::http2))
    }
}
