//! Graceful shutdown while a rejected upload is being read on.

#[cfg(feature = "serve")]
use std::future::IntoFuture;
use std::{
    io::{Read, Write},
    net::SocketAddr,
    sync::mpsc,
    time::{Duration, Instant},
};

use axum::Router;
use http::{Request, StatusCode};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{io::AsyncReadExt, sync::oneshot};
use tower_expect::{Event, ExpectLayer, Linger, LingerEnd, Rejection, RequestHead};

use crate::support::{be_rejected, connect, listen, rejecting, within};

const IDLE: Duration = Duration::from_secs(2);
const AT_ONCE: Duration = Duration::from_millis(500);
/// That of the sockets of `serve`.
#[cfg(feature = "serve")]
const FIRST_BYTE: Duration = Duration::from_millis(500);

fn linger() -> Linger {
    Linger::default().idle(IDLE)
}

async fn assert_closed(mut stream: tokio::net::TcpStream) {
    let mut rest = Vec::new();
    // A reset is as good an end as any: the rejection has been read.
    let _ = within(5, stream.read_to_end(&mut rest)).await;
    assert!(rest.is_empty());
}

#[tokio::test]
async fn axum_closes_at_once_over_http1_and_the_rejection_has_been_seen() {
    let (listener, address) = listen().await;
    let layer = ExpectLayer::new(|_: &RequestHead| Err::<(), _>(Rejection::content_too_large(0)));
    let app = Router::new().fallback(|| async {});
    let app = app.layer(layer.linger(linger()));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let server = tokio::spawn(async move { server.await });

    let mut stream = connect(address).await;
    be_rejected(&mut stream).await;
    let started = Instant::now();
    stop.send(()).expect("running");
    within(5, server)
        .await
        .expect("no panic")
        .expect("no error");
    assert!(started.elapsed() < AT_ONCE);
    assert_closed(stream).await;
}

#[tokio::test]
async fn hyper_util_closes_at_once_over_http1_and_the_rejection_has_been_seen() {
    let (address, graceful) = serve_one().await;
    let mut stream = connect(address).await;
    be_rejected(&mut stream).await;
    let started = Instant::now();
    within(5, graceful.shutdown()).await;
    assert!(started.elapsed() < AT_ONCE);
    assert_closed(stream).await;
}

#[tokio::test]
async fn over_http2_it_waits_for_the_reading_to_end() {
    let (address, graceful) = serve_one().await;
    let (client, connection) = h2::client::handshake(connect(address).await)
        .await
        .expect("h2");
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await.expect("open");
    let request = Request::put("http://a/")
        .header("content-length", "100")
        .body(());
    let (response, _content) = client
        .send_request(request.expect("valid"), false)
        .expect("open");
    let response = within(5, response).await.expect("a rejection");
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);

    let started = Instant::now();
    within(5, graceful.shutdown()).await;
    let took = started.elapsed();
    assert!(
        took > IDLE / 2 && took < IDLE + Duration::from_secs(1),
        "{took:?}"
    );
    within(5, connection)
        .await
        .expect("no panic")
        .expect("no error");
}

#[cfg(feature = "serve")]
#[tokio::test]
async fn the_crates_own_server_waits_over_http1_for_a_silent_client_as_long_as_for_a_first_byte() {
    let (listener, address) = listen().await;
    let layer = ExpectLayer::new(|_: &RequestHead| Err::<(), _>(Rejection::content_too_large(0)));
    let app = Router::new().fallback(|| async {});
    let app = app.layer(layer.linger(linger()));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tower_expect::serve(listener, app).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let server = tokio::spawn(server.into_future());

    let mut stream = connect(address).await;
    be_rejected(&mut stream).await;
    let started = Instant::now();
    stop.send(()).expect("running");
    let ended = within(5, server).await.expect("no panic");
    ended.expect("no error");
    assert!(started.elapsed() < FIRST_BYTE + AT_ONCE);
    assert_closed(stream).await;
}

#[test]
fn a_runtime_that_is_dropped_cancels_the_reading_and_closes() {
    let (told, events) = mpsc::channel();
    let layer = ExpectLayer::new(|_: &RequestHead| Err::<(), _>(Rejection::content_too_large(0)))
        .linger(linger())
        .observe(move |event: &Event| told.send(event.clone()).expect("a receiver"));
    let app = Router::new().fallback(|| async {}).layer(layer);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (listener, address) = runtime.block_on(listen());
    runtime.spawn(async { axum::serve(listener, app).await });
    let mut client = std::net::TcpStream::connect(address).expect("listening");
    client
        .write_all(b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 1048576\r\n\r\n")
        .expect("open");
    let next = || events.recv_timeout(IDLE * 2).expect("an event");
    assert!(matches!(next(), Event::Rejected { .. }));
    assert!(matches!(next(), Event::Lingering { .. }));

    let rejection_end = b"send at most 0 bytes\n";
    let mut seen = Vec::new();
    while !seen.ends_with(rejection_end) {
        let mut byte = [0];
        client.read_exact(&mut byte).expect("more of the rejection");
        seen.push(byte[0]);
    }

    let started = Instant::now();
    drop(runtime);
    assert!(started.elapsed() < AT_ONCE);
    let last = next();
    let cancelled = LingerEnd::Cancelled;
    assert!(
        matches!(last, Event::Lingered { end, .. } if end == cancelled),
        "{last:?}"
    );
    assert_eq!(client.read(&mut [0]).expect("an end in order"), 0);
}

/// A server for one connection, rejecting.
async fn serve_one() -> (SocketAddr, GracefulShutdown) {
    let (listener, address) = listen().await;
    let graceful = GracefulShutdown::new();
    let watcher = graceful.watcher();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let server = auto::Builder::new(TokioExecutor::new());
        let service = TowerToHyperService::new(rejecting(linger()));
        let connection = server.serve_connection(TokioIo::new(stream), service);
        let _ = watcher.watch(connection).await;
    });
    (address, graceful)
}
