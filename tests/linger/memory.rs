//! Memory of sockets that linger, in a server with a process of its own.

use std::{future::Future, net::SocketAddr, time::Duration};

use axum::{routing::get, Router};
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower_expect::{Linger, LingerListener};

use crate::{
    process::{announce, wanted, Server},
    support::{connect, listen, within},
};

const TEST: &str = "memory::a_thousand_sockets_linger_at_once";
const CONNECTIONS: u64 = 1_000;
const LONG: Duration = Duration::from_secs(60);

/// In one thread, so that the allocator has one arena.
#[tokio::main(flavor = "current_thread")]
async fn serve() {
    let (listener, address) = listen().await;
    announce(address);
    let app = Router::new()
        .route("/", get(|| async {}))
        .fallback(|| async { StatusCode::UNAUTHORIZED });
    let bounds = Linger::default().idle(LONG).total(LONG);
    let listener = LingerListener::new(listener).bounds(bounds);
    axum::serve(listener, app).await.expect("never ends");
}

/// A connection that is kept, after a response.
async fn kept(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address).await;
    let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    stream.write_all(request).await.expect("open");
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        seen.push(stream.read_u8().await.expect("open"));
    }
    stream
}

/// A connection that lingers, and has one of the places.
async fn lingering(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address).await;
    let request = b"PUT /x HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n";
    stream.write_all(request).await.expect("open");
    let mut seen = Vec::new();
    stream.read_to_end(&mut seen).await.expect("in order");
    stream.write_all(&[0; 10_000]).await.expect("discarded");
    stream
}

/// Resident bytes for each of a thousand connections.
async fn cost<F: Future<Output = TcpStream>>(open: impl Fn(SocketAddr) -> F) -> u64 {
    let server = Server::start(TEST, "");
    // The first one brings the code itself into memory.
    let mut streams = vec![open(server.address).await];
    let before = server.resources();
    for _ in 0..CONNECTIONS {
        streams.push(open(server.address).await);
    }
    let after = server.resources();
    assert_eq!(after.descriptors - before.descriptors, streams.len() - 1);
    (after.memory - before.memory) / CONNECTIONS
}

#[test]
fn a_thousand_sockets_linger_at_once() {
    if wanted().is_some() {
        return serve();
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (kept, lingering) = runtime.block_on(within(60, async {
        (cost(kept).await, cost(lingering).await)
    }));
    println!("{kept} bytes for a connection that is kept, {lingering} for one that lingers");
    assert!(kept > 4_096, "nothing was measured");
    assert!(lingering < kept + 16_384);
}
