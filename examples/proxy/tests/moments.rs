//! When the client learns what, and when the origin does: silence, clients that leave, origins that stop.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpSocket, TcpStream},
    time::{sleep, Instant},
};

use crate::support::{listen, origin, proxy, soon, Notes, Wire};

const ASK: &str = "PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// An origin that reads a head and then until it is closed, and notes when that was and what it read.
async fn silent() -> (SocketAddr, Notes<&'static str>, Notes<(Instant, String)>) {
    let (begun, ended) = (Notes::new(), Notes::new());
    let notes = (begun.clone(), ended.clone());
    let address = origin(move |_, mut wire| {
        let (begun, ended) = notes.clone();
        async move {
            wire.head().await;
            begun.note("");
            let rest = wire.rest().await;
            ended.note((Instant::now(), rest));
        }
    })
    .await;
    (address, begun, ended)
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_closes_the_origins_connection_at_the_timer() {
    let (address, begun, ended) = silent().await;
    let proxy = proxy(address, &["--expect-timeout", "0.5"]).await;
    for reset in [false, true] {
        let mut wire = Wire::to(proxy).await;
        let started = Instant::now();
        wire.send(ASK).await;
        let number = if reset { 2 } else { 1 };
        begun.wait_for(number).await;
        if reset {
            wire.stream.set_zero_linger().unwrap();
        }
        drop(wire);
        let (end, rest) = ended.wait_for(number).await.remove(number - 1);
        let took = end - started;
        assert!(took < Duration::from_millis(1500), "{took:?}");
        assert_eq!(rest, "");
        println!("reset {reset}: the origin's connection was closed after {took:?}");
    }
}

#[tokio::test]
async fn an_http2_client_that_resets_its_stream_closes_the_origins_connection_at_once() {
    let (address, begun, ended) = silent().await;
    let proxy = proxy(address, &["--expect-timeout", "30"]).await;
    let stream = TcpStream::connect(proxy).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::put("http://a/").header("expect", "100-continue");
    let request = request.header("content-length", 5).body(()).unwrap();
    let mut client = client.ready().await.unwrap();
    let (_response, mut body) = client.send_request(request, false).unwrap();
    begun.wait_for(1).await;
    let left = Instant::now();
    body.send_reset(h2::Reason::CANCEL);
    let (end, rest) = ended.wait_for(1).await.remove(0);
    assert!(end - left < Duration::from_secs(1), "{:?}", end - left);
    assert_eq!(rest, "");
}

/// It is known to be gone if it resets, and is waited for if it has only closed its side.
#[tokio::test]
async fn a_client_that_leaves_while_it_waits_for_its_response_is_noticed() {
    for (reset, least, most) in [(true, 0, 500), (false, 500, 2000)] {
        let (address, begun, ended) = silent().await;
        let proxy = proxy(address, &["--half-close-timeout", "0.5"]).await;
        let mut wire = Wire::to(proxy).await;
        wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        begun.wait_for(1).await;
        let left = Instant::now();
        if reset {
            wire.stream.set_zero_linger().unwrap();
        }
        drop(wire);
        let (end, _) = ended.wait_for(1).await.remove(0);
        let took = (end - left).as_millis();
        assert!((least..most).contains(&took), "reset {reset}: {took} ms");
    }
}

#[tokio::test]
async fn a_client_that_closes_its_side_gets_its_response() {
    let address = origin(|_, mut wire| async move {
        let head = wire.head().await;
        if head.contains("expect:") {
            wire.send("HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        if head.contains("content-length: 5") {
            wire.receive("hello").await;
        }
        sleep(Duration::from_millis(100)).await;
        wire.send(OK).await;
    })
    .await;
    let proxy = proxy(address, &[]).await;
    for request in [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(),
        "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello".to_owned(),
        format!("{ASK}hello"),
    ] {
        use tokio::io::AsyncWriteExt;
        let mut wire = Wire::to(proxy).await;
        wire.send(&request).await;
        wire.stream.shutdown().await.unwrap();
        let got = wire.rest().await;
        assert!(got.contains("HTTP/1.1 200 OK\r\n"), "{request:?}: {got:?}");
        assert!(got.ends_with("ok"), "{request:?}: {got:?}");
    }
}

/// A body that has stopped in its midst is no reason to wait, nor a complete request for the origin.
#[tokio::test]
async fn a_client_that_leaves_in_the_midst_of_its_body_ends_the_origins_request() {
    for framing in ["content-length: 9", "transfer-encoding: chunked"] {
        let (address, begun, ended) = silent().await;
        let proxy = proxy(address, &[]).await;
        let mut wire = Wire::to(proxy).await;
        wire.send(format!(
            "PUT / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n5\r\nhi"
        ))
        .await;
        begun.wait_for(1).await;
        let left = Instant::now();
        drop(wire);
        let (end, rest) = ended.wait_for(1).await.remove(0);
        assert!(end - left < Duration::from_secs(1), "{:?}", end - left);
        assert!(!rest.contains("0\r\n\r\n"), "{rest:?}");
    }
}

#[tokio::test]
async fn an_origin_that_does_not_respond_is_a_504_once_nothing_moves() {
    let (address, ..) = silent().await;
    let proxy = proxy(
        address,
        &["--response-timeout", "0.5", "--expect-timeout", "0.2"],
    )
    .await;
    for request in [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(),
        format!("{ASK}hello"),
    ] {
        let started = Instant::now();
        let mut wire = Wire::to(proxy).await;
        wire.send(&request).await;
        let got = wire.within(Duration::from_secs(2)).await;
        assert!(got.contains("HTTP/1.1 504 Gateway Timeout\r\n"), "{got}");
        assert!(got.contains("no response of the origin in time\n"), "{got}");
        let took = started.elapsed();
        assert!(took > Duration::from_millis(500), "{took:?}");
    }
}

#[tokio::test]
async fn a_body_that_moves_may_take_longer() {
    let address = origin(|_, mut wire| async move {
        wire.head().await;
        wire.receive("hello").await;
        wire.send(OK).await;
    })
    .await;
    let mut wire = Wire::to(proxy(address, &["--response-timeout", "0.4"]).await).await;
    wire.send("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n")
        .await;
    for byte in "hello".chars() {
        sleep(Duration::from_millis(200)).await;
        wire.send(byte.to_string()).await;
    }
    assert_eq!(wire.next().await.status(), 200);
}

#[tokio::test]
async fn an_origin_that_is_not_there_is_a_502_and_asks_for_no_body() {
    let (listener, address) = listen().await;
    drop(listener);
    let proxy = proxy(address, &[]).await;
    for request in ["GET / HTTP/1.1\r\nhost: a\r\n\r\n", ASK] {
        let mut wire = Wire::to(proxy).await;
        wire.send(request).await;
        let response = wire.next().await;
        assert_eq!(response.status(), 502, "{response:?}");
        assert_eq!(response.content, "the origin can't be reached\n");
    }
}

/// Linux keeps one connection more than the backlog, and leaves others without an answer.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_origin_that_accepts_no_connection_is_a_504() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let _listener = socket.listen(1).unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
    {
        queue.push(stream.unwrap());
        assert!(queue.len() < 100, "there is no end");
    }
    let mut wire = Wire::to(proxy(address, &["--connect-timeout", "0.3"]).await).await;
    wire.send(ASK).await;
    let response = wire.next().await;
    assert_eq!(response.status(), 504, "{response:?}");
    assert_eq!(
        response.content,
        "the origin accepts no connection in time\n"
    );
}

#[tokio::test]
async fn a_response_that_breaks_off_is_seen_to_break_off() {
    for (head, piece) in [
        ("content-length: 9", "hello"),
        ("transfer-encoding: chunked", "5\r\nhello\r\n"),
    ] {
        let address = origin(move |_, mut wire| async move {
            wire.head().await;
            wire.send(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{piece}"))
                .await;
        })
        .await;
        let mut wire = Wire::to(proxy(address, &[]).await).await;
        wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let got = soon("the end", wire.rest()).await;
        assert!(got.starts_with("HTTP/1.1 200 OK\r\n"), "{got}");
        assert!(got.ends_with(piece), "{got}");
    }
}

/// The origin closes a connection that the proxy has pooled, just as the next request comes.
#[tokio::test]
async fn a_request_that_a_dead_connection_has_taken_is_repeated_where_that_is_safe() {
    for (method, framing, status) in [
        ("GET", "", 200),
        ("DELETE", "", 200),
        ("POST", "content-length: 0\r\n", 502),
        ("PUT", "content-length: 5\r\n", 502),
        ("PUT", "expect: 100-continue\r\ncontent-length: 5\r\n", 100),
        ("POST", "expect: 100-continue\r\ncontent-length: 5\r\n", 502),
    ] {
        let address = origin(|number, mut wire| async move {
            wire.head().await;
            if number == 0 {
                wire.send(OK).await;
                // The head arrives, and nobody is there.
                wire.head().await;
                return;
            }
            wire.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .await;
            wire.rest().await;
        })
        .await;
        let proxy = proxy(address, &[]).await;
        let mut wire = Wire::to(proxy).await;
        wire.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert_eq!(wire.next().await.status(), 200);
        let body = if framing.contains(" 5") && status != 100 && !framing.contains("expect") {
            "hello"
        } else {
            ""
        };
        wire.send(format!(
            "{method} / HTTP/1.1\r\nhost: a\r\n{framing}\r\n{body}"
        ))
        .await;
        let response = wire.next().await;
        assert_eq!(
            response.status(),
            status,
            "{method} {framing:?}: {response:?}"
        );
    }
}
