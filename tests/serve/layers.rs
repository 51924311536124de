//! What `serve` leaves to others: layers, acceptors, the kernel.

use std::time::Duration;

use axum::{
    body::Body,
    extract::Extension,
    routing::{get, put},
    Router,
};
use http_body_util::BodyExt;
use tokio::{net::TcpStream, time::Instant};
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::support::{bound, connect, piped, read_all, read_to, within, write};

#[tokio::test(start_paused = true)]
async fn a_layer_ends_a_body_that_stalls() {
    let read = |body: Body| async {
        match body.collect().await {
            Ok(_) => "whole",
            Err(_) => "too slow",
        }
    };
    let timeout = RequestBodyTimeoutLayer::new(Duration::from_secs(10));
    let app = Router::new().route("/", put(read)).layer(timeout);
    let (dial, _) = piped(app, |server| server);
    let mut client = dial.connect();
    let started = Instant::now();
    let request = "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n01234";
    write(&mut client, request).await;
    read_to(&mut client, "\r\n\r\ntoo slow").await;
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_handler_closes_its_own_connection_over_http1() {
    let close = || async { [("connection", "close")] };
    let (dial, _) = piped(Router::new().route("/", get(close)), |server| server);
    let mut client = dial.connect();
    let started = Instant::now();
    write(&mut client, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let seen = read_all(&mut client).await;
    assert!(seen.starts_with("HTTP/1.1 200 OK\r\n"), "{seen}");
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn tcp_does_not_wait_for_more_to_send() {
    #[derive(Clone)]
    struct NoDelay(bool);

    let handler =
        |Extension(NoDelay(on)): Extension<NoDelay>| async move { format!("nodelay: {on}") };
    let app = Router::new().route("/", get(handler));
    let (address, _) = bound(app, |server| {
        server.with_stream_info(|tcp: &TcpStream| NoDelay(tcp.nodelay().expect("open")))
    })
    .await;
    let mut client = connect(address).await;
    write(&mut client, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    within(read_to(&mut client, "nodelay: true")).await;
}
