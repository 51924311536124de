//! A whole server: accepts connections, serves HTTP/1.1 by hyper and HTTP/2 by [`http2`](crate::http2).
//!
//! Takes the place of `axum::serve` and of tonic's transport. Use it where clients are to get a
//! `100 Continue` over HTTP/2, or where the server needs what `axum::serve` has no setting for: TLS,
//! timeouts, a limit of connections, a deadline for its shutdown. Each HTTP/1 connection
//! [lingers](crate::LingerStream), so that early responses arrive.
//!
//! ```
//! use std::{future::IntoFuture, net::SocketAddr, time::Duration};
//!
//! use axum::{extract::ConnectInfo, routing::put, Router};
//! use tokio::net::TcpListener;
//! use tower_expect::{rules, ExpectLayer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! async fn store(ConnectInfo(client): ConnectInfo<SocketAddr>, body: String) -> String {
//!     format!("stored {body} of {}", client.ip())
//! }
//!
//! let app = Router::new()
//!     .route("/", put(store))
//!     .layer(ExpectLayer::new(rules::content_length(..=1 << 20)));
//!
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let server = tower_expect::serve(listener, app)
//!     .with_connect_info(ConnectInfo)
//!     .graceful_timeout(Duration::from_secs(10));
//! let (address, handle) = (server.local_addr()?, server.handle());
//! let server = tokio::spawn(server.into_future());
//! # use http_body_util::{BodyExt, Full};
//! # use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//!
//! // Over HTTP/1.1 and over HTTP/2:
//! for http2_only in [false, true] {
//!     let client = Client::builder(TokioExecutor::new()).http2_only(http2_only).build_http();
//!     let request = http::Request::put(format!("http://{address}/"))
//!         .header("expect", "100-continue")
//!         .body(Full::<bytes::Bytes>::from("a picture"))?;
//!     let response = client.request(request).await?;
//!     let body = response.into_body().collect().await?.to_bytes();
//!     assert_eq!(body, "stored a picture of 127.0.0.1");
//! }
//!
//! handle.shutdown();
//! server.await??;
//! # Ok(())
//! # }
//! ```
//!
//! # From `axum::serve`
//!
//! | `axum::serve` | `tower_expect::serve` |
//! |---|---|
//! | `axum::serve(listener, app).await?` | `tower_expect::serve(listener, app).await?` |
//! | `axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())` | `tower_expect::serve(listener, app).with_connect_info(ConnectInfo)` |
//! | `.with_graceful_shutdown(signal)` | the same |
//! | a listener that implements axum's trait | `FromAxum::new(listener)` (feature `axum`) |
//! | `.tap_io(\|tcp\| tcp.set_nodelay(true))` | nothing: it is on |
//! | `Connected` for a type of your own | [`with_stream_info`](Serve::with_stream_info) |
//!
//! A request's body is an [`IncomingBody`]; axum's and tonic's services take it as it is. A layer of your own
//! that names `hyper::body::Incoming` must be generic over the body, or name that type.
//!
//! WebSockets work over HTTP/1.1. Over HTTP/2, an extended CONNECT (RFC 8441) is rejected, and browsers open
//! a separate HTTP/1.1 connection: over TLS, offer `http/1.1` by ALPN beside `h2`.
//!
//! [`comparison`] lists features and defaults beside those of axum, axum-server and Go.

mod accept;
mod activity;
mod body;
#[doc = include_str!("serve/comparison.md")]
pub mod comparison {}
mod connection;
mod establish;
#[cfg(feature = "axum")]
mod from_axum;
mod half_close;
mod handle;
mod head_timer;
mod http1;
mod http2;
mod listener;
mod preface;
mod service;
mod settings;
mod write_timeout;

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

#[cfg(feature = "axum")]
pub use self::from_axum::FromAxum;
pub use self::{body::IncomingBody, handle::Handle, listener::Listener, service::HttpService};
use self::{
    establish::{Establish, Inform},
    settings::{Settings, Timeouts},
};
use crate::{
    http2::Builder as Http2Builder,
    observe::{Observe, Observers},
};

/// Serves `service`, which may be an axum `Router` or tonic's `Routes`, to all who connect.
///
/// Each connection runs in a tokio task of its own, with a clone of the service. Await the returned
/// [`Serve`], or spawn its `into_future()`.
///
/// See the [module](mod@crate::serve) for an example.
pub fn serve<L, S, Kind>(listener: L, service: S) -> Serve<L, S>
where
    L: Listener,
    S: HttpService<Kind>,
{
    Serve {
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
    }
}

