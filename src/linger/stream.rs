//! A socket that lingers after it has been shut down.

use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{ready, Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::{discard::Discard, Linger};

/// A socket that lingers: shut down, it sends FIN, then discards what the client still sends.
///
/// A server that closes a socket with bytes unread, or to which bytes arrive after that, resets
/// the connection. The reset discards the response at the client, which reports "broken pipe"
/// rather than the 401 or 413 that it was sent. `LingerStream` delays the close until the client
/// has closed, too, or a bound of [`Linger`] is reached, so that the client sees the response
/// whether it looks while it sends or only afterwards. nginx calls this a lingering close; RFC
/// 9112 §9.6 recommends it.
///
/// Use it as the IO of any HTTP/1.1 server: below hyper, below TLS, or under `axum::serve` by
/// `LingerListener` (feature `axum`). It helps every early response to every request, with or
/// without `Expect`, and needs no layer. What arrives after the shutdown is never parsed, so no
/// request that is hidden in a body can be executed.
///
/// ```
/// use axum::{http::StatusCode, Router};
/// use hyper_util::{
///     rt::{TokioExecutor, TokioIo},
///     server::conn::auto,
///     service::TowerToHyperService,
/// };
/// use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::{TcpListener, TcpStream}};
/// use tower_expect::LingerStream;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Responds without reading the body.
/// let app: Router = Router::new().fallback(|| async { StatusCode::UNAUTHORIZED });
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let address = listener.local_addr()?;
/// tokio::spawn(async move {
///     while let Ok((stream, _)) = listener.accept().await {
///         let io = TokioIo::new(LingerStream::new(stream));
///         let service = TowerToHyperService::new(app.clone());
///         tokio::spawn(async move {
///             auto::Builder::new(TokioExecutor::new()).serve_connection(io, service).await
///         });
///     }
/// });
///
/// // Sends 8 MiB before it looks at the response.
/// let mut client = TcpStream::connect(address).await?;
/// client.write_all(b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 8388608\r\n\r\n").await?;
/// client.write_all(&vec![0; 8 << 20]).await?;
/// let mut response = String::new();
/// client.read_to_string(&mut response).await?;
/// assert!(response.starts_with("HTTP/1.1 401 "));
/// # Ok(())
/// # }
/// ```
///
/// # Bounds
///
/// After the shutdown, bytes are read and discarded until the client closes, or one of these
/// bounds of [`Linger`] is reached; then the socket may be dropped:
///
/// | bound | default | counted from |
/// |---|---|---|
/// | [`first_byte`](Linger::first_byte) | 500 ms | the last write, if nothing arrives after the shutdown |
/// | [`idle`](Linger::idle) | 5 s | the last byte that arrived |
/// | [`total`](Linger::total) | 30 s | the shutdown |
/// | [`max_bytes`](Linger::max_bytes) | unlimited | the shutdown |
/// | [`max_drains`](Linger::max_drains) | 1,024 | sockets from which bytes have arrived after the shutdown |
///
/// Since the first byte is counted from the last write, an idle connection that the server closes
/// does not linger: neither one kept alive, nor one that never had a request. [`Linger::hold`] and
/// [`Linger::keep_alive_up_to`] are of no effect here. `Duration::MAX` stands for no limit.
///
/// Clones of one `Linger` share the count of `max_drains`. Streams without
/// [`bounds`](Self::bounds) of their own share one count in the whole process.
///
/// # TLS
///
/// Put it below TLS: `acceptor.accept(LingerStream::new(tcp))`. What the client still sends is then
/// discarded without being decrypted. TLS writes its `close_notify` just before it shuts the
/// socket down, so that an idle connection lingers for `first_byte`, unless the client
/// closes before, as most do at once. Above TLS it works, too, at the price of decrypting.
///
/// # HTTP/2
///
/// An HTTP/2 connection lingers when it is closed as a whole. A stream of it does not: where a
/// response to an HTTP/2 request must survive an unread body, use [`ExpectLayer`](crate::ExpectLayer).
///
/// # Graceful shutdown
///
/// A server that waits for its connections also waits for those that linger: for one whose client
/// is silent 500 ms after the response, for one whose client goes on sending, however
/// slowly, 30 s (`first_byte` and `total`). Lower [`Linger::total`] if the server is to end sooner, or drop
/// the connections.
///
/// # Memory
///
/// A stream takes 80 bytes in place, and nothing on the heap while it is in use. Lingering takes one
/// timer of tokio's, 112 bytes, once the client pauses; the 16 KiB into which bytes are read are on the
/// stack. A thousand connections of axum took 20.6 KB each, whether they lingered or were kept alive.
///
/// # Tunnels
///
/// An owner that reads on after a shutdown, as `tokio::io::copy_bidirectional` does in a tunnel of
/// which one direction has ended, gets all bytes: its first read ends the lingering, whatever it
/// comes to. It must read in the task that shuts down. For halves that are
/// [split](tokio::io::split) among tasks, take the socket out by [`into_inner`](Self::into_inner)
/// before.
///
/// # Cancel safety
///
/// Dropping the stream at any time closes the socket at once; a client that is sending may lose the
/// response then. `poll_shutdown` may be called again after it was pending, and after it is done.
///
/// # Limits
///
/// The server must shut the stream down. hyper does so at each regular end of a connection (hyper
/// 1.12, `proto/h1/dispatch.rs:156`), after a 400 for a malformed head, too, but not after an error of
/// reading or writing, a panic of the service, or if its future is dropped.
///
/// # Panics
///
/// `poll_shutdown` panics in a tokio runtime whose time driver is off, if it has to wait. Outside of
/// a runtime it does not wait.
pub struct LingerStream<Io> {
    io: Io,
    bounds: Arc<Linger>,
    last_write: Option<Instant>,
    stage: Stage,
}

enum Stage {
    Open,
    /// Shut down for writing.
    Lingering(Discard),
    Ended,
}

impl<Io> LingerStream<Io> {
    /// Wraps a socket, with the default bounds.
    pub fn new(io: Io) -> Self {
        static DEFAULT: OnceLock<Arc<Linger>> = OnceLock::new();
        Self::shared(io, Arc::clone(DEFAULT.get_or_init(Arc::default)))
    }

    pub(super) fn shared(io: Io, bounds: Arc<Linger>) -> Self {
        Self {
            io,
            bounds,
            last_write: None,
            stage: Stage::Open,
        }
    }

    /// Sets the bounds of the lingering.
    #[must_use]
    pub fn bounds(mut self, bounds: Linger) -> Self {
        self.bounds = Arc::new(bounds);
        self
    }

    /// Returns the wrapped socket.
    pub fn get_ref(&self) -> &Io {
        &self.io
    }

    /// Returns the wrapped socket, mutably.
    ///
    /// What is written to it directly does not count as a write of the stream's: see
    /// [Bounds](Self#bounds).
    pub fn get_mut(&mut self) -> &mut Io {
        &mut self.io
    }

    /// Unwraps the socket. It lingers no more.
    pub fn into_inner(self) -> Io {
        self.io
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for LingerStream<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Stage::Lingering(_) = self.stage {
            self.stage = Stage::Ended;
        }
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> AsyncWrite for LingerStream<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.last_write = Some(Instant::now());
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices))?;
        self.last_write = Some(Instant::now());
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let mut io = Pin::new(&mut this.io);
        match &mut this.stage {
            Stage::Open => {
                ready!(io.as_mut().poll_shutdown(cx))?;
                this.stage = Stage::Lingering(Discard::begin(&this.bounds, this.last_write));
                // An owner that reads on, as a tunnel does, does so before it calls again.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Stage::Lingering(discard) => ready!(discard.poll(io, &this.bounds, cx)),
            Stage::Ended => {}
        }
        this.stage = Stage::Ended;
        Poll::Ready(Ok(()))
    }
}

impl<Io: fmt::Debug> fmt::Debug for LingerStream<Io> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LingerStream")
            .field("io", &self.io)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}
