//! An HTTP/1 connection, on hyper.

use std::{
    error::Error,
    future::{poll_fn, Future},
    pin::{pin, Pin},
    sync::{Arc, LazyLock},
    task::{ready, Poll},
};

use bytes::Bytes;
use http::{Extensions, Request, Response, StatusCode};
use http_body::Body;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use super::{
    activity::{Activity, Sending},
    clocks::{Clocks, Overdue},
    preface::Rewound,
    settings::Settings,
    socket::Socket,
    IncomingBody,
};
use crate::{
    exchange::{accept_under_server, Turns},
    Linger,
};

/// The bounds within which a body is drained before a 101.
static AT_SOCKET: LazyLock<Arc<Linger>> = LazyLock::new(|| Arc::new(Linger::at_socket()));

pub(super) async fn serve<I, S, B>(
    io: Rewound<I>,
    service: S,
    info: Extensions,
    settings: &Settings,
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
    let activity = Activity::default();
    let io = Socket::new(io, activity.clone(), settings.half_close_timeout);
    let mut clocks = Clocks::new(settings);
    let service = {
        let (turns, activity) = (turns.clone(), activity.clone());
        service_fn(move |mut request: Request<Incoming>| {
            let response = activity.respond();
            let body = (!request.body().is_end_stream()).then(|| activity.receive());
            request.extensions_mut().extend(info.clone());
            let mut service = service.clone();
            let (turns, activity) = (turns.clone(), activity.clone());
            async move {
                poll_fn(|cx| service.poll_ready(cx)).await?;
                let call = |request: Request<_>| {
                    service.call(request.map(|inner| IncomingBody::http1(inner, body)))
                };
                let served = accept_under_server(request, &turns, &AT_SOCKET, call).await?;
                if served.status() == StatusCode::SWITCHING_PROTOCOLS {
                    activity.upgrade();
                }
                Ok::<_, S::Error>(served.map(|body| Sending::new(body, response)))
            }
        })
    };
    let mut connection = pin!(settings
        .http1
        .serve_connection(TokioIo::new(io), service)
        .with_upgrades());
    let mut closing = false;
    poll_fn(|cx| {
        if !closing && shutdown.as_mut().poll(cx).is_ready() {
            closing = true;
        } else {
            turns.begin();
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended.map_err(Into::into));
            }
            match ready!(clocks.poll(&activity, cx)) {
                Overdue::Head => {
                    return Poll::Ready(Err(
                        "the client did not send the rest of a head in time".into()
                    ))
                }
                Overdue::Idle => closing = true,
            }
        }
        clocks.close();
        connection.as_mut().graceful_shutdown();
        turns.begin();
        connection.as_mut().poll(cx).map_err(Into::into)
    })
    .await
}
