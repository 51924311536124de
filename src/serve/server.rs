//! A server to be, and its settings.

use std::{
    error::Error,
    fmt,
    future::{Future, IntoFuture},
    io,
    pin::Pin,
    time::Duration,
};

use ::http::{Request, Response};
use bytes::Bytes;
use http_body::Body;
use hyper::server::conn::http1::Builder as Http1Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use super::{
    accept::{self, Server},
    establish::{Establish, Inform},
    settings::{Settings, Timeouts},
    Handle, IncomingBody, Listener,
};
use crate::{
    http2::Builder as Http2Builder,
    observe::{Observe, Observers},
};

/// Server that runs when it is awaited, returned by [`serve`](crate::serve()).
///
/// # Errors
///
/// None at present: the output is an [`io::Result`] like that of other servers. Accept errors do not end it.
/// After an error such as too many open files, accepting pauses, for 5 ms at first and for 1 s at most; a
/// connection that has ended before it was accepted is skipped.
///
/// # Panics
///
/// If it is awaited outside of a tokio runtime. Without the runtime's time driver, each connection panics in
/// its task, and is thereby closed.
///
/// # Cancel safety
///
/// Dropping the future stops accepting. Accepted connections continue.
#[must_use = "a server does nothing unless it is awaited"]
pub struct Serve<L: Listener, S, Io = <L as Listener>::Io>(Server<L, S, Io>);

impl<L: Listener, S> Serve<L, S> {
    pub(super) fn new(listener: L, service: S) -> Self {
        Self(Server {
            listener,
            service,
            connect_info: Inform::nothing(),
            establish: Establish::nothing(),
            settings: Settings::default(),
            timeouts: Timeouts::default(),
            max_connections: None,
            shutdown: None,
            graceful_timeout: None,
            handle: Handle::new(),
            observers: Observers::default(),
        })
    }
}

