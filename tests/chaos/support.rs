//! Clients on real sockets, and panics counted.

use std::{
    cell::Cell,
    future::Future,
    io,
    net::SocketAddr,
    panic,
    sync::Once,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::app::CONTENT;

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn soon<F: Future>(or_else: &str, future: F) -> F::Output {
    within(PATIENCE, or_else, future).await
}

async fn within<F: Future>(patience: Duration, or_else: &str, future: F) -> F::Output {
    let result = timeout(patience, future).await;
    result.unwrap_or_else(|_| panic!("{or_else} after {patience:?}"))
}

/// A connection, seen from the client.
pub(crate) struct Client {
    stream: TcpStream,
    seen: Vec<u8>,
    pub(crate) patience: Duration,
}

impl Client {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            seen: Vec::new(),
            patience: PATIENCE,
        }
    }

    /// Fails if the server has closed already.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        soon("the server does not read", self.stream.write_all(bytes)).await
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes.as_ref()).await.unwrap();
    }

    /// Reads until `end` finds where what was awaited ends, and forgets all before.
    pub(crate) async fn receive(&mut self, end: impl Fn(&[u8]) -> Option<usize>) {
        loop {
            if let Some(end) = end(&self.seen) {
                self.seen.drain(..end);
                return;
            }
            let read = self.stream.read_buf(&mut self.seen);
            let len = within(self.patience, "nothing more comes", read);
            let len = len.await.unwrap();
            let seen = String::from_utf8_lossy(&self.seen);
            assert_ne!(len, 0, "the server closed after {seen:?}");
        }
    }

    pub(crate) async fn receive_text(&mut self, text: &str) {
        let text = text.as_bytes();
        let end = |seen: &[u8]| {
            let found = seen.windows(text.len()).position(|window| window == text);
            found.map(|start| start + text.len())
        };
        self.receive(end).await;
    }

    /// What comes until the server closes, and whether it closed in order.
    pub(crate) async fn rest(self) -> (String, bool) {
        let (seen, in_order) = self.rest_bytes().await;
        (String::from_utf8_lossy(&seen).into_owned(), in_order)
    }

    pub(crate) async fn rest_bytes(mut self) -> (Vec<u8>, bool) {
        let read = self.stream.read_to_end(&mut self.seen);
        let in_order = soon("the server does not close", read).await.is_ok();
        (self.seen, in_order)
    }

    /// Tells the server that nothing more will be sent, and waits until it closes.
    pub(crate) async fn shut_down(mut self) {
        // Fails if the server has reset the connection.
        _ = self.stream.shutdown().await;
        self.rest().await;
    }

    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

/// An upload as it should be, answered as it should be.
pub(crate) async fn be_served(address: SocketAddr) -> Duration {
    let started = Instant::now();
    let mut client = Client::to(address).await;
    let length = CONTENT.len();
    let fields = format!("host: a\r\nexpect: 100-continue\r\ncontent-length: {length}");
    client
        .send(format!("PUT / HTTP/1.1\r\n{fields}\r\n\r\n"))
        .await;
    client.receive_text("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.send(CONTENT).await;
    client.receive_text("HTTP/1.1 200 OK\r\n").await;
    client.receive_text("\r\n\r\nwhole").await;
    client.reset();
    started.elapsed()
}

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Counts the panics of this thread, on which a test with the runtime of one thread runs whole.
pub(crate) fn count_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            report(info);
        }));
    });
}

pub(crate) fn panics() -> usize {
    PANICS.get()
}
