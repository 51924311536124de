//! Servers that reject, on loopback.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::{util::BoxCloneSyncService, ServiceBuilder};
use tower_expect::{ExpectBody, ExpectLayer, Linger, Rejection, RequestHead, ResponseBody};

pub(crate) type Rejecting =
    BoxCloneSyncService<Request<Incoming>, Response<ResponseBody<Full<Bytes>>>, Infallible>;

/// Rejects every request with content with 413.
pub(crate) fn rejecting(linger: Linger) -> Rejecting {
    let layer = ExpectLayer::new(|_: &RequestHead| Err::<(), _>(Rejection::content_too_large(0)));
    let service = ServiceBuilder::new()
        .layer(layer.linger(linger))
        .service_fn(|_: Request<ExpectBody<Incoming>>| async {
            Ok::<_, Infallible>(Response::new(Full::from("accepted")))
        });
    BoxCloneSyncService::new(service)
}

pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

pub(crate) async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("listening");
    stream.set_nodelay(true).expect("a TCP socket");
    stream
}

/// Sends a head that announces a mebibyte and reads the head of the rejection.
pub(crate) async fn be_rejected(stream: &mut TcpStream) {
    let head = "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 1048576\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("open");
    let mut seen = Vec::new();
    while !seen.ends_with(b"send at most 0 bytes\n") {
        let mut buffer = [0; 1024];
        let len = within(5, stream.read(&mut buffer)).await.expect("open");
        assert_ne!(len, 0, "closed after {:?}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&buffer[..len]);
    }
    let status = format!("HTTP/1.1 {}\r\n", StatusCode::PAYLOAD_TOO_LARGE);
    assert!(seen.starts_with(status.as_bytes()));
}

pub(crate) async fn within<T>(seconds: u64, future: impl std::future::Future<Output = T>) -> T {
    let limit = Duration::from_secs(seconds);
    tokio::time::timeout(limit, future).await.expect("in time")
}
