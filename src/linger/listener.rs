//! A listener for axum whose sockets linger.

use std::{io, sync::Arc};

use axum::serve::Listener;

use super::{Linger, LingerStream};

/// A listener for `axum::serve` whose connections are [`LingerStream`]s.
///
/// Early responses of the application, such as a handler's 401 or an extractor's 413, then reach clients that
/// are still sending. No layer is needed.
///
/// ```
/// use axum::{http::StatusCode, routing::put, Router};
/// use tokio::net::TcpListener;
/// use tower_expect::LingerListener;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let app: Router = Router::new().route("/", put(|| async { StatusCode::UNAUTHORIZED }));
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// # let stop = async {};
/// axum::serve(LingerListener::new(listener), app)
/// #     .with_graceful_shutdown(stop)
///     .await
/// # }
/// ```
///
/// [`LingerStream`] describes the bounds, and the effect on graceful shutdowns, memory and TLS. The
/// connections of one listener share the count of [`Linger::max_drains`].
///
/// Set socket options such as `TCP_NODELAY` with axum's `ListenerExt::tap_io` on the wrapped listener:
/// `LingerListener::new(listener.tap_io(|tcp| …))`.
///
/// # Cancel safety
///
/// Accepting is as cancel safe as the wrapped listener.
///
/// # Together with the layer
///
/// Tell an [`ExpectLayer`](crate::ExpectLayer) of such a listener with [`Linger::at_socket`]:
///
/// ```
/// # use axum::Router;
/// # use tokio::net::TcpListener;
/// use tower_expect::{ExpectLayer, Linger, LingerListener};
///
/// # async fn example(app: Router, listener: TcpListener) -> std::io::Result<()> {
/// let linger = Linger::at_socket();
/// let listener = LingerListener::new(listener).bounds(linger.clone());
/// let app = app.layer(ExpectLayer::default().linger(linger));
/// axum::serve(listener, app).await
/// # }
/// ```
///
/// # ConnectInfo
///
/// axum implements `Connected` for `SocketAddr` only with its own listeners, and the orphan rule allows no
/// other crate to do so. Implement it for a type of yours:
///
/// ```
/// use std::net::SocketAddr;
///
/// use axum::{
///     extract::connect_info::{ConnectInfo, Connected},
///     routing::get,
///     serve::IncomingStream,
///     Router,
/// };
/// use tokio::net::TcpListener;
/// use tower_expect::LingerListener;
///
/// #[derive(Clone)]
/// struct Peer(SocketAddr);
///
/// impl Connected<IncomingStream<'_, LingerListener<TcpListener>>> for Peer {
///     fn connect_info(stream: IncomingStream<'_, LingerListener<TcpListener>>) -> Self {
///         Self(*stream.remote_addr())
///     }
/// }
///
/// async fn whoami(ConnectInfo(Peer(address)): ConnectInfo<Peer>) -> String {
///     address.to_string()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let app = Router::new().route("/", get(whoami));
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let address = listener.local_addr()?;
/// let app = app.into_make_service_with_connect_info::<Peer>();
/// # use std::future::IntoFuture;
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// tokio::spawn(axum::serve(LingerListener::new(listener), app).into_future());
///
/// let mut client = tokio::net::TcpStream::connect(address).await?;
/// client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await?;
/// let mut response = String::new();
/// client.read_to_string(&mut response).await?;
/// assert!(response.ends_with(&client.local_addr()?.to_string()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct LingerListener<L> {
    listener: L,
    bounds: Arc<Linger>,
}

impl<L> LingerListener<L> {
    /// Creates a listener from another, with the default bounds.
    pub fn new(listener: L) -> Self {
        Self {
            listener,
            bounds: Arc::default(),
        }
    }

    /// Sets the bounds of the lingering.
    pub fn bounds(mut self, bounds: Linger) -> Self {
        self.bounds = Arc::new(bounds);
        self
    }

    /// Returns a reference to the wrapped listener.
    pub fn get_ref(&self) -> &L {
        &self.listener
    }

    /// Returns a mutable reference to the wrapped listener.
    pub fn get_mut(&mut self) -> &mut L {
        &mut self.listener
    }

    /// Returns the wrapped listener, without this one.
    pub fn into_inner(self) -> L {
        self.listener
    }
}

impl<L: Listener> Listener for LingerListener<L> {
    type Io = LingerStream<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (io, address) = self.listener.accept().await;
        (LingerStream::shared(io, Arc::clone(&self.bounds)), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
