//! The servers below the stacks. A further one is a further entry of [`SERVERS`].

use std::{future::IntoFuture, net::SocketAddr};

use axum::{serve::ListenerExt, Router};
use tokio::net::TcpListener;

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    /// Whether the server itself sees to it that no hidden request is executed, in any stack.
    pub(crate) vouches: bool,
    /// Whether it serves HTTP/2, and sends a 100 there.
    pub(crate) http2: bool,
    run: fn(TcpListener, Router),
}

pub(crate) static SERVERS: &[Server] = &[
    Server {
        name: "axum::serve",
        vouches: false,
        http2: false,
        run: axum_serve,
    },
    Server {
        name: "serve",
        vouches: true,
        http2: true,
        run: serve,
    },
];

fn axum_serve(listener: TcpListener, app: Router) {
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    tokio::spawn(axum::serve(listener, app).into_future());
}

fn serve(listener: TcpListener, app: Router) {
    tokio::spawn(tower_expect::serve(listener, app).into_future());
}

impl Server {
    pub(crate) async fn start(&self, app: Router) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        (self.run)(listener, app);
        address
    }
}
