//! Graceful shutdown while a refused upload is being read on.

use std::{
    net::SocketAddr,
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
use tower_expect::{ExpectLayer, Linger, Rejection, RequestHead};

use crate::support::{be_refused, connect, listen, refusing, within};

const IDLE: Duration = Duration::from_secs(2);
const AT_ONCE: Duration = Duration::from_millis(500);

fn linger() -> Linger {
    Linger::default().idle(IDLE)
}

async fn assert_closed(mut stream: tokio::net::TcpStream) {
    let mut rest = Vec::new();
    // A reset is as good an end as any: the refusal has been read.
    let _ = within(5, stream.read_to_end(&mut rest)).await;
    assert!(rest.is_empty());
}

#[tokio::test]
async fn axum_closes_at_once_over_http1_and_the_refusal_has_been_seen() {
    let (listener, address) = listen().await;
    let layer = ExpectLayer::new(|_: &RequestHead| Err(Rejection::content_too_large(0)));
    let app = Router::new().fallback(|| async {});
    let app = app.layer(layer.linger(linger()));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let server = tokio::spawn(async move { server.await });

    let mut stream = connect(address).await;
    be_refused(&mut stream).await;
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
async fn hyper_util_closes_at_once_over_http1_and_the_refusal_has_been_seen() {
    let (address, graceful) = serve_one().await;
    let mut stream = connect(address).await;
    be_refused(&mut stream).await;
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
    let response = within(5, response).await.expect("a refusal");
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

/// A server for one connection, refusing.
async fn serve_one() -> (SocketAddr, GracefulShutdown) {
    let (listener, address) = listen().await;
    let graceful = GracefulShutdown::new();
    let watcher = graceful.watcher();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let server = auto::Builder::new(TokioExecutor::new());
        let service = TowerToHyperService::new(refusing(linger()));
        let connection = server.serve_connection(TokioIo::new(stream), service);
        let _ = watcher.watch(connection).await;
    });
    (address, graceful)
}
