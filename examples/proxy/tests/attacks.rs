//! Requests and responses that are made to be taken for two, and expectations that are none.

use std::{net::SocketAddr, time::Duration};

use crate::support::{origin, proxy, Notes, Wire};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n";
const ASK: &str = "PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n";

/// An origin that notes all that it gets, and says `response` to each connection's first head.
async fn noting(response: &'static str) -> (SocketAddr, Notes<String>) {
    let notes = Notes::new();
    let seen = notes.clone();
    let address = origin(move |_, mut wire| {
        let seen = seen.clone();
        async move {
            seen.note(wire.head().await);
            wire.send(response).await;
            seen.note(wire.rest().await);
        }
    })
    .await;
    (address, notes)
}

/// What the client gets for the bytes until it is closed, or for half a second; and what the origin got.
async fn exchange(bytes: &str, response: &'static str) -> (String, Vec<String>) {
    let (address, seen) = noting(response).await;
    let mut wire = Wire::to(proxy(address, &[]).await).await;
    wire.send(bytes).await;
    let got = wire.within(Duration::from_millis(500)).await;
    (got, seen.all())
}

#[tokio::test]
async fn a_request_behind_a_rejected_body_is_never_carried_out() {
    for status in ["401 ", "413 ", "200 OK"] {
        let response: &str = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nno").leak();
        for framing in ["content-length: 1000", "transfer-encoding: chunked"] {
            let bytes = format!("{ASK}{framing}\r\n\r\n{HIDDEN}");
            let (address, seen) = noting(response).await;
            let mut wire = Wire::to(proxy(address, &[]).await).await;
            wire.send(bytes).await;
            let got = wire.rest().await;
            assert_eq!(got.matches("HTTP/1.1 ").count(), 1, "{got}");
            assert!(got.contains("\r\nconnection: close\r\n"), "{got}");
            let seen = seen.wait_for(2).await;
            assert_eq!(seen.len(), 2, "{seen:?}");
            assert_eq!(seen[1], "", "the origin got something of the body");
        }
    }
}

#[tokio::test]
async fn a_request_is_rejected_whose_length_can_be_read_in_two_ways() {
    for (framing, status) in [
        ("transfer-encoding: gzip, chunked", 501),
        ("transfer-encoding: chunked, chunked", 501),
        (
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
            501,
        ),
        (
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked, identity",
            400,
        ),
        ("transfer-encoding: xchunked", 400),
        ("transfer-encoding: chunked, identity", 400),
        ("transfer-encoding : chunked", 400),
        ("transfer-encoding: identity\r\ncontent-length: 5", 400),
        ("content-length: 5\r\ncontent-length: 6", 400),
        ("content-length: 5, 6", 400),
        ("content-length: +5", 400),
        ("content-length: -5", 400),
        ("content-length: 0x5", 400),
        ("content-length: 5 5", 400),
        ("content-length: 18446744073709551616", 400),
    ] {
        let bytes = format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n0\r\n\r\n{HIDDEN}");
        let (got, seen) = exchange(&bytes, OK).await;
        assert!(
            got.starts_with(&format!("HTTP/1.1 {status} ")),
            "{framing}: {got}"
        );
        assert_eq!(got.matches("HTTP/1.1 ").count(), 1, "{framing}: {got}");
        assert!(seen.is_empty(), "{framing}: {seen:?}");
    }
}

#[tokio::test]
async fn an_http10_request_in_chunks_is_rejected() {
    let bytes = "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let (got, seen) = exchange(bytes, OK).await;
    assert!(got.contains(" 400 "), "{got}");
    assert!(seen.is_empty(), "{seen:?}");
}

/// Chunked counts (RFC 9112 §6.3), and the origin is told of nothing else.
#[tokio::test]
async fn of_a_length_and_chunks_the_origin_sees_the_chunks() {
    for framing in [
        "content-length: 3\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 3",
    ] {
        let bytes =
            format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        let (address, heads) = noting("").await;
        let mut wire = Wire::to(proxy(address, &[]).await).await;
        wire.send(bytes).await;
        let head = heads.wait_for(1).await.remove(0);
        assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
        assert!(!head.contains("content-length"), "{head}");
    }
}

