//! One connection, and its streams as they come.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{ready, Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use h2::{
    server::{self, Handshake, SendResponse},
    Reason, RecvStream,
};
use http::{header::EXPECT, Method, Request, Response, StatusCode};
use http_body::{Body, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{sleep, Instant, Sleep},
};
use tower_service::Service;

use super::{
    body::Faults,
    builder::Config,
    fields,
    frames::{Owed, Watched},
    keep_alive::KeepAlive,
    patience::{Overdue, Patience},
    reply::Reply,
    stream, Error, RequestBody,
};
use crate::exchange::Room;

/// Future that serves one connection, returned by
/// [`Builder::serve_connection`](super::Builder::serve_connection).
///
/// It does nothing unless it is polled. It is ready when the client has closed the connection, or all
/// streams have finished after [`graceful_shutdown`](Self::graceful_shutdown).
///
/// # Errors
///
/// If the client violates the protocol or is too slow, if reading or writing fails, or if the client does
/// not respond to a keep-alive ping. Failures of single streams are not errors of the connection.
///
/// # Panics
///
/// If it is polled after it was ready, or outside of a tokio runtime.
///
/// # Cancel safety
///
/// Dropping it closes the connection at once. The tasks of its streams then drop the service's
/// futures and the bodies.
#[must_use = "futures do nothing unless polled"]
pub struct Connection<I, S> {
    state: State<Watched<I>>,
    service: S,
    config: Config,
    faults: Faults,
    room: Room,
    owed: Owed,
    /// From the first poll on.
    patience: Option<Patience>,
    idle_since: Option<Instant>,
    closing: bool,
}

enum State<I> {
    Handshake(Handshake<I, Bytes>),
    Open {
        connection: server::Connection<I, Bytes>,
        keep_alive: Option<KeepAlive>,
    },
    /// GOAWAY is on its way.
    Leaving {
        connection: server::Connection<I, Bytes>,
        result: Result<(), Error>,
        limit: Pin<Box<Sleep>>,
    },
    Left(Result<(), Error>),
    Closed,
}

/// Nothing in it is pinned.
impl<I, S> Unpin for Connection<I, S> {}

