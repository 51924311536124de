//! Clients that close, or half-close, while the application has the request.

use std::{
    future::{pending, IntoFuture},
    net::SocketAddr,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};

use axum::{http::StatusCode, routing::post, Router};
use tokio::time::sleep;
use tower_expect::ExpectLayer;

use crate::support::{listen, soon, statuses, tries, Wire};

async fn servers(app: Router) -> Vec<(&'static str, SocketAddr)> {
    let (listener, address) = listen().await;
    let layered = app.clone().layer(ExpectLayer::default());
    tokio::spawn(axum::serve(listener, layered.clone()).into_future());
    #[allow(unused_mut, reason = "without the feature `serve`")]
    let mut servers = vec![("axum::serve", address)];
    #[cfg(feature = "serve")]
    for (name, app) in [("serve", app), ("serve, layer", layered)] {
        let (listener, address) = listen().await;
        // Where a client may half-close, one that is gone is noticed only so much later.
        let wait = Duration::from_millis(500);
        let server = tower_expect::serve(listener, app).half_close_timeout(wait);
        tokio::spawn(server.into_future());
        servers.push((name, address));
    }
    servers
}

/// Counts those that are running.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// hyper drops the future of a client that has sent all and is gone. It must not be kept from looking, by
/// the body that the handler has dropped.
#[tokio::test]
async fn a_handler_that_has_dropped_the_body_is_cancelled_when_its_client_is_gone() {
    let running = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&running);
    let app = Router::new().route(
        "/",
        post(move || async move {
            let _running = Running::new(&count);
            pending::<()>().await;
        }),
    );
    for (server, address) in servers(app).await {
        for headers in [
            "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
            "Content-Length: 5\r\n\r\nhello",
        ] {
            let mut wire = Wire::to(address).await;
            wire.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{headers}"))
                .await;
            let has = |expected| {
                let running = Arc::clone(&running);
                async move {
                    while running.load(Ordering::SeqCst) != expected {
                        sleep(Duration::from_millis(2)).await;
                    }
                }
            };
            soon("the handler does not run", has(1)).await;
            drop(wire);
            soon(&format!("{server} does not notice"), has(0)).await;
        }
    }
}

/// A turn of the connection would have hyper see the end of the client's half, and drop the response
/// (1.12.0, src/proto/h1/conn.rs:493). `serve` lets clients half-close anyway.
#[tokio::test]
async fn a_client_that_owes_its_body_and_half_closes_has_its_response() {
    let app = Router::new().route("/", post(|| async { StatusCode::UNAUTHORIZED }));
    for (server, address) in servers(app).await {
        for _ in 0..tries(60) {
            let mut wire = Wire::to(address).await;
            wire.send(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            )
            .await;
            wire.shut_down().await;
            let messages = wire.rest(true).await;
            assert_eq!(statuses(&messages), [401], "{server}");
        }
    }
}

#[tokio::test]
async fn a_limit_outside_of_the_layer_is_a_413_all_the_same() {
    let limit = tower_http::limit::RequestBodyLimitLayer::new(1 << 20);
    let app = Router::new().route(
        "/",
        post(|body: axum::body::Bytes| async move { body.len().to_string() }),
    );
    let app = app
        .layer(ExpectLayer::default())
        .layer(ExpectLayer::default())
        .layer(limit);
    let (listener, address) = listen().await;
    tokio::spawn(axum::serve(listener, app).into_future());
    let mut wire = Wire::to(address).await;
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..20 {
        if wire.try_send(&chunk).await.is_err() {
            break;
        }
    }
    assert_eq!(wire.next().await.status(), 413);
}