#[tokio::test]
async fn a_request_without_one_valid_host_is_rejected() {
    for lines in [
        "",
        "host: a\r\nhost: a\r\n",
        "host: a b\r\n",
        "host: u@a\r\n",
        "host:\r\n",
        "host: a/b\r\n",
    ] {
        let (got, seen) = exchange(&format!("GET / HTTP/1.1\r\n{lines}\r\n"), OK).await;
        assert!(got.starts_with("HTTP/1.1 400 "), "{lines}: {got}");
        assert!(seen.is_empty(), "{lines}: {seen:?}");
    }
}

#[tokio::test]
async fn a_tunnel_by_connect_is_rejected() {
    let (got, seen) = exchange("CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n", OK).await;
    assert!(got.starts_with("HTTP/1.1 501 "), "{got}");
    assert!(seen.is_empty(), "{seen:?}");
}

/// What the client sends behind its `Expect` lines, how many the origin gets, and the first status that
/// the client gets; 0 for none.
#[tokio::test]
async fn expectations_are_made_one_or_none_or_are_rejected() {
    let body = "content-length: 5\r\n";
    let long = "content-length: 5000000\r\n";
    for (lines, framing, status, at_origin) in [
        (
            "expect: 100-continue\r\nexpect: 100-continue\r\n",
            body,
            401,
            Some(1),
        ),
        ("expect: 100-continue, 100-Continue\r\n", body, 417, None),
        ("expect: ,\r\nexpect: 100-CONTINUE\r\n", body, 401, Some(1)),
        (
            "expect: 100-continue\r\n",
            "content-length: 0\r\n",
            401,
            Some(0),
        ),
        ("expect: 100-continue\r\n", "", 401, Some(0)),
        ("expect:\r\n", long, 401, Some(0)),
        ("expect: ,,\r\n", long, 401, Some(0)),
        ("", long, 401, Some(0)),
        ("", "transfer-encoding: chunked\r\n", 401, Some(0)),
        (
            "expect: 100-continue\r\nconnection: expect\r\n",
            long,
            100,
            Some(0),
        ),
        ("expect: 200-ok\r\n", body, 417, None),
        ("expect: 100-continue, 200-ok\r\n", body, 417, None),
        ("expect: 100-continue;a=b\r\n", body, 417, None),
        (
            "expect: 100-continue\r\nexpect: y 100-continue\r\n",
            body,
            400,
            None,
        ),
        ("expect: 100 continue\r\n", body, 400, None),
        ("expect: \"100-continue\r\n", body, 400, None),
    ] {
        let bytes = format!("PUT / HTTP/1.1\r\nhost: a\r\n{lines}{framing}\r\n");
        let no = "HTTP/1.1 401 \r\ncontent-length: 2\r\n\r\nno";
        let (got, seen) = exchange(&bytes, no).await;
        assert!(
            got.starts_with(&format!("HTTP/1.1 {status} ")),
            "{lines:?}: {got}"
        );
        let asked = seen.first().map(|head| head.matches("\r\nexpect:").count());
        assert_eq!(asked, at_origin, "{lines:?}: {seen:?}");
    }
}

#[tokio::test]
async fn http10_expects_nothing_and_gets_no_100() {
    let bytes = "PUT / HTTP/1.0\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\nhello";
    let (got, seen) = exchange(bytes, OK).await;
    assert!(got.starts_with("HTTP/1.0 200 OK\r\n"), "{got}");
    assert!(!seen[0].contains("\r\nexpect"), "{seen:?}");
}

#[tokio::test]
async fn a_response_is_rejected_whose_length_can_be_read_in_two_ways() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, identity\r\n",
        "HTTP/1.1 200 OK\r\nx: a\rHTTP/1.1 200 OK\r\ncontent-length: 0\r\n",
        "HTTP/1.1 200 OK\r\nx: a\r\n folded: b\r\ncontent-length: 0\r\n",
        "HTTP/1.1 200 OK\r\nx\u{0}: a\r\ncontent-length: 0\r\n",
        "HTTP/1.1 099 \r\ncontent-length: 0\r\n",
    ] {
        let response: &str = format!("{head}\r\n5\r\nhello\r\n0\r\n\r\n").leak();
        let (got, _) = exchange(
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
            response,
        )
        .await;
        assert!(got.starts_with("HTTP/1.1 502 "), "{head:?}: {got}");
        assert_eq!(got.matches("HTTP/1.1 ").count(), 1, "{head:?}: {got}");
    }
}

