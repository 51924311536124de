//! Servers that are scripts over raw sockets, and clients on hyper-util.

use std::{
    future::{poll_fn, Future},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{combinators::UnsyncBoxBody, BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{connect::HttpConnector, Client, Error},
    rt::TokioExecutor,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tower::{Layer, Service};
use tower_expect::client::{Event, ExpectContinue, ExpectContinueLayer, ResponseBody, WaitingBody};

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Upload = UnsyncBoxBody<Bytes, BoxError>;
pub(crate) type Pool = Client<HttpConnector, WaitingBody<Upload>>;
pub(crate) type Asking = ExpectContinue<Pool>;

/// Long enough for anything that is to happen, short enough for a test that fails.
pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) fn full(bytes: impl Into<Bytes>) -> Upload {
    let body = Full::new(bytes.into());
    body.map_err(|never| match never {}).boxed_unsync()
}

/// Of unknown length.
pub(crate) fn chunked(bytes: impl Into<Bytes>) -> Upload {
    let frame = http_body::Frame::data(bytes.into());
    let stream = tokio_stream::once(Ok::<_, BoxError>(frame));
    http_body_util::StreamBody::new(stream).boxed_unsync()
}

pub(crate) fn pool() -> Pool {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

pub(crate) fn asking(layer: &ExpectContinueLayer) -> Asking {
    layer.layer(pool())
}

/// Asks with every body, and waits long enough for a test to notice.
pub(crate) fn patient() -> ExpectContinueLayer {
    ExpectContinueLayer::new().min_length(0).timeout(SOON * 3)
}

pub(crate) fn put(address: SocketAddr, body: Upload) -> Request<Upload> {
    Request::put(format!("http://{address}/"))
        .body(body)
        .unwrap()
}

pub(crate) async fn send(
    client: &Asking,
    request: Request<Upload>,
) -> Result<Response<ResponseBody<Incoming>>, Error> {
    let mut client = client.clone();
    let response = async {
        poll_fn(|cx| client.poll_ready(cx)).await?;
        client.call(request).await
    };
    timeout(SOON, response).await.expect("a response in time")
}

pub(crate) async fn text(response: Response<ResponseBody<Incoming>>) -> String {
    let body = timeout(SOON, response.into_body().collect());
    let body = body.await.expect("the body in time").expect("a body");
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}

/// Events of a layer, in order.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<Event>>>);

impl Seen {
    pub(crate) fn observe(&self, layer: ExpectContinueLayer) -> ExpectContinueLayer {
        let seen = Arc::clone(&self.0);
        layer.observe(move |event: &Event| seen.lock().unwrap().push(event.clone()))
    }

    /// Their names.
    pub(crate) fn names(&self) -> Vec<String> {
        let seen = self.0.lock().unwrap();
        let name = |event: &Event| {
            let text = format!("{event:?}");
            text.split([' ', '{']).next().unwrap_or_default().to_owned()
        };
        seen.iter().map(name).collect()
    }
}

/// A connection of the server's.
pub(crate) struct Peer {
    pub(crate) socket: TcpStream,
    unread: Vec<u8>,
}

impl Peer {
    /// The head of the next request. Empty if the client has closed.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(end) = find(&self.unread, b"\r\n\r\n") {
                let head: Vec<_> = self.unread.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap().to_lowercase();
            }
            if self.more().await == 0 {
                assert!(self.unread.is_empty(), "half a head: {:?}", self.unread);
                return String::new();
            }
        }
    }

    /// So many bytes of the body.
    pub(crate) async fn body(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length {
            assert_ne!(self.more().await, 0, "the body ended early");
        }
        self.unread.drain(..length).collect()
    }

    /// Everything until the client closes.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.more().await > 0 {}
        std::mem::take(&mut self.unread)
    }

    /// What comes within the time.
    pub(crate) async fn within(&mut self, time: Duration) -> Vec<u8> {
        let _ = timeout(time, async { while self.more().await > 0 {} }).await;
        std::mem::take(&mut self.unread)
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).await.unwrap();
    }

    /// False once the client is gone.
    pub(crate) async fn try_say(&mut self, text: &str) -> bool {
        self.socket.write_all(text.as_bytes()).await.is_ok()
    }

    async fn more(&mut self) -> usize {
        let read = timeout(SOON, self.socket.read_buf(&mut self.unread));
        read.await.expect("bytes or the end in time").unwrap_or(0)
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Runs `script` for each connection, with its number.
pub(crate) async fn server<F>(script: impl Fn(usize, Peer) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let Ok((socket, _)) = listener.accept().await else {
                return;
            };
            socket.set_nodelay(true).unwrap();
            let unread = Vec::new();
            let script = script(number, Peer { socket, unread });
            tokio::spawn(async {
                let _failing = Failing;
                script.await;
            });
        }
    });
    address
}

/// Nobody awaits a script, and what it asserts may come after the test's last line.
struct Failing;

impl Drop for Failing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::exit(101);
        }
    }
}

/// Of a script: what it found, for the test to assert.
#[derive(Clone, Default)]
pub(crate) struct Notes<T>(Arc<Mutex<Vec<T>>>);

impl<T: Clone> Notes<T> {
    pub(crate) fn note(&self, value: T) {
        self.0.lock().unwrap().push(value);
    }

    /// So many, once they are there.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<T> {
        for _ in 0..1000 {
            let notes = self.0.lock().unwrap().clone();
            if notes.len() >= count {
                return notes;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("fewer than {count} notes");
    }
}
