//! A socket that lingers after its shutdown.

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

/// A socket that sends FIN when it is shut down, then discards what the client still sends.
///
/// A server that closes a socket while the client is sending resets the connection. The reset makes
/// the client discard the response that has arrived, and report "broken pipe" rather than the 401 or
/// 413. `LingerStream` delays the close until the client has closed, too, or a bound of [`Linger`] is
/// reached. The client then receives the response, whether it reads while it sends or afterwards. nginx
/// calls this a lingering close; RFC 9112 §9.6 recommends it.
///
/// Use it as the IO of any HTTP/1.1 server: below hyper, below TLS, or under `axum::serve` with
/// `LingerListener` (feature `axum`). Early responses arrive, to requests with and without `Expect`, and no
/// layer is needed. (There is one exception: after a 417, curl may repeat the request on a connection that
/// hyper without the layer has not announced to close. 36 of 500 uploads of 10 KiB got a 400, none with the
/// layer.) Bytes that arrive after the shutdown are never parsed, so no request that is hidden in a body is
/// executed. `Io` must be `Unpin`.
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
/// // Sends 8 MiB before it reads the response.
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
/// bounds of [`Linger`] is reached. Then the shutdown is done, and the server drops the socket.
///
/// | bound | default | counted from |
/// |---|---|---|
/// | [`first_byte`](Linger::first_byte) | 500 ms | the last write, if nothing arrives after the shutdown |
/// | [`idle`](Linger::idle) | 5 s | the last byte that arrived |
/// | [`total`](Linger::total) | 30 s | the shutdown |
/// | [`max_bytes`](Linger::max_bytes) | unlimited | the shutdown |
/// | [`max_drains`](Linger::max_drains) | 1,024 | sockets from which bytes have arrived after the shutdown |
///
/// `Duration::MAX` means no limit. [`Linger::hold`] and [`Linger::keep_alive_up_to`] have no effect here.
///
/// Since the first byte is counted from the last write, a connection that has been idle does not
/// linger when the server closes it, nor does one that never had a response. A stream cannot tell a
/// client that pauses in a body from one that is done: raise `first_byte` for clients that pause for longer
/// than 500 ms.
///
/// Clones of one `Linger` share the count of `max_drains`. Streams without [`bounds`](Self::bounds) of
/// their own share one count in the whole process.
///
/// # TLS
///
/// Put it below TLS: `acceptor.accept(LingerStream::new(tcp))`. The client's bytes are then discarded
/// without being decrypted. TLS writes `close_notify` right before it shuts the socket down, which counts as
/// the last write: an idle connection lingers for `first_byte`, or until the client closes, which most do at
/// once. Above TLS it works, too, but decrypts what it discards.
///
/// # HTTP/2
///
/// An HTTP/2 connection lingers when it is closed as a whole; its streams do not. There, an
/// [`ExpectLayer`](crate::ExpectLayer) makes early responses arrive.
///
/// # Graceful shutdown
///
/// A graceful shutdown waits for the connections that linger, axum's `with_graceful_shutdown` as well as
/// hyper-util's `GracefulShutdown`:
///
/// | the client | the shutdown waits for, at most | default |
/// |---|---|---|
/// | is idle | nothing | 0 |
/// | got its response just now, and sends nothing | `first_byte` | 500 ms |
/// | sends, then pauses | `idle` | 5 s |
/// | sends at any speed | `total` | 30 s |
///
/// Lower these bounds if the server must end sooner, or drop its future.
///
/// # Memory
///
/// A stream takes 80 bytes in place, and nothing on the heap while it is in use. Lingering takes one
/// timer of tokio's, 112 bytes, once the client pauses. The 16 KiB buffer is on the stack. A thousand
/// connections of axum took 20.6 KB each, whether they lingered or were kept alive.
///
/// # Tunnels
///
/// An owner that reads after the shutdown gets all bytes, and thereby ends the lingering.
/// `tokio::io::copy_bidirectional` does so in a tunnel of which one direction has ended. The
/// read must be in the task that shuts down: before `tokio::io::split` gives the halves to two tasks,
/// take the socket out of the stream with [`into_inner`](Self::into_inner).
///
/// # Cancel safety
///
/// Dropping the stream closes the socket at once: a client that is sending may lose the response. A
/// shutdown that was dropped while pending can be called again, and continues.
///
/// # Limits
///
/// The server must shut the stream down. hyper does so at each regular end of a connection (hyper 1.12,
/// `proto/h1/dispatch.rs:156`), also after the 400 to a malformed head. It does not after an error of
/// reading or writing, after a panic of the service, or when its future is dropped.
///
/// # Panics
///
/// `poll_shutdown` panics if it has to wait in a tokio runtime without a time driver. Outside of a runtime
/// it does not wait.
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
    /// Creates a stream from a socket, with the default bounds.
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

    /// Returns a reference to the wrapped socket.
    pub fn get_ref(&self) -> &Io {
        &self.io
    }

    /// Returns a mutable reference to the wrapped socket.
    ///
    /// A direct write to it does not count as the last write: see [Bounds](Self#bounds).
    pub fn get_mut(&mut self) -> &mut Io {
        &mut self.io
    }

    /// Returns the wrapped socket, which no longer lingers.
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
                // An owner that continues to read, as a tunnel does, does so before it calls again.
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
