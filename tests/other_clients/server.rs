//! A server that reads for a while, and then rejects with a 403.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{timeout_at, Instant},
};

/// Long enough for all that is sent without waiting; shorter than the client's timer.
const READING: Duration = Duration::from_millis(300);
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What has come before the response.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) expect: bool,
    pub(crate) body_bytes: usize,
}

/// Gives the URL for one request, and what is seen of it.
pub(crate) async fn rejecting() -> (String, oneshot::Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (tell, seen) = oneshot::channel();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        tell.send(read(&mut socket).await).unwrap();
        socket.write_all(FORBIDDEN.as_bytes()).await.unwrap();
        socket.shutdown().await.unwrap();
        // So that no reset overtakes the response.
        let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
    });
    (url, seen)
}

async fn read(socket: &mut TcpStream) -> Seen {
    let (mut head, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    let end = loop {
        assert_ne!(socket.read_buf(&mut head).await.unwrap(), 0, "a head");
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let mut body_bytes = head.len() - end;
    let enough = Instant::now() + READING;
    while let Ok(Ok(len @ 1..)) = timeout_at(enough, socket.read(&mut buffer)).await {
        body_bytes += len;
    }
    let head = String::from_utf8_lossy(&head[..end]).to_ascii_lowercase();
    Seen {
        expect: head.contains("\r\nexpect: 100-continue\r\n"),
        body_bytes,
    }
}
