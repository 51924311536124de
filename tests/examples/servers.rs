//! The servers of `axum_upload`, `axum_routes` and `hyper_server`, asked by the client of the tour.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    axum_routes, axum_upload, hyper_server,
    support::{accepted, listen, outcome, rejected, start, to},
    tour::exchange::{Exchange, MIB},
};

#[tokio::test]
async fn axum_upload_accepts_what_the_rules_accept() {
    let server = start(axum_upload::app()).await;
    assert_eq!(outcome(server, to("/upload/a.png")).await, accepted());
}

#[tokio::test]
async fn axum_upload_rejects_before_anything_is_sent() {
    let server = start(axum_upload::app()).await;
    let to = || to("/upload/a.png");
    let anonymous = || Exchange {
        authorization: None,
        ..to()
    };
    let empty = Exchange {
        body: 0,
        ..anonymous()
    };
    let large = Exchange {
        body: 101 * MIB,
        ..to()
    };
    let html = Exchange {
        content_type: "text/html",
        ..to()
    };
    let unknown = Exchange {
        expect: Some("100-continue, 200-ok"),
        ..to()
    };
    assert_eq!(outcome(server, anonymous()).await, rejected(401));
    assert_eq!(outcome(server, empty).await, rejected(401));
    assert_eq!(outcome(server, large).await, rejected(413));
    assert_eq!(outcome(server, html).await, rejected(415));
    assert_eq!(outcome(server, unknown).await, rejected(417));
}

#[tokio::test]
async fn the_early_response_of_the_handler_arrives() {
    let server = start(axum_upload::app()).await;
    let waiting = to("/upload/taken.bin");
    assert_eq!(outcome(server, waiting).await, rejected(409));
    let at_once = Exchange {
        waits: false,
        expect: None,
        body: 64 * MIB,
        ..to("/upload/taken.bin")
    };
    assert_eq!(outcome(server, at_once).await, (vec![409], 64 * MIB));
}

#[tokio::test]
async fn axum_upload_limits_what_a_chunked_request_sends() {
    let server = start(axum_upload::app()).await;
    let mut socket = TcpStream::connect(server).await.unwrap();
    let length = 101 * MIB;
    let head = format!(
        "PUT /upload/a.png HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cr3t\r\n\
         Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&vec![0; length]).await.unwrap();
    socket.write_all(b"\r\n0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\ntoo long\n"), "{answer}");
}

#[tokio::test]
async fn axum_routes_runs_the_outer_layer_first_and_the_inner_one_on_its_route_only() {
    let server = start(axum_routes::app()).await;
    let anonymous = Exchange {
        authorization: None,
        content_type: "text/html",
        ..to("/avatar")
    };
    let html = |target| Exchange {
        content_type: "text/html",
        ..to(target)
    };
    let small = Exchange {
        body: 100 << 10,
        ..to("/avatar")
    };
    let large = Exchange {
        body: 11 * MIB,
        ..to("/files")
    };
    assert_eq!(outcome(server, anonymous).await, rejected(401));
    assert_eq!(outcome(server, html("/files")).await, accepted());
    assert_eq!(outcome(server, html("/avatar")).await, rejected(415));
    assert_eq!(outcome(server, to("/avatar")).await, rejected(413));
    assert_eq!(outcome(server, small).await, (vec![100, 200], 100 << 10));
    assert_eq!(outcome(server, large).await, rejected(413));
}

#[tokio::test]
async fn hyper_server_takes_up_to_ten_mebibytes() {
    let (listener, server) = listen().await;
    tokio::spawn(hyper_server::serve(listener));
    assert_eq!(outcome(server, to("/")).await, accepted());
    let large = |body| Exchange { body, ..to("/") };
    let limit = 10 * MIB;
    assert_eq!(outcome(server, large(limit)).await, (vec![100, 200], limit));
    assert_eq!(outcome(server, large(limit + 1)).await, rejected(413));
}
