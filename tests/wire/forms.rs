//! A chunked form that succeeds keeps its connection: its last chunk is left when the last part is read.

use std::{future::IntoFuture, net::SocketAddr};

use axum::{extract::Multipart, routing::post, Router};
use tower_expect::ExpectLayer;

use crate::support::{listen, Wire};

const REQUESTS: usize = 20;

async fn count(mut form: Multipart) -> String {
    let mut bytes = 0;
    while let Some(part) = form.next_field().await.unwrap() {
        bytes += part.bytes().await.unwrap().len();
    }
    bytes.to_string()
}

fn app() -> Router {
    let app = Router::new().route("/", post(count));
    app.layer(ExpectLayer::default())
}

async fn servers() -> Vec<(&'static str, SocketAddr)> {
    let (listener, address) = listen().await;
    tokio::spawn(axum::serve(listener, app()).into_future());
    #[allow(unused_mut, reason = "without the features")]
    let mut servers = vec![("axum::serve", address)];
    #[cfg(feature = "axum")]
    {
        use tower_expect::{Linger, LingerListener};

        let (listener, address) = listen().await;
        let layer = ExpectLayer::default().linger(Linger::at_socket());
        let app = Router::new().route("/", post(count)).layer(layer);
        tokio::spawn(axum::serve(LingerListener::new(listener), app).into_future());
        servers.push(("axum::serve, lingering", address));
    }
    #[cfg(feature = "serve")]
    {
        let (listener, address) = listen().await;
        tokio::spawn(tower_expect::serve(listener, app()).into_future());
        servers.push(("serve", address));
    }
    servers
}

fn form(expect: &str) -> String {
    let part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nhello\r\n--b--\r\n";
    format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n{expect}\
         Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{part}\r\n0\r\n\r\n",
        part.len()
    )
}

#[tokio::test]
async fn a_chunked_form_keeps_its_connection() {
    for (server, address) in servers().await {
        let mut wire = Wire::to(address).await;
        for _ in 0..REQUESTS {
            wire.send(form("")).await;
            let response = wire.next().await;
            assert_eq!(
                (response.status(), &*response.content),
                (200, "5"),
                "{server}"
            );
            assert_eq!(response.field("connection"), None, "{server}");
        }
    }
}

#[tokio::test]
async fn so_does_one_whose_client_has_asked() {
    for (server, address) in servers().await {
        let mut wire = Wire::to(address).await;
        for _ in 0..REQUESTS {
            wire.send(form("Expect: 100-continue\r\n")).await;
            wire.receive_100().await;
            let response = wire.next().await;
            assert_eq!(
                (response.status(), &*response.content),
                (200, "5"),
                "{server}"
            );
            assert_eq!(response.field("connection"), None, "{server}");
        }
    }
}
