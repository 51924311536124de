//! The trait for sources of connections.

use std::{future::Future, io};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};

/// Accepts connections for [`serve`](crate::serve()).
///
/// Implemented for tokio's `TcpListener`, with `TCP_NODELAY` on accepted sockets (without it, small responses
/// may be delayed by 40 ms), and for tokio's `UnixListener`. [`FromAxum`](super::FromAxum) adapts any listener
/// of `axum::serve` (feature `axum`).
///
/// Implement it for sources of yours. To set `TCP_NODELAY` on a wrapped `TcpListener`, call
/// `Listener::accept(&mut self.inner)`; `self.inner.accept()` is tokio's method and does not set it. This is a
/// listener of pipes in memory:
///
/// ```
/// use std::io;
/// use tokio::{io::DuplexStream, sync::mpsc};
/// use tower_expect::serve::Listener;
///
/// struct Pipes(mpsc::Receiver<DuplexStream>);
///
/// impl Listener for Pipes {
///     type Io = DuplexStream;
///     type Addr = ();
///
///     async fn accept(&mut self) -> io::Result<(DuplexStream, ())> {
///         match self.0.recv().await {
///             Some(pipe) => Ok((pipe, ())),
///             // No more will come: the server goes on until it is shut down.
///             None => std::future::pending().await,
///         }
///     }
///
///     fn local_addr(&self) -> io::Result<()> {
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use std::future::IntoFuture;
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// let app: axum::Router = axum::Router::new();
/// let (sender, receiver) = mpsc::channel(1);
/// tokio::spawn(tower_expect::serve(Pipes(receiver), app).into_future());
///
/// let (mut client, server) = tokio::io::duplex(4096);
/// sender.send(server).await?;
/// client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await?;
/// let mut response = String::new();
/// client.read_to_string(&mut response).await?;
/// assert!(response.starts_with("HTTP/1.1 404 "));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a listener that `tower_expect::serve` can accept connections from",
    label = "not a listener",
    note = "tokio's `TcpListener` and `UnixListener` are; turn one of the standard library into one by `set_nonblocking(true)` and `from_std`",
    note = "wrap a listener of `axum::serve` in `tower_expect::serve::FromAxum` (feature `axum`); a `LingerListener` is not needed, pass the listener inside"
)]
pub trait Listener: Send + 'static {
    /// The type of connections.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The type of addresses.
    type Addr: Send + 'static;

    /// Accepts the next connection.
    ///
    /// # Errors
    ///
    /// After an error, [`serve`](crate::serve()) calls it again: at once if the connection has already ended,
    /// otherwise after a pause, for example with too many open files.
    ///
    /// # Cancel safety
    ///
    /// An implementation must be cancel safe: the future is dropped when the server is shut down.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, Self::Addr)>> + Send;

    /// Returns the address that the listener is bound to.
    ///
    /// # Errors
    ///
    /// The errors of the operating system.
    fn local_addr(&self) -> io::Result<Self::Addr>;
}

impl Listener for TcpListener {
    type Io = TcpStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> io::Result<(Self::Io, Self::Addr)> {
        let (stream, address) = Self::accept(self).await?;
        // Fails only on a connection that is gone already, which will be noticed.
        let _ = stream.set_nodelay(true);
        Ok((stream, address))
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Self::local_addr(self)
    }
}

#[cfg(unix)]
impl Listener for tokio::net::UnixListener {
    type Io = tokio::net::UnixStream;
    type Addr = tokio::net::unix::SocketAddr;

    async fn accept(&mut self) -> io::Result<(Self::Io, Self::Addr)> {
        Self::accept(self).await
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Self::local_addr(self)
    }
}
