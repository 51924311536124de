//! Servers on loopback ports, and a client that sends and receives literal bytes.

use std::{error::Error, future::Future, io, net::SocketAddr, time::Duration};

use http::{Request, Response, StatusCode};
use http_body::Body;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tower::Service;
use tower_expect::{ExpectLayer, Rejection, RequestHead};

#[path = "../support/message.rs"]
mod message;
#[path = "../support/tries.rs"]
mod tries;

pub(crate) use self::{message::Message, tries::tries};

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;
pub(crate) type Check = fn(&RequestHead) -> Result<(), Rejection>;

const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) async fn soon<F: Future>(or_else: &str, future: F) -> F::Output {
    let result = timeout(PATIENCE, future).await;
    result.unwrap_or_else(|_| panic!("{or_else} within {PATIENCE:?}"))
}

/// A layer that rejects what the field `x-reject` of the request names.
pub(crate) fn layer() -> ExpectLayer<Check> {
    quick(ExpectLayer::new(by_field))
}

/// The same with short waits, so that connections end soon.
#[cfg(feature = "tokio")]
pub(crate) fn quick<V>(layer: ExpectLayer<V>) -> ExpectLayer<V> {
    let wait = Duration::from_millis(80);
    let linger = tower_expect::Linger::default();
    layer.linger(linger.first_byte(wait).idle(wait).hold(wait))
}

#[cfg(not(feature = "tokio"))]
pub(crate) fn quick<V>(layer: ExpectLayer<V>) -> ExpectLayer<V> {
    layer
}

pub(crate) fn by_field(head: &RequestHead) -> Result<(), Rejection> {
    let Some(status) = head.headers.get("x-reject") else {
        return Ok(());
    };
    Err(match status.to_str().unwrap() {
        "308" => Rejection::redirect(StatusCode::PERMANENT_REDIRECT, "/elsewhere"),
        "401" => Rejection::unauthorized("Bearer"),
        "413" => Rejection::content_too_large(1024),
        "415" => Rejection::unsupported_media_type(["image/png"]),
        status => Rejection::new(status.parse().unwrap()),
    })
}

pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

pub(crate) async fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// hyper's HTTP/1 server.
pub(crate) async fn serve_http1<S, R>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Into<BoxError>,
{
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let stream = TokioIo::new(accept(&listener).await);
            let service = TowerToHyperService::new(service.clone());
            let connection = http1::Builder::new().serve_connection(stream, service);
            tokio::spawn(connection.with_upgrades());
        }
    });
    address
}

/// hyper-util's server for HTTP/1 and HTTP/2.
pub(crate) async fn serve<S, R>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Into<BoxError>,
{
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let stream = TokioIo::new(accept(&listener).await);
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                _ = server.serve_connection(stream, service).await;
            });
        }
    });
    address
}

/// An HTTP/1 connection, seen from the client.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    received: Vec<u8>,
}

impl Wire {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            received: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.unwrap();
    }

    /// For where the server may have closed already.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let sent = self.stream.write_all(bytes.as_ref());
        soon("the server did not read", sent).await
    }

    /// Sends no more.
    pub(crate) async fn shut_down(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Requires that the next bytes are exactly these.
    pub(crate) async fn receive(&mut self, expected: &str) {
        while self.received.len() < expected.len() {
            let so_far = String::from_utf8_lossy(&self.received).into_owned();
            let more = self.read_more().await.unwrap();
            assert!(more, "ended after {so_far:?} instead of {expected:?}");
        }
        let rest = self.received.split_off(expected.len());
        let received = std::mem::replace(&mut self.received, rest);
        assert_eq!(String::from_utf8_lossy(&received), expected);
    }

    pub(crate) async fn receive_100(&mut self) {
        self.receive("HTTP/1.1 100 Continue\r\n\r\n").await;
    }

    /// The next message, interim or final.
    pub(crate) async fn next(&mut self) -> Message {
        self.parse(true).await
    }

    /// The next message without its content.
    pub(crate) async fn next_head(&mut self) -> Message {
        self.parse(false).await
    }

    async fn parse(&mut self, content: bool) -> Message {
        let message = self.try_parse(content).await;
        message.unwrap_or_else(|| {
            let so_far = String::from_utf8_lossy(&self.received);
            panic!("ended within a message: {so_far:?}")
        })
    }

    /// `None` if the connection ends before, be it by a reset.
    pub(crate) async fn try_parse(&mut self, content: bool) -> Option<Message> {
        loop {
            if let Some((message, length)) = Message::parse(&self.received, content) {
                self.received.drain(..length);
                return Some(message);
            }
            if !self.read_more().await.unwrap_or(false) {
                return None;
            }
        }
    }

    /// Requires that nothing comes for that long.
    pub(crate) async fn silence(&mut self, duration: Duration) {
        let mut byte = [0];
        let read = timeout(duration, self.stream.read(&mut byte)).await;
        assert!(self.received.is_empty() && read.is_err(), "{read:?}");
    }

    /// Requires that the server closes the connection, in order and without another byte.
    pub(crate) async fn end(mut self) {
        while self.read_more().await.unwrap() {}
        assert_eq!(String::from_utf8_lossy(&self.received), "");
    }

    /// All messages until the connection ends, be it by a reset.
    pub(crate) async fn rest(mut self, content: bool) -> Vec<Message> {
        while self.read_more().await.unwrap_or(false) {}
        let mut messages = Vec::new();
        while !self.received.is_empty() {
            let text = String::from_utf8_lossy(&self.received).into_owned();
            let parsed = Message::parse(&self.received, content);
            let (message, length) = parsed.unwrap_or_else(|| panic!("cut short: {text:?}"));
            self.received.drain(..length);
            messages.push(message);
        }
        messages
    }

    async fn read_more(&mut self) -> io::Result<bool> {
        let read = self.stream.read_buf(&mut self.received);
        Ok(soon("nothing came", read).await? > 0)
    }
}

pub(crate) fn statuses(messages: &[Message]) -> Vec<u16> {
    messages.iter().map(Message::status).collect()
}
