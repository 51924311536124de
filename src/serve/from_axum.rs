//! An adapter for axum's listeners.

use std::io;

use super::Listener;

/// Adapts a listener of `axum::serve` to [`serve`](crate::serve()).
///
/// ```
/// use axum::{serve::ListenerExt, Router};
/// use tokio::net::TcpListener;
/// use tower_expect::serve::FromAxum;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let app: Router = Router::new();
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
/// let server = tower_expect::serve(FromAxum::new(listener), app);
/// # server.with_graceful_shutdown(async {}).await
/// # }
/// ```
///
/// axum's listeners never return an error: they log accept errors and pause by themselves. A `LingerListener`
/// is not needed here, since [`serve`](crate::serve()) lingers at the socket.
#[derive(Clone, Debug)]
pub struct FromAxum<L>(L);

impl<L> FromAxum<L> {
    /// Creates an adapter for a listener of axum.
    pub fn new(listener: L) -> Self {
        Self(listener)
    }

    /// Returns the wrapped listener.
    pub fn into_inner(self) -> L {
        self.0
    }
}

impl<L> Listener for FromAxum<L>
where
    L: axum::serve::Listener,
    L::Addr: 'static,
{
    type Io = L::Io;
    type Addr = L::Addr;

    async fn accept(&mut self) -> io::Result<(Self::Io, Self::Addr)> {
        Ok(self.0.accept().await)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}