impl<I, S> Connection<I, S>
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    pub(super) fn new(io: I, h2: &server::Builder, service: S, config: Config) -> Self {
        let owed = Owed::new();
        Self {
            state: State::Handshake(h2.handshake(Watched::new(io, owed.clone()))),
            service,
            room: Room::new(config.max_concurrent_streams as usize / 2),
            config,
            faults: Faults::default(),
            owed,
            patience: None,
            idle_since: None,
            closing: false,
        }
    }

    /// Starts a graceful shutdown: GOAWAY tells the client to send no further requests. The future is ready
    /// when the requests that it has sent have their responses.
    ///
    /// A stream whose unread body is being drained has not finished: see the bounds of
    /// [`Linger`](crate::Linger). A client that has not sent its preface yet is not waited for; one that has no
    /// stream and does not react is waited for one second. A stream whose client neither reads nor
    /// resets it holds the connection for as long as you poll it: set a deadline, or set
    /// [`keep_alive_interval`](super::Builder::keep_alive_interval).
    pub fn graceful_shutdown(&mut self) {
        if self.closing {
            return;
        }
        if let State::Open { connection, .. } = &mut self.state {
            connection.graceful_shutdown();
        }
        self.closing();
    }

    fn closing(&mut self) {
        self.closing = true;
        // What it is now follows from that.
        self.patience = None;
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

    /// The next request; `None` when the connection has ended, or shall.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Accepted>, Error>> {
        let State::Open {
            connection,
            keep_alive,
        } = &mut self.state
        else {
            return Poll::Ready(Ok(None));
        };
        if let Some(keep_alive) = keep_alive {
            if keep_alive.poll_lost(cx).is_ready() {
                self.leave(Reason::NO_ERROR, Err(Error::keep_alive_timeout()));
                return Poll::Ready(Ok(None));
            }
        }
        if !self.closing && self.config.is_worn_out(&self.faults) {
            connection.graceful_shutdown();
            self.closing();
        }
        let State::Open { connection, .. } = &mut self.state else {
            return Poll::Ready(Ok(None));
        };
        let accepted = ready!(connection.poll_accept(cx));
        Poll::Ready(accepted.transpose().map_err(Error::of_h2))
    }

    /// Ready when the client is not waited for any more.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.idle_since = match &self.state {
            State::Open { connection, .. } if connection.has_streams() => None,
            _ => self.idle_since.or_else(|| Some(Instant::now())),
        };
        let new = || Patience::new(&self.config, self.closing);
        let patience = self.patience.get_or_insert_with(new);
        let overdue = ready!(patience.poll(&self.owed, self.idle_since, cx));
        match overdue {
            Overdue::Handshake => {
                self.leave(Reason::SETTINGS_TIMEOUT, Err(Error::handshake_timeout()));
            }
            Overdue::Frame => self.leave(Reason::ENHANCE_YOUR_CALM, Err(Error::header_timeout())),
            Overdue::Idle => self.leave(Reason::NO_ERROR, Ok(())),
        }
        Poll::Ready(())
    }

    /// Sends GOAWAY, for which a client that does not read has one second.
    fn leave(&mut self, reason: Reason, result: Result<(), Error>) {
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            State::Open { mut connection, .. } => {
                connection.abrupt_shutdown(reason);
                State::Leaving {
                    connection,
                    result,
                    limit: Box::pin(sleep(Duration::from_secs(1))),
                }
            }
            // Nobody has spoken HTTP/2 yet.
            _ => State::Left(result),
        };
    }

    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let State::Leaving {
            connection, limit, ..
        } = &mut self.state
        {
            loop {
                match connection.poll_accept(cx) {
                    // Not looked at any more: GOAWAY tells the client so.
                    Poll::Ready(Some(Ok(_))) => {}
                    Poll::Ready(_) => break,
                    Poll::Pending => {
                        ready!(limit.as_mut().poll(cx));
                        break;
                    }
                }
            }
        }
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Leaving { result, .. } | State::Left(result) => Poll::Ready(result),
            _ => Poll::Ready(Ok(())),
        }
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
            let (mut head, ()) = Response::new(()).into_parts();
            head.status = StatusCode::NOT_IMPLEMENTED;
            let empty = (SizeHint::with_exact(0), true);
            fields::complete(&mut head, empty, self.config.auto_date_header);
            let _ = sender.send_response(Response::from_parts(head, ()), true);
            return;
        }
        let (head, stream) = request.into_parts();
        let awaits_content = !stream.is_end_stream();
        let body = RequestBody::new(stream, &head.headers, self.faults.clone());
        let mut request = Request::from_parts(head, body);
        if awaits_content {
            request.extensions_mut().insert(self.room.clone());
        }
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
        if let State::Closed = this.state {
            panic!("polled after it was ready");
        }
        let ended = loop {
            let opened = this.poll_open(cx);
            if opened.is_pending() && this.closing {
                break Ok(());
            }
            let accepted = match opened {
                Poll::Ready(Ok(())) => this.poll_accept(cx),
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Pending => Poll::Pending,
            };
            match accepted {
                Poll::Ready(Ok(Some(accepted))) => this.accept(accepted),
                Poll::Ready(Ok(None)) => break ready!(this.poll_left(cx)),
                Poll::Ready(Err(error)) => break Err(error),
                Poll::Pending => ready!(this.poll_overdue(cx)),
            }
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
            State::Leaving { .. } | State::Left(_) => "leaving",
            State::Closed => "closed",
        };
        f.debug_struct("Connection")
            .field("state", &state)
            .field("closing", &self.closing)
            .finish_non_exhaustive()
    }
}