/// A server that runs once it is awaited; made by [`serve`].
///
/// # Errors
///
/// None at present: its output is an [`io::Result`] so that it takes the place of other servers. Accept
/// errors do not end it. A connection that was gone already is passed over; after any other error, such
/// as too many open files, accepting pauses, for 5 ms at first and at most for 1 s.
///
/// # Panics
///
/// If awaited outside of a tokio runtime, or in one without its time or IO driver.
///
/// # Cancel safety
///
/// Dropping the future stops accepting. Connections that were accepted go on.
#[must_use = "a server does nothing unless it is awaited"]
pub struct Serve<L: Listener, S, Io = <L as Listener>::Io> {
    listener: L,
    service: S,
    connect_info: Inform<L>,
    establish: Establish<L::Io, Io>,
    settings: Settings,
    timeouts: Timeouts,
    max_connections: Option<usize>,
    shutdown: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    graceful_timeout: Option<Duration>,
    handle: Handle,
    observers: Observers,
}

impl<L: Listener, S, Io: Send + 'static> Serve<L, S, Io> {
    /// Puts what `connect_info` makes of the client's address into the extensions of each request.
    ///
    /// axum's extractor `ConnectInfo` fits as it is: `.with_connect_info(ConnectInfo)`. The closure is
    /// called once for each connection, and its value cloned for each request.
    pub fn with_connect_info<T>(
        mut self,
        connect_info: impl Fn(L::Addr) -> T + Send + Sync + 'static,
    ) -> Self
    where
        T: Clone + Send + Sync + 'static,
    {
        self.connect_info = Inform::of(connect_info);
        self
    }

    /// Puts what `stream_info` makes of the connection's stream into the extensions of each request.
    ///
    /// Given before [`with_acceptor`](Self::with_acceptor), it sees what the listener has accepted, such as
    /// a `TcpStream` with its local address. Given after it, it sees what the acceptor has made, such as a
    /// TLS stream with the client's certificate and the protocol of ALPN. It may be given several times,
    /// for several types. Of the same type, the last value counts, also in the place of that of
    /// [`with_connect_info`](Self::with_connect_info): an acceptor that reads the PROXY protocol can so
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
        self.establish = self.establish.inform(stream_info);
        self
    }

    /// Turns each accepted stream into another: by TLS, or by reading the header of the PROXY protocol.
    ///
    /// The acceptor runs in the task of its connection, so that a slow client holds up nobody, and within
    /// [`handshake_timeout`](Self::handshake_timeout). If it fails, the connection is closed. Several
    /// acceptors run in the order in which they are given.
    ///
    /// With rustls it is `.with_acceptor(move |tcp| acceptor.accept(tcp))`, where `acceptor` is a
    /// `tokio_rustls::TlsAcceptor`; the example `serve_tls` is a whole program. Offer `h2` and `http/1.1` by
    /// ALPN; what the client then sends decides about the version. The closure is called for each connection,
    /// so that it can take a certificate that has been renewed.
    pub fn with_acceptor<A, F, Next, E>(self, acceptor: A) -> Serve<L, S, Next>
    where
        A: Fn(Io) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Next, E>> + Send,
        Next: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Serve {
            listener: self.listener,
            service: self.service,
            connect_info: self.connect_info,
            establish: self.establish.then(acceptor),
            settings: self.settings,
            timeouts: self.timeouts,
            max_connections: self.max_connections,
            shutdown: self.shutdown,
            graceful_timeout: self.graceful_timeout,
            handle: self.handle,
            observers: self.observers,
        }
    }

    /// Changes the settings of HTTP/1 connections: those of hyper.
    ///
    /// Two of them are other than hyper's: `half_close` is on, and `header_read_timeout`, 30 s, counts from
    /// the first byte of a head, so that it does not limit idle connections. Leave `timer` as it is. If you
    /// raise `max_buf_size`, tell the layer by [`Linger::max_buf_size`](crate::Linger::max_buf_size).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # async fn example(listener: tokio::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
    /// tower_expect::serve(listener, app)
    ///     .with_http1(|http1| {
    ///         http1.header_read_timeout(Duration::from_secs(10)).max_buf_size(64 * 1024);
    ///     })
    ///     .await
    /// # }
    /// ```
    pub fn with_http1(mut self, set: impl FnOnce(&mut Http1Builder)) -> Self {
        set(&mut self.settings.http1);
        self
    }

    /// Sets the settings of HTTP/2 connections.
    pub fn with_http2(mut self, http2: Http2Builder) -> Self {
        self.settings.http2 = http2;
        self
    }

    /// Sets how many connections may be open at the same time; unlimited unless set.
    ///
    /// At the limit, accepting pauses until a connection ends. Clients wait meanwhile in the backlog of the
    /// listener. An upgraded connection, such as that of a WebSocket, no longer counts.
    ///
    /// # Panics
    ///
    /// If it is 0, or larger than [`Semaphore::MAX_PERMITS`](tokio::sync::Semaphore::MAX_PERMITS).
    #[track_caller]
    pub fn max_connections(mut self, max: usize) -> Self {
        assert!(max > 0, "a server without connections serves nobody");
        assert!(
            max <= tokio::sync::Semaphore::MAX_PERMITS,
            "more connections than can be counted"
        );
        self.max_connections = Some(max);
        self
    }

    /// Sets how long a client may take from its connection to its first bytes of HTTP, handshakes of TLS
    /// included; 30 s unless set, `None` for no limit.
    ///
    /// The preface and SETTINGS of HTTP/2 have as long again. It takes the place of
    /// [`http2::Builder::handshake_timeout`](crate::http2::Builder::handshake_timeout).
    pub fn handshake_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeouts.handshake = Some(timeout.into());
        self
    }

    /// Sets how long a connection may be open without a request under way; 2 minutes unless set, `None` for
    /// no limit. Then it is closed, over HTTP/2 with GOAWAY.
    ///
    /// A proxy in front that keeps connections should close them first, or it may send a request to
    /// a connection that is being closed: make this longer than its own timeout.
    ///
    /// It takes the place of [`http2::Builder::idle_timeout`](crate::http2::Builder::idle_timeout).
    pub fn idle_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeouts.idle = Some(timeout.into());
        self
    }

    /// Sets how long an HTTP/1 client that has closed its sending side is waited for; 30 s unless set,
    /// `None` for no limit.
    ///
    /// Such a client may be waiting for its response (RFC 9112 §9.6), or it may be gone: TCP does not tell. It
    /// gets its response if that begins within this time, and as long as something of it can be written in
    /// each such time. Otherwise the connection is closed, and the service's future dropped. A client that
    /// resets the connection is noticed at once, but for while its body is not being read.
    ///
    /// To take such clients for gone, as hyper does by itself, turn this off by
    /// `.with_http1(|http1| { http1.half_close(false); })`.
    pub fn half_close_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.settings.half_close_timeout = timeout.into();
        self
    }

    /// Sets how long a write may wait for the client to take anything of it; unlimited unless set. Then the
    /// connection is closed, over HTTP/2 with all its streams.
    ///
    /// What a client is slow to take waits in memory, up to some 400 KiB a response, and holds the
    /// application's response body. A client that pauses for longer than this, such as a player of videos,
    /// loses its response. It does not limit a client of HTTP/2 that reads, but grants a stream no window
    /// (RFC 9113 §5.2): such a stream lasts as long as its connection.
    pub fn write_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.settings.write_timeout = timeout.into();
        self
    }

    /// Ends the server when `signal` is ready: no connection is accepted any more, those that are open
    /// finish what they have begun, and then the server's future is ready.
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
    /// A client that neither reads nor closes is waited for, unless
    /// [`graceful_timeout`](Self::graceful_timeout) is set. An upgraded connection, such as that of a
    /// WebSocket, is not waited for: tell its task yourself. See [`LingerStream`](crate::LingerStream) for
    /// how long connections linger that have just had a response.
    pub fn with_graceful_shutdown<F>(mut self, signal: F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.shutdown = Some(Box::pin(signal));
        self
    }

    /// Sets how long a graceful shutdown may take; unlimited unless set. Connections that are open by then
    /// are closed at once.
    pub fn graceful_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.graceful_timeout = timeout.into();
        self
    }

    /// Tells an observer of connections: [`Event::Connected`](crate::Event::Connected) and the others that
    /// name `serve`. With the feature `tracing` they are also events of `tracing`.
    ///
    /// `Metrics` (feature `metrics`) counts them. It may be given to the server and to a layer at the same
    /// time, since they tell of different things.
    pub fn observe(mut self, observer: impl Observe) -> Self {
        self.observers.add(observer);
        self
    }

    /// Returns the address that the server listens on.
    ///
    /// # Errors
    ///
    /// Those of [`Listener::local_addr`].
    pub fn local_addr(&self) -> io::Result<L::Addr> {
        self.listener.local_addr()
    }

    /// Sets the handle, so that several servers have the same: one for each listener, say.
    ///
    /// They are shut down together, also by a signal or a graceful timeout of one of them, and their
    /// connections counted together.
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
        self.handle = handle;
        self
    }

    /// Returns a handle, by which the server can be shut down and its connections counted from elsewhere.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
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
            accept::run(self).await;
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
            .field("listener", &self.listener)
            .field("settings", &self.settings)
            .field("timeouts", &self.timeouts)
            .field("max_connections", &self.max_connections)
            .field("graceful_timeout", &self.graceful_timeout)
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}
