//! The heads that the proxy passes on, both ways, byte by byte.

use std::net::SocketAddr;

use bytes::Bytes;
use tokio::net::TcpStream;

use crate::support::{origin, proxy, Notes, Wire};

/// An origin that notes what it gets, and responds with the bytes.
async fn noting(response: &'static str) -> (SocketAddr, Notes<String>) {
    let notes = Notes::new();
    let heads = notes.clone();
    let address = origin(move |_, mut wire| {
        let heads = heads.clone();
        async move {
            loop {
                let head = wire.head().await;
                if head.is_empty() {
                    return;
                }
                heads.note(head);
                wire.send(response).await;
            }
        }
    })
    .await;
    (address, notes)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// The head that the origin gets, with its own address as `origin`.
async fn passed_on(request: &str) -> String {
    let (address, heads) = noting(OK).await;
    let mut wire = Wire::to(proxy(address, &[]).await).await;
    wire.send(request).await;
    let response = wire.next().await;
    assert_eq!(response.status(), 200, "{response:?}");
    let heads = heads.all();
    assert_eq!(heads.len(), 1, "{heads:?}");
    heads[0].replace(&address.to_string(), "origin")
}

#[tokio::test]
async fn the_origin_is_told_who_asks_for_whom() {
    let head = passed_on("GET /a?b=c HTTP/1.1\r\nhost: example.com\r\n\r\n").await;
    let mut lines: Vec<_> = head.lines().collect();
    lines[1..].sort_unstable();
    let expected = [
        "get /a?b=c http/1.1",
        "",
        "forwarded: for=127.0.0.1;host=\"example.com\";proto=http",
        "host: origin",
        "via: 1.1 tower-expect",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: example.com",
        "x-forwarded-proto: http",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn what_earlier_proxies_said_stays_in_front() {
    let head = passed_on(
        "GET / HTTP/1.1\r\nhost: a\r\nforwarded: for=1.1.1.1\r\nforwarded: for=2.2.2.2\r\n\
         x-forwarded-for: 1.1.1.1, 2.2.2.2\r\nvia: 1.0 one\r\nvia: 1.1 two\r\n\r\n",
    )
    .await;
    for line in [
        "forwarded: for=1.1.1.1, for=2.2.2.2, for=127.0.0.1;host=\"a\";proto=http",
        "x-forwarded-for: 1.1.1.1, 2.2.2.2, 127.0.0.1",
        "via: 1.0 one, 1.1 two, 1.1 tower-expect",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{head}");
    }
}

#[tokio::test]
async fn a_quoted_string_that_is_left_open_hides_nothing() {
    for value in ["for=\"x", "for=\"x\\\"", "for=\"x\\"] {
        let request = format!("GET / HTTP/1.1\r\nhost: a\r\nforwarded: {value}\r\n\r\n");
        let head = passed_on(&request).await;
        let line = "\r\nforwarded: for=127.0.0.1;host=\"a\";proto=http\r\n";
        assert!(head.contains(line), "{head}");
    }
}

#[tokio::test]
async fn what_is_meant_for_the_proxy_alone_stays_behind() {
    let head = passed_on(
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, X-One , upgrade\r\n\
         connection: x-two,x-\u{fc},,x-forwarded-for\r\nx-one: 1\r\nX-TWO: 2\r\nx-three: 3\r\n\
         keep-alive: timeout=5\r\nproxy-connection: keep-alive\r\nproxy-authorization: Basic x\r\n\
         te: gzip\r\nx-forwarded-for: 6.6.6.6\r\n\r\n",
    )
    .await;
    let names = head
        .lines()
        .filter_map(|line| Some(line.split_once(": ")?.0));
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    let expected = [
        "forwarded",
        "host",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-three",
    ];
    assert_eq!(names, expected, "{head}");
    assert!(head.contains("x-forwarded-for: 127.0.0.1\r\n"), "{head}");
}

#[tokio::test]
async fn a_client_of_trailers_is_one_still() {
    let head =
        passed_on("GET / HTTP/1.1\r\nhost: a\r\nconnection: te\r\nte: Trailers;q=1\r\n\r\n").await;
    assert!(head.contains("\r\nte: trailers\r\n"), "{head}");
    assert!(head.contains("\r\nconnection: te\r\n"), "{head}");
}

#[tokio::test]
async fn each_form_of_target_and_each_version_is_passed_on() {
    for (line, host, target, via) in [
        (
            "GET http://b/x?y HTTP/1.1\r\nhost: a\r\n",
            "b",
            "/x?y",
            "1.1",
        ),
        ("GET http://b HTTP/1.1\r\nhost: a\r\n", "b", "/", "1.1"),
        ("OPTIONS * HTTP/1.1\r\nhost: a\r\n", "a", "*", "1.1"),
        ("GET / HTTP/1.0\r\nhost: a\r\n", "a", "/", "1.0"),
        (
            "GET //x/../y HTTP/1.1\r\nhost: [::1]:80\r\n",
            "[::1]:80",
            "//x/../y",
            "1.1",
        ),
    ] {
        let head = passed_on(&format!("{line}\r\n")).await;
        let first = format!(" {target} http/1.1\r\n");
        assert!(head.contains(&first), "{head}");
        assert!(
            head.contains(&format!("x-forwarded-host: {host}\r\n")),
            "{head}"
        );
        assert!(
            head.contains(&format!("via: {via} tower-expect\r\n")),
            "{head}"
        );
    }
    let head = passed_on("GET / HTTP/1.0\r\n\r\n").await;
    assert!(!head.contains("x-forwarded-host"), "{head}");
    assert!(
        head.contains("forwarded: for=127.0.0.1;proto=http\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn what_comes_back_is_the_origins_but_for_what_was_meant_for_the_proxy() {
    let (address, _) = noting(
        "HTTP/1.1 200 Whatever\r\nconnection: x-one, close\r\nx-one: 1\r\nx-two: 2\r\n\
         keep-alive: timeout=5\r\nproxy-authenticate: Basic\r\nupgrade: h2c\r\nvia: 1.0 one\r\n\
         set-cookie: a=1\r\nset-cookie: b=2\r\ndate: today\r\ncontent-length: 2\r\n\r\nok",
    )
    .await;
    let mut wire = Wire::to(proxy(address, &[]).await).await;
    wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let response = wire.next().await;
    assert_eq!(response.content, "ok");
    let mut lines: Vec<_> = response.head.lines().collect();
    lines[1..].sort_unstable();
    let expected = [
        "HTTP/1.1 200 OK",
        "",
        "content-length: 2",
        "date: today",
        "set-cookie: a=1",
        "set-cookie: b=2",
        "via: 1.0 one, 1.1 tower-expect",
        "x-two: 2",
    ];
    assert_eq!(lines, expected);
}

/// To an origin of HTTP/1.1 by HTTP/2.
#[tokio::test]
async fn http2_becomes_http1_with_one_line_of_cookies() {
    let (address, heads) = noting(OK).await;
    let stream = TcpStream::connect(proxy(address, &[]).await).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("http://example.com/a")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("te", "trailers")
        .body(())
        .unwrap();
    let mut client = client.ready().await.unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["via"], "1.1 tower-expect");
    let head = &heads.all()[0];
    for line in [
        "host: ORIGIN",
        "cookie: a=1; b=2",
        "te: trailers",
        "connection: te",
        "x-forwarded-host: example.com",
        "via: 2 tower-expect",
    ] {
        let line = line.replace("ORIGIN", &address.to_string());
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
    }
}

/// An origin of HTTP/2 that notes heads, and responds with the body and its trailers.
async fn echo_by_http2() -> (SocketAddr, Notes<http::request::Parts>) {
    let (notes, heads) = {
        let notes = Notes::new();
        (notes.clone(), notes)
    };
    let address = origin(move |_, wire| {
        let heads = heads.clone();
        async move {
            let mut connection = h2::server::handshake(wire.stream).await.unwrap();
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                let (head, mut body) = request.into_parts();
                heads.note(head);
                tokio::spawn(async move {
                    // hyper's server sends only trailers that were announced.
                    let response = http::Response::builder().header("trailer", "x-sum");
                    let response = response.body(()).unwrap();
                    let mut send = respond.send_response(response, false).unwrap();
                    while let Some(Ok(piece)) = body.data().await {
                        let _ = body.flow_control().release_capacity(piece.len());
                        send.send_data(piece, false).unwrap();
                    }
                    match body.trailers().await.unwrap() {
                        Some(trailers) => send.send_trailers(trailers).unwrap(),
                        None => send.send_data(Bytes::new(), true).unwrap(),
                    }
                });
            }
        }
    })
    .await;
    (address, notes)
}

#[tokio::test]
async fn http1_becomes_http2_with_its_trailers() {
    let (address, heads) = echo_by_http2().await;
    let proxy = proxy(address, &["--http2"]).await;
    for (expect, interim) in [("", false), ("expect: 100-continue\r\n", true)] {
        let mut wire = Wire::to(proxy).await;
        wire.send(format!(
            "PUT /a HTTP/1.1\r\nhost: example.com\r\ntrailer: x-sum\r\nconnection: te\r\nte: trailers\r\n\
             {expect}transfer-encoding: chunked\r\n\r\n"
        ))
        .await;
        if interim {
            wire.receive("HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        wire.send("5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n").await;
        let head = wire.head().await;
        assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
        assert!(head.contains("via: 2 tower-expect\r\n"), "{head}");
        wire.receive("5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n").await;
    }
    let heads = heads.all();
    assert_eq!(heads.len(), 2);
    for head in heads {
        assert_eq!(head.uri.authority().unwrap().as_str(), address.to_string());
        assert_eq!(head.headers["x-forwarded-host"], "example.com");
        assert_eq!(head.headers["te"], "trailers");
        assert!(!head.headers.contains_key("host"));
        assert!(!head.headers.contains_key("connection"));
    }
}

#[tokio::test]
async fn trailers_pass_between_http1_and_http1_both_ways() {
    let address = origin(|_, mut wire| async move {
        wire.head().await;
        wire.receive("5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n").await;
        wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-len\r\n\r\n")
            .await;
        wire.send("2\r\nok\r\n0\r\nx-len: 2\r\nx-other: 1\r\n\r\n")
            .await;
    })
    .await;
    let mut wire = Wire::to(proxy(address, &[]).await).await;
    wire.send(
        "PUT / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: te\r\ntrailer: x-sum\r\n\
         transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 5\r\ncontent-length: 9\r\n\r\n",
    )
    .await;
    assert!(wire.head().await.starts_with("http/1.1 200 ok\r\n"));
    wire.receive("2\r\nok\r\n0\r\nx-len: 2\r\n\r\n").await;
}
