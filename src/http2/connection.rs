//! One connection, and its streams as they come.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{ready, Context, Poll},
};

use bytes::Bytes;
use h2::{
    server::{self, Handshake, SendResponse},
    RecvStream,
};
use http::{header::EXPECT, Method, Request, Response, StatusCode};
use http_body::Body;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use super::{
    body::Faults, builder::Config, keep_alive::KeepAlive, reply::Reply, stream, Error, RequestBody,
};

/// A connection that is being served, made by
/// [`Builder::serve_connection`](super::Builder::serve_connection).
///
/// It does nothing unless it is polled. It ends when the client has closed the connection, or all
/// streams have finished after [`graceful_shutdown`](Self::graceful_shutdown).
///
/// # Errors
///
/// If the client is in breach of the protocol, if reading or writing fails, or if a keep-alive ping
/// is not answered. Failures of single streams are not errors of the connection.
///
/// # Panics
///
/// If polled after it was ready, or outside of a tokio runtime.
///
/// # Cancel safety
///
/// Dropping it closes the connection at once. The tasks of its streams then drop the service's
/// futures and the bodies.
#[must_use = "futures do nothing unless polled"]
pub struct Connection<I, S> {
    state: State<I>,
    service: S,
    config: Config,
    faults: Faults,
    closing: bool,
}

enum State<I> {
    Handshake(Handshake<I, Bytes>),
    Open {
        connection: server::Connection<I, Bytes>,
        keep_alive: Option<KeepAlive>,
    },
    Closed,
}

/// Nothing in it is pinned.
impl<I, S> Unpin for Connection<I, S> {}

impl<I, S> Connection<I, S> {
    pub(super) fn new(handshake: Handshake<I, Bytes>, service: S, config: Config) -> Self {
        Self {
            state: State::Handshake(handshake),
            service,
            config,
            faults: Faults::default(),
            closing: false,
        }
    }
}

impl<I, S> Connection<I, S>
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    /// Tells the client, by GOAWAY, to send no further requests. Those that it has sent are
    /// answered; then the future is ready.
    ///
    /// A stream whose unread content is being lingered for has not finished: see the bounds of
    /// [`Linger`](crate::Linger). A client that has not sent its preface yet is not waited for. One that neither reads nor
    /// closes holds the connection for as long as you poll it: put a limit to it, or set
    /// [`keep_alive_interval`](super::Builder::keep_alive_interval).
    pub fn graceful_shutdown(&mut self) {
        if let (State::Open { connection, .. }, false) = (&mut self.state, self.closing) {
            connection.graceful_shutdown();
        }
        self.closing = true;
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let State::Handshake(handshake) = &mut self.state else {
            return Poll::Ready(Ok(()));
        };
        let mut connection = ready!(Pin::new(handshake).poll(cx)).map_err(Error::of_h2)?;
        if self.closing {
            connection.graceful_shutdown();
        }
        let config = &self.config;
        let keep_alive = config.keep_alive_interval.and_then(|interval| {
            let ping_pong = connection.ping_pong()?;
            Some(KeepAlive::new(
                ping_pong,
                interval,
                config.keep_alive_timeout,
            ))
        });
        self.state = State::Open {
            connection,
            keep_alive,
        };
        Poll::Ready(Ok(()))
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Accepted>, Error>> {
        let State::Open {
            connection,
            keep_alive,
        } = &mut self.state
        else {
            panic!("polled after it was ready");
        };
        if let Some(keep_alive) = keep_alive {
            if keep_alive.poll_lost(cx).is_ready() {
                return Poll::Ready(Err(Error::keep_alive_timeout()));
            }
        }
        if !self.closing && self.config.is_worn_out(&self.faults) {
            connection.graceful_shutdown();
            self.closing = true;
        }
        let accepted = ready!(connection.poll_accept(cx));
        Poll::Ready(accepted.transpose().map_err(Error::of_h2))
    }
}

type Accepted = (Request<RecvStream>, SendResponse<Bytes>);

impl<I, S, B> Connection<I, S>
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
{
    fn accept(&self, (request, mut sender): Accepted) {
        if *request.method() == Method::CONNECT {
            // The service could not get at the tunnel it would have to serve.
            let mut response = Response::new(());
            *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
            let _ = sender.send_response(response, true);
            return;
        }
        let (head, stream) = request.into_parts();
        let awaits_content = !stream.is_end_stream();
        let body = RequestBody::new(stream, &head.headers, self.faults.clone());
        let mut request = Request::from_parts(head, body);
        let reply = if awaits_content && request.headers().contains_key(EXPECT) {
            let (reply, signal) = Reply::with_signal(sender);
            request.extensions_mut().insert(signal);
            reply
        } else {
            Reply::new(sender)
        };
        let date = self.config.auto_date_header;
        tokio::spawn(stream::serve(self.service.clone(), request, reply, date));
    }
}

impl<I, S, B> Future for Connection<I, S>
where
    I: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
{
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let ended = match this.poll_open(cx) {
            Poll::Pending if this.closing => Ok(()),
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(())) => loop {
                match ready!(this.poll_accept(cx)) {
                    Ok(Some(accepted)) => this.accept(accepted),
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
            },
        };
        this.state = State::Closed;
        Poll::Ready(ended)
    }
}

impl<I, S> fmt::Debug for Connection<I, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Handshake(_) => "handshake",
            State::Open { .. } => "open",
            State::Closed => "closed",
        };
        f.debug_struct("Connection")
            .field("state", &state)
            .field("closing", &self.closing)
            .finish_non_exhaustive()
    }
}
