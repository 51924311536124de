//! `axum_auth`: the handler is told who it is, others get the app's own JSON.

use std::net::SocketAddr;

use serde_json::{json, Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    axum_auth,
    support::{accepted, outcome, rejected, start, to},
    tour::exchange::{Exchange, MIB},
};

/// The status and the JSON of the response to a request that sends nothing but its head.
async fn response(server: SocketAddr, head: &str) -> (u16, Value) {
    let mut socket = TcpStream::connect(server).await.unwrap();
    let head = format!("{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let status = head["HTTP/1.1 ".len()..][..3].parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn error(code: &str, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message } })
}

#[tokio::test]
async fn an_upload_with_a_token_is_stored_for_its_user() {
    let server = start(axum_auth::app()).await;
    let large = Exchange {
        body: 9 * MIB,
        ..to("/files")
    };
    assert_eq!(outcome(server, to("/files")).await, accepted());
    assert_eq!(outcome(server, large).await, (vec![100, 200], 9 * MIB));
    let head = "PUT /files HTTP/1.1\r\nAuthorization: Bearer s3cr3t\r\nContent-Length: 0";
    let stored = json!({ "stored_for": "alice", "bytes": 0 });
    assert_eq!(response(server, head).await, (200, stored));
}

#[tokio::test]
async fn others_are_rejected_before_anything_is_sent_and_in_the_apps_own_json() {
    let server = start(axum_auth::app()).await;
    let with = |authorization| Exchange {
        authorization,
        ..to("/files")
    };
    let large = Exchange {
        body: 11 * MIB,
        ..to("/files")
    };
    assert_eq!(outcome(server, with(None)).await, rejected(401));
    assert_eq!(outcome(server, with(Some("Bearer x"))).await, rejected(401));
    assert_eq!(outcome(server, large).await, rejected(413));

    let head = "PUT /files HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5";
    let expected = error("no_token", "repeat the request with valid credentials");
    assert_eq!(response(server, head).await, (401, expected));
    let head = format!("{head}\r\nAuthorization: Bearer wrong");
    let expected = error("unknown_token", "repeat the request with valid credentials");
    assert_eq!(response(server, &head).await, (401, expected));
}

#[tokio::test]
async fn an_empty_upload_needs_the_token_and_the_page_does_not() {
    let server = start(axum_auth::app()).await;
    let empty = "PUT /files HTTP/1.1\r\nContent-Length: 0";
    assert_eq!(response(server, empty).await.0, 401);
    assert_eq!(response(server, "GET /files HTTP/1.1").await.0, 401);
    assert_eq!(response(server, "GET / HTTP/1.1").await.0, 200);
}
