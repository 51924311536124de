//! A 101 to a request whose body is unread: it is read first, or there is no 101.
//!
//! hyper hands the connection to whoever waits for the upgrade when it ends, also after a response that
//! is no 101 (1.12.0, src/proto/h1/dispatch.rs:153). So the end of the connection is the application's
//! affair here.

use std::{convert::Infallible, future::IntoFuture, net::SocketAddr};

use axum::{body::Body, Router};
use http::{header, Request, Response, StatusCode};
use hyper::upgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{copy, split};
use tower::service_fn;
use tower_expect::ExpectLayer;

use crate::support::{listen, quick, Wire};

/// Sends back what comes over the new protocol. Reads nothing of the body, which it drops, or keeps.
async fn switch(mut request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let upgraded = upgrade::on(&mut request);
    let kept = (request.uri().path() == "/kept").then_some(request);
    tokio::spawn(async move {
        let _kept = kept;
        let (mut reader, mut writer) = split(TokioIo::new(upgraded.await.unwrap()));
        copy(&mut reader, &mut writer).await
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, "echo".parse().unwrap());
    headers.insert(header::CONNECTION, "upgrade".parse().unwrap());
    Ok(response)
}

async fn servers() -> Vec<(&'static str, SocketAddr)> {
    let app = Router::new().fallback_service(service_fn(switch));
    let app = app.layer(quick(ExpectLayer::default()));
    let (listener, address) = listen().await;
    tokio::spawn(axum::serve(listener, app.clone()).into_future());
    #[allow(unused_mut, reason = "without the feature `serve`")]
    let mut servers = vec![("axum::serve", address)];
    #[cfg(feature = "serve")]
    {
        let (listener, address) = listen().await;
        tokio::spawn(tower_expect::serve(listener, app).into_future());
        servers.push(("serve", address));
    }
    servers
}

fn head(path: &str, headers: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n{headers}\r\n"
    )
}

const BODIES: [(&str, &str); 2] = [
    ("Content-Length: 7\r\n", "content"),
    (
        "Transfer-Encoding: chunked\r\n",
        "7\r\ncontent\r\n0\r\n\r\n",
    ),
];

#[tokio::test]
async fn the_body_is_read_before_the_101() {
    for (server, address) in servers().await {
        for (framing, body) in BODIES {
            for expect in ["", "Expect: 100-continue\r\n"] {
                let mut wire = Wire::to(address).await;
                wire.send(head("/", &[framing, expect].concat())).await;
                if !expect.is_empty() {
                    wire.receive_100().await;
                }
                wire.send(body).await;
                assert_eq!(wire.next_head().await.status(), 101, "{server}");
                wire.send("ping").await;
                wire.receive("ping").await;
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_is_there_with_its_head_is_read_before_the_101() {
    for (server, address) in servers().await {
        for (framing, body) in BODIES {
            let mut wire = Wire::to(address).await;
            wire.send(head("/", framing) + body).await;
            assert_eq!(wire.next_head().await.status(), 101, "{server}");
            wire.send("ping").await;
            wire.receive("ping").await;
        }
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_makes_it_a_500() {
    for (server, address) in servers().await {
        for (framing, _) in BODIES {
            let mut wire = Wire::to(address).await;
            wire.send(head("/", &[framing, "Expect: 100-continue\r\n"].concat()))
                .await;
            wire.receive_100().await;
            let response = wire.next().await;
            assert_eq!(response.status(), 500, "{server}");
            assert_eq!(response.field("connection"), Some("close"));
        }
    }
}

#[tokio::test]
async fn a_body_that_the_application_keeps_makes_it_a_500() {
    for (server, address) in servers().await {
        for (framing, body) in BODIES {
            for expect in ["", "Expect: 100-continue\r\n"] {
                let mut wire = Wire::to(address).await;
                wire.send(head("/kept", &[framing, expect].concat())).await;
                let response = wire.next().await;
                assert_eq!(response.status(), 500, "{server}");
                assert_eq!(response.field("connection"), Some("close"));
                _ = wire.try_send(body).await;
            }
        }
    }
}

#[tokio::test]
async fn a_101_to_a_request_without_a_body_is_as_it_was() {
    for (server, address) in servers().await {
        for expect in ["", "Expect: 100-continue\r\n"] {
            let mut wire = Wire::to(address).await;
            wire.send(head("/kept", expect)).await;
            assert_eq!(wire.next_head().await.status(), 101, "{server}");
            wire.send("ping").await;
            wire.receive("ping").await;
        }
    }
}
