//! One connection, from its handshake to its end, by the version that the client speaks.

use std::{
    error::Error,
    future::{poll_fn, Future},
    pin::pin,
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use http_body::Body;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tower_service::Service;

use super::{
    http1, http2, preface::sniff, settings::Settings, write_timeout::WriteTimeout, IncomingBody,
};
use crate::observe::ConnectionEnd;

/// Why a connection has ended, and what was said about it.
pub(super) type Ended = Result<(), (ConnectionEnd, String)>;

/// Serves the connection that `establish` makes.
///
/// When `shutdown` is ready, what has begun is finished, and the connection closed.
pub(super) async fn serve<I, S, B, E>(
    establish: E,
    service: S,
    settings: &Settings,
    shutdown: impl Future<Output = ()>,
) -> Ended
where
    E: Future<Output = Result<(I, Extensions), Box<dyn Error + Send + Sync>>>,
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<IncomingBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: From<Bytes> + Send,
    B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
{
    let mut shutdown = pin!(shutdown);
    let handshake = async {
        let (io, info) = establish.await?;
        let io = WriteTimeout::new(io, settings.write_timeout);
        let (is_http2, io) = sniff(io).await?;
        Ok::<_, Box<dyn Error + Send + Sync>>((is_http2, io, info))
    };
    let handshake = {
        let mut handshake = pin!(within(settings.handshake_timeout, handshake));
        poll_fn(|cx| match handshake.as_mut().poll(cx) {
            Poll::Ready(handshake) => Poll::Ready(Some(handshake)),
            // Nothing has been asked yet.
            Poll::Pending => shutdown.as_mut().poll(cx).map(|()| None),
        })
        .await
    };
    let (is_http2, io, info) = match handshake {
        Some(Some(Ok(connection))) => connection,
        Some(Some(Err(error))) => return Err((ConnectionEnd::HandshakeFailed, error.to_string())),
        Some(None) => {
            let message = "no HTTP within the handshake timeout".into();
            return Err((ConnectionEnd::HandshakeTimedOut, message));
        }
        None => return Ok(()),
    };
    let served = match is_http2 {
        true => http2::serve(io, service, info, settings, shutdown).await,
        false => http1::serve(io, service, info, settings, shutdown).await,
    };
    served.map_err(|error| (ConnectionEnd::Failed, with_source(&*error)))
}

/// `None` if it took too long.
async fn within<F: Future>(limit: Option<Duration>, future: F) -> Option<F::Output> {
    match limit {
        Some(limit) => timeout(limit, future).await.ok(),
        None => Some(future.await),
    }
}

/// hyper and h2 tell only in the source what has happened.
fn with_source(error: &(dyn Error + 'static)) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
