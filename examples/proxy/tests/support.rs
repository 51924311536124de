//! The proxy, origins that are scripts over raw sockets, and clients that send literal bytes.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use clap::Parser;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::{
    message::Message,
    proxy::{serve, Settings},
};

/// Long enough for anything that is to happen.
pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let result = timeout(SOON, future).await;
    result.unwrap_or_else(|_| panic!("{what}: not within {SOON:?}"))
}

pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The proxy in front of an origin, by its command line.
pub(crate) fn settings(origin: SocketAddr, options: &[&str]) -> Settings {
    let origin = format!("http://{origin}");
    let line = ["proxy", &origin]
        .into_iter()
        .chain(options.iter().copied());
    Settings::parse_from(line)
}

pub(crate) async fn proxy(origin: SocketAddr, options: &[&str]) -> SocketAddr {
    let (listener, address) = listen().await;
    let settings = settings(origin, options);
    tokio::spawn(async { serve(listener, settings).await.unwrap() });
    address
}

/// A connection, seen from the client or from the origin.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    unread: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        let unread = Vec::new();
        Self { stream, unread }
    }

    pub(crate) async fn to(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon("sent", self.stream.write_all(bytes.as_ref()))
            .await
            .unwrap();
    }

    /// The next head, in lower case; empty if the other side has closed.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(end) = find(&self.unread, b"\r\n\r\n") {
                let head: Vec<_> = self.unread.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap().to_lowercase();
            }
            if self.more().await.unwrap_or(0) == 0 {
                assert!(self.unread.is_empty(), "half a head: {:?}", self.unread);
                return String::new();
            }
        }
    }

    pub(crate) async fn take(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length {
            assert_ne!(
                self.more().await.unwrap(),
                0,
                "ended early: {:?}",
                self.unread
            );
        }
        self.unread.drain(..length).collect()
    }

    /// Reads at most so many bytes, and keeps none.
    pub(crate) async fn discard(&mut self, length: usize) {
        let mut left = length - self.unread.len().min(length);
        self.unread.clear();
        let mut buffer = vec![0; 256 << 10];
        while left > 0 {
            match self.stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(read) => left -= read.min(left),
            }
        }
    }

    pub(crate) async fn receive(&mut self, expected: &str) {
        let received = self.take(expected.len()).await;
        assert_eq!(String::from_utf8_lossy(&received), expected);
    }

    /// The next response, interim or final.
    pub(crate) async fn next(&mut self) -> Message {
        let so_far = |unread: &[u8]| String::from_utf8_lossy(unread).into_owned();
        loop {
            if let Some((message, length)) = Message::parse(&self.unread, true) {
                self.unread.drain(..length);
                return message;
            }
            let more = self.more().await.unwrap_or(0);
            assert_ne!(more, 0, "ended in a message: {:?}", so_far(&self.unread));
        }
    }

    /// All until the other side closes, be it by a reset.
    pub(crate) async fn rest(&mut self) -> String {
        while self.more().await.unwrap_or(0) > 0 {}
        let rest = std::mem::take(&mut self.unread);
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// What comes within that time.
    pub(crate) async fn within(&mut self, time: Duration) -> String {
        let _ = timeout(time, async { while self.more().await.unwrap_or(0) > 0 {} }).await;
        let rest = std::mem::take(&mut self.unread);
        String::from_utf8_lossy(&rest).into_owned()
    }

    async fn more(&mut self) -> io::Result<usize> {
        soon("bytes or the end", self.stream.read_buf(&mut self.unread)).await
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Runs `script` for each connection, with its number.
pub(crate) async fn origin<F>(script: impl Fn(usize, Wire) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        for number in 0.. {
            let Ok((stream, _)) = listener.accept().await else {
                return;
            };
            let script = script(number, Wire::new(stream));
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

/// What a script has found, for the test to assert.
#[derive(Clone)]
pub(crate) struct Notes<T>(Arc<Mutex<Vec<T>>>);

impl<T: Clone> Notes<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn note(&self, value: T) {
        self.0.lock().unwrap().push(value);
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }

    /// So many, once they are there.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<T> {
        for _ in 0..1000 {
            let notes = self.all();
            if notes.len() >= count {
                return notes;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("fewer than {count} notes");
    }
}
