//! Bodies and the absence of bodies.

use tokio::net::TcpStream;

use crate::support::{origin, proxy, Wire};

#[tokio::test]
async fn a_response_without_a_body_keeps_its_length_and_its_connection() {
    for (method, response) in [
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 1000\r\n\r\n",
        ),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
    ] {
        let address = origin(move |number, mut wire| async move {
            assert_eq!(number, 0, "one connection is enough");
            while !wire.head().await.is_empty() {
                wire.send(response).await;
            }
        })
        .await;
        let proxy = proxy(address, &[]).await;
        let mut wire = Wire::to(proxy).await;
        // hyper leaves it out of a 304, as it may.
        let is_head = method == "HEAD";
        for _ in 0..2 {
            wire.send(format!("{method} / HTTP/1.1\r\nhost: a\r\n\r\n"))
                .await;
            let head = wire.head().await;
            assert!(head.starts_with(&response.to_lowercase()[..12]), "{head}");
            assert!(
                !is_head || head.contains("content-length: 1000\r\n"),
                "{head}"
            );
        }
        let stream = TcpStream::connect(proxy).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::builder().method(method).uri("http://a/");
        let mut client = client.ready().await.unwrap();
        let (head, _) = client
            .send_request(request.body(()).unwrap(), true)
            .unwrap();
        let (head, mut body) = head.await.unwrap().into_parts();
        assert!(
            !is_head || head.headers["content-length"] == "1000",
            "{head:?}"
        );
        assert!(body.data().await.is_none(), "{head:?}");
    }
}

/// hyper's client would leave it out.
#[tokio::test]
async fn a_get_with_a_body_keeps_it() {
    for (framing, body) in [
        ("content-length: 5", "hello"),
        ("transfer-encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
    ] {
        for expect in ["", "expect: 100-continue\r\n"] {
            let address = origin(move |_, mut wire| async move {
                let head = wire.head().await;
                assert!(head.contains(&format!("\r\n{framing}\r\n")), "{head}");
                if head.contains("expect: 100-continue") {
                    wire.send("HTTP/1.1 100 Continue\r\n\r\n").await;
                }
                wire.receive(body).await;
                wire.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    .await;
            })
            .await;
            let mut wire = Wire::to(proxy(address, &[]).await).await;
            wire.send(format!(
                "GET / HTTP/1.1\r\nhost: a\r\n{expect}{framing}\r\n\r\n"
            ))
            .await;
            if !expect.is_empty() {
                wire.receive("HTTP/1.1 100 Continue\r\n\r\n").await;
            }
            wire.send(body).await;
            assert_eq!(wire.next().await.status(), 200);
        }
    }
}