#[tokio::test]
async fn of_a_length_and_chunks_the_client_sees_the_chunks() {
    for framing in [
        "content-length: 3\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 3",
    ] {
        let response =
            format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n5\r\nhello\r\n0\r\n\r\n").leak();
        let (got, _) = exchange("GET / HTTP/1.1\r\nhost: a\r\n\r\n", response).await;
        assert!(got.ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "{got}");
        assert!(!got.contains("content-length"), "{got}");
    }
}

#[tokio::test]
async fn a_second_response_reaches_nobody() {
    let address = origin(|number, mut wire| async move {
        wire.head().await;
        let body = format!("{number}!");
        let own = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{body}");
        let other = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
        wire.send(format!("{own}{other}")).await;
        wire.rest().await;
    })
    .await;
    let proxy = proxy(address, &[]).await;
    for number in 0..10 {
        let mut wire = Wire::to(proxy).await;
        wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let response = wire.next().await;
        assert_eq!(response.content, format!("{number}!")[..2]);
    }
}

#[tokio::test]
async fn a_body_in_broken_chunks_ends_the_origins_request() {
    let (address, seen) = noting("").await;
    let mut wire = Wire::to(proxy(address, &[]).await).await;
    wire.send("PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nz\r\n")
        .await;
    let response = wire.next().await;
    assert_eq!(response.status(), 400, "{response:?}");
    assert_eq!(response.content, "the body of the request breaks off\n");
    let seen = seen.wait_for(2).await;
    assert!(!seen[1].contains("0\r\n\r\n"), "{seen:?}");
}

#[tokio::test]
async fn after_a_length_and_chunks_the_connection_is_closed() {
    let framing = "content-length: 3\r\ntransfer-encoding: chunked";
    let bytes = format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n0\r\n\r\n{HIDDEN}");
    let address = origin(|_, mut wire| async move {
        loop {
            let head = wire.head().await;
            if head.is_empty() {
                return;
            }
            assert!(!head.contains("hidden"), "{head}");
            wire.receive("0\r\n\r\n").await;
            wire.send(OK).await;
        }
    })
    .await;
    let mut wire = Wire::to(proxy(address, &[]).await).await;
    wire.send(bytes).await;
    let got = wire.within(Duration::from_millis(500)).await;
    assert_eq!(got.matches("HTTP/1.1 ").count(), 1, "{got}");
}

/// Such a body is one that breaks off, so that the origin's request never ends.
#[tokio::test]
async fn an_http2_body_of_another_length_than_announced_ends_the_origins_request() {
    for length in [3, 7] {
        let (address, seen) = noting("").await;
        let stream = tokio::net::TcpStream::connect(proxy(address, &[]).await)
            .await
            .unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::put("http://a/").header("content-length", length);
        let mut client = client.ready().await.unwrap();
        let (response, mut body) = client
            .send_request(request.body(()).unwrap(), false)
            .unwrap();
        seen.wait_for(1).await;
        body.send_data("hello".into(), true).unwrap();
        let error = response.await.unwrap_err();
        assert_eq!(error.reason(), Some(h2::Reason::PROTOCOL_ERROR), "{error}");
        let rest = seen.wait_for(2).await.remove(1);
        assert_ne!(rest.len(), length, "{rest:?}");
    }
}

#[tokio::test]
async fn two_expectations_over_http2_are_one_to_the_origin() {
    for lines in [
        &["100-continue", "100-continue"][..],
        &["100-continue, 100-CONTINUE"],
    ] {
        let (address, seen) = noting("HTTP/1.1 401 \r\ncontent-length: 2\r\n\r\nno").await;
        let stream = tokio::net::TcpStream::connect(proxy(address, &[]).await)
            .await
            .unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let mut request = http::Request::put("http://a/");
        for line in lines {
            request = request.header("expect", *line);
        }
        let mut client = client.ready().await.unwrap();
        let (response, _body) = client
            .send_request(request.body(()).unwrap(), false)
            .unwrap();
        assert_eq!(response.await.unwrap().status(), 401);
        let head = seen.wait_for(1).await.remove(0);
        assert_eq!(
            head.matches("\r\nexpect: 100-continue\r\n").count(),
            1,
            "{head}"
        );
        assert_eq!(head.matches("\r\nexpect").count(), 1, "{head}");
    }
}