impl<L: Listener, S, Io: Send + 'static> Serve<L, S, Io> {
    /// Adds a value to the extensions of each request, made from the client's address.
    ///
    /// For axum's extractor it is `.with_connect_info(ConnectInfo)`. The closure is called once for each
    /// connection, and its value is cloned for each request.
    pub fn with_connect_info<T>(
        mut self,
        connect_info: impl Fn(L::Addr) -> T + Send + Sync + 'static,
    ) -> Self
    where
        T: Clone + Send + Sync + 'static,
    {
        self.0.connect_info = Inform::of(connect_info);
        self
    }

    /// Adds a value to the extensions of each request, made from the connection's stream.
    ///
    /// Before [`with_acceptor`](Self::with_acceptor), the closure receives the stream of the listener, such as
    /// a `TcpStream` with its local address. After it, it receives the stream of the acceptor, such as a TLS
    /// stream with the client's certificate and the protocol of ALPN. Call it several times for several
    /// types. Of one type, the last value counts, and replaces that of
    /// [`with_connect_info`](Self::with_connect_info): an acceptor that reads the PROXY protocol can thus
    /// correct the client's address.
    ///
    /// ```
    /// use std::net::SocketAddr;
    ///
    /// use axum::{routing::get, Extension, Router};
    /// use tokio::net::{TcpListener, TcpStream};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// #[derive(Clone)]
    /// struct LocalAddr(Option<SocketAddr>);
    ///
    /// let whoami = |Extension(LocalAddr(local)): Extension<LocalAddr>| async move {
    ///     format!("{local:?}")
    /// };
    /// let app: Router = Router::new().route("/", get(whoami));
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let server = tower_expect::serve(listener, app)
    ///     .with_stream_info(|tcp: &TcpStream| LocalAddr(tcp.local_addr().ok()));
    /// # server.with_graceful_shutdown(async {}).await
    /// # }
    /// ```
    pub fn with_stream_info<T>(
        mut self,
        stream_info: impl Fn(&Io) -> T + Send + Sync + 'static,
    ) -> Self
    where
        T: Clone + Send + Sync + 'static,
    {
        self.0.establish = self.0.establish.inform(stream_info);
        self
    }

    /// Adds an acceptor that turns each accepted stream into another, for example with TLS or by reading the
    /// header of the PROXY protocol.
    ///
    /// The acceptor runs in the task of its connection, so that a slow client delays no other, and within
    /// [`handshake_timeout`](Self::handshake_timeout). If it fails, the connection is closed. Several
    /// acceptors run in the order in which they are added.
    ///
    /// With rustls it is `.with_acceptor(move |tcp| acceptor.accept(tcp))`, where `acceptor` is a
    /// `tokio_rustls::TlsAcceptor`; the example `serve_tls` is a whole program. Offer `h2` and `http/1.1` by
    /// ALPN; the version is detected from the client's first bytes. The closure is called for each connection,
    /// and can therefore use a renewed certificate.
    pub fn with_acceptor<A, F, Next, E>(self, acceptor: A) -> Serve<L, S, Next>
    where
        A: Fn(Io) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Next, E>> + Send,
        Next: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Serve(Server {
            listener: self.0.listener,
            service: self.0.service,
            connect_info: self.0.connect_info,
            establish: self.0.establish.then(acceptor),
            settings: self.0.settings,
            timeouts: self.0.timeouts,
            max_connections: self.0.max_connections,
            shutdown: self.0.shutdown,
            graceful_timeout: self.0.graceful_timeout,
            handle: self.0.handle,
            observers: self.0.observers,
        })
    }

    /// Changes the settings of HTTP/1 connections, which are those of hyper.
    ///
    /// Two defaults differ from hyper's: `half_close` is on, and `header_read_timeout` is off, because hyper's
    /// would also limit idle connections; use the server's [`header_read_timeout`](Self::header_read_timeout).
    /// If you raise `max_buf_size`, also set [`Linger::max_buf_size`](crate::Linger::max_buf_size) in the layer.
    ///
    /// ```
    /// # async fn example(listener: tokio::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
    /// tower_expect::serve(listener, app)
    ///     .with_http1(|http1| {
    ///         http1.max_headers(50).max_buf_size(64 * 1024);
    ///     })
    ///     .await
    /// # }
    /// ```
    pub fn with_http1(mut self, set: impl FnOnce(&mut Http1Builder)) -> Self {
        set(&mut self.0.settings.http1);
        self
    }

    /// Sets the settings of HTTP/2 connections.
    pub fn with_http2(mut self, http2: Http2Builder) -> Self {
        self.0.settings.http2 = http2;
        self
    }

    /// Sets the maximum number of open connections. There is no limit by default.
    ///
    /// At the limit, accepting pauses until a connection ends; clients wait in the backlog of the listener.
    /// An upgraded connection, such as that of a WebSocket, no longer counts.
    ///
    /// # Panics
    ///
    /// If it is 0, or larger than [`Semaphore::MAX_PERMITS`](tokio::sync::Semaphore::MAX_PERMITS).
    #[track_caller]
    pub fn max_connections(mut self, max: usize) -> Self {
        assert!(max > 0, "the maximum number of connections is 0");
        assert!(
            max <= tokio::sync::Semaphore::MAX_PERMITS,
            "the maximum number of connections exceeds Semaphore::MAX_PERMITS"
        );
        self.0.max_connections = Some(max);
        self
    }

    /// Sets the time limit from the start of a connection to its first bytes of HTTP, including a TLS
    /// handshake. The default is 30 s; `None` means no limit.
    ///
    /// The preface and SETTINGS of HTTP/2 then have as long again. This setting overrides
    /// [`http2::Builder::handshake_timeout`](crate::http2::Builder::handshake_timeout).
    pub fn handshake_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.0.timeouts.handshake = Some(timeout.into());
        self
    }

    /// Sets the time limit for the head of a request, from its first byte on. The default is 30 s; `None` means
    /// no limit. Over HTTP/2 it also limits a header block, and any other frame except DATA.
    ///
    /// After it, the connection is closed, over HTTP/2 with GOAWAY. A head whose first bytes arrive together with
    /// the previous request is limited by [`idle_timeout`](Self::idle_timeout) instead, since the server does not
    /// see what hyper has read ahead. The application, or a
    /// layer such as tower-http's `RequestBodyTimeoutLayer`, decides how fast a body must arrive.
    ///
    /// This setting overrides [`http2::Builder::header_read_timeout`](crate::http2::Builder::header_read_timeout).
    pub fn header_read_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.0.timeouts.header_read = Some(timeout.into());
        self
    }

    /// Sets how long a connection may be idle before it is closed, over HTTP/2 with GOAWAY. The default is
    /// 2 minutes; `None` means no limit.
    ///
    /// Behind a proxy that keeps connections, use a longer timeout than the proxy's. Otherwise the proxy may
    /// send a request on a connection that is being closed.
    ///
    /// This setting overrides [`http2::Builder::idle_timeout`](crate::http2::Builder::idle_timeout).
    pub fn idle_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.0.timeouts.idle = Some(timeout.into());
        self
    }

    /// Sets the time limit for responses to HTTP/1 clients that have closed their sending side. The default is
    /// 30 s; `None` means no limit.
    ///
    /// Such a client may be waiting for its response (RFC 9112 §9.6), or be gone; TCP does not distinguish the
    /// two. The response must begin within this time, and a part of it must be written in each further such
    /// period. Otherwise the connection is closed, and the service's future is dropped. A reset by the client
    /// is noticed at once, or after 100 ms if its body is not being read.
    ///
    /// To treat such clients as gone, as hyper does by default, use
    /// `.with_http1(|http1| { http1.half_close(false); })`.
    pub fn half_close_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.0.settings.half_close_timeout = timeout.into();
        self
    }

    /// Sets how long a write may make no progress before the connection is closed, over HTTP/2 with all its
    /// streams. There is no limit by default.
    ///
    /// Bytes for a slow client wait in memory, up to about 400 KiB for each response, and keep the
    /// application's response body alive. Linux reports room only when a third of the socket's send buffer is
    /// free, which may be more than 1 MiB: a slow client must read that much within this time, so do not set it
    /// to a few seconds. The limit also holds for upgraded connections. A client that pauses for longer, such as
    /// a video player, loses its response. The limit does not end an HTTP/2 stream whose client reads, but grants
    /// the stream no window (RFC 9113 §5.2): such a stream lasts as long as its connection.
    pub fn write_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.0.settings.write_timeout = timeout.into();
        self
    }

    /// Starts a graceful shutdown when `signal` is ready: accepting stops, open connections finish their
    /// requests, and then the server's future is ready.
    ///
    /// ```
    /// # async fn example(listener: tokio::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
    /// tower_expect::serve(listener, app)
    ///     .with_graceful_shutdown(async {
    ///         let _ = tokio::signal::ctrl_c().await;
    ///     })
    ///     .await
    /// # }
    /// ```
    ///
    /// A client that neither reads nor closes delays the shutdown, unless
    /// [`graceful_timeout`](Self::graceful_timeout) is set. An upgraded connection, such as that of a
    /// WebSocket, does not: end its task yourself. See [`LingerStream`](crate::LingerStream) for how long
    /// connections linger after a response.
    pub fn with_graceful_shutdown<F>(mut self, signal: F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.0.shutdown = Some(Box::pin(signal));
        self
    }

    /// Sets the time limit of a graceful shutdown, after which open connections are closed at once. There is no
    /// limit by default.
    pub fn graceful_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.0.graceful_timeout = timeout.into();
        self
    }

    /// Adds an observer of connections: it receives [`Event::Connected`](crate::Event::Connected) and the other
    /// events that name `serve`. With the feature `tracing` they are also events of `tracing`.
    ///
    /// `Metrics` (feature `metrics`) counts them. The server and a layer can have the same observer, since
    /// their events differ.
    pub fn observe(mut self, observer: impl Observe) -> Self {
        self.0.observers.add(observer);
        self
    }

    /// Returns the address that the server listens on.
    ///
    /// # Errors
    ///
    /// The errors of [`Listener::local_addr`].
    pub fn local_addr(&self) -> io::Result<L::Addr> {
        self.0.listener.local_addr()
    }

    /// Sets the handle, so that several servers share one, for example one server for each listener.
    ///
    /// They are shut down together, also by a signal or a graceful timeout of one of them, and their
    /// connections are counted together.
    ///
    /// ```
    /// use std::future::IntoFuture;
    ///
    /// use axum::Router;
    /// use tokio::net::TcpListener;
    /// use tower_expect::serve::Handle;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let (app, admin): (Router, Router) = Default::default();
    /// let handle = Handle::new();
    /// let public = TcpListener::bind("127.0.0.1:0").await?;
    /// let local = TcpListener::bind("127.0.0.1:0").await?;
    /// # handle.shutdown();
    /// let public = tower_expect::serve(public, app).with_handle(handle.clone());
    /// let local = tower_expect::serve(local, admin).with_handle(handle);
    /// tokio::try_join!(public.into_future(), local.into_future())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_handle(mut self, handle: Handle) -> Self {
        self.0.handle = handle;
        self
    }

    /// Returns a handle that shuts the server down and counts its connections.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.0.handle.clone()
    }
}

impl<L, S, Io, B> IntoFuture for Serve<L, S, Io>
where
    L: Listener,
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<IncomingBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: From<Bytes> + Send,
    B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
{
    type Output = io::Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            accept::run(self.0).await;
            Ok(())
        })
    }
}

impl<L, S, Io> fmt::Debug for Serve<L, S, Io>
where
    L: Listener + fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("listener", &self.0.listener)
            .field("settings", &self.0.settings)
            .field("timeouts", &self.0.timeouts)
            .field("max_connections", &self.0.max_connections)
            .field("graceful_timeout", &self.0.graceful_timeout)
            .field("handle", &self.0.handle)
            .finish_non_exhaustive()
    }
}
