//! Graceful shutdown while a refused upload is being read on.

use std::time::{Duration, Instant};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{io::AsyncReadExt, sync::oneshot};
use tower_expect::{ExpectLayer, Linger, Rejection, RequestHead};

use crate::support::{be_refused, connect, listen, refusing, within};

const IDLE: Duration = Duration::from_secs(2);

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
async fn axum_ends_within_the_idle_bound_and_the_refusal_has_been_seen() {
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
    assert!(started.elapsed() < IDLE + Duration::from_secs(1));
    assert_closed(stream).await;
}

#[tokio::test]
async fn hyper_util_ends_within_the_idle_bound_and_the_refusal_has_been_seen() {
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

    let mut stream = connect(address).await;
    be_refused(&mut stream).await;
    let started = Instant::now();
    within(5, graceful.shutdown()).await;
    assert!(started.elapsed() < IDLE + Duration::from_secs(1));
    assert_closed(stream).await;
}
