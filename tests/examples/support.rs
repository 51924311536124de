//! An app on a real socket, and what the client of the tour gets from it.

use std::net::SocketAddr;

use axum::{serve::ListenerExt, Router};
use tokio::net::TcpListener;

use crate::tour::{
    client::play,
    exchange::{Exchange, MIB},
};

pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

pub(crate) async fn start(app: Router) -> SocketAddr {
    let (listener, address) = listen().await;
    let listener = listener.tap_io(|socket| socket.set_nodelay(true).unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// An upload of 1 MiB, as a PNG with the token, that asks for a 100.
pub(crate) fn to(target: &'static str) -> Exchange {
    Exchange {
        target,
        ..Exchange::accepted("", 8)
    }
}

pub(crate) fn with_token(authorization: &'static str) -> Exchange {
    Exchange {
        authorization: Some(authorization),
        ..to("/some.bin")
    }
}

/// The statuses that arrived, and how many bytes of the body were sent.
pub(crate) async fn outcome(server: SocketAddr, exchange: Exchange) -> (Vec<u16>, usize) {
    let record = play(server, &exchange).await.unwrap();
    assert_eq!(record.failure, None);
    let status = |line: &String| line["HTTP/1.1 ".len()..][..3].parse().unwrap();
    (record.responses.iter().map(status).collect(), record.sent)
}

pub(crate) fn accepted() -> (Vec<u16>, usize) {
    (vec![100, 200], MIB)
}

pub(crate) fn rejected(status: u16) -> (Vec<u16>, usize) {
    (vec![status], 0)
}
