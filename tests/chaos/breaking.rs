//! Connections that break while the server writes, at every byte of what it has to say.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
#[cfg(feature = "serve")]
use {tokio::sync::Notify, tower_expect::Event};

use crate::{
    app::{App, By, Counts, Server, CONTENT, SERVERS},
    support::{be_served, count_panics, panics, Client},
};

/// A stream that takes so many bytes more and then fails.
struct Breaking {
    stream: TcpStream,
    left: usize,
}

impl AsyncWrite for Breaking {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let bytes = &bytes[..bytes.len().min(self.left)];
        if bytes.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = written {
            self.left -= written;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Breaking {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

/// Serves a first connection that breaks, and then others that do not.
async fn start(by: By, breaks_after: usize) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (app, gone) = App::new();
    let counts = app.counts();
    let router = app.router();
    let task = tokio::spawn(async move {
        let mut left = breaks_after;
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let io = Breaking { stream, left };
            left = usize::MAX;
            let router = router.clone();
            tokio::spawn(async move {
                // An error is what is provoked here.
                match by {
                    By::Axum => {
                        let service = TowerToHyperService::new(router);
                        let server = auto::Builder::new(TokioExecutor::new());
                        _ = server.serve_connection(TokioIo::new(io), service).await;
                    }
                    #[cfg(feature = "serve")]
                    By::Serve => {
                        let (sender, pipes) = crate::pipes::pipes();
                        sender.send(io).unwrap();
                        let ended = Arc::new(Notify::new());
                        let told = Arc::clone(&ended);
                        tower_expect::serve(pipes, router)
                            .observe(move |event: &Event| {
                                if let Event::Disconnected { .. } = event {
                                    told.notify_one();
                                }
                            })
                            .with_graceful_shutdown(async move { ended.notified().await })
                            .await
                            .unwrap();
                    }
                }
            });
        }
    });
    Server {
        address,
        task,
        counts,
        gone,
    }
}

async fn run(by: By, bytes: Arc<[u8]>, breaks_after: usize) -> (Vec<u8>, Counts) {
    let server = start(by, breaks_after).await;
    let mut client = Client::to(server.address).await;
    // Fails if the server is quicker to close.
    _ = client.try_send(&bytes).await;
    let (seen, _) = client.rest_bytes().await;
    be_served(server.address).await;
    (seen, server.stop().await)
}

/// A request that asks for the connection to be closed behind the answer.
async fn break_everywhere(by: By, fields: &str, content: &str, status: u16) {
    let head = format!("PUT / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{fields}\r\n\r\n");
    let said_all = |seen: &[u8]| {
        let seen = String::from_utf8_lossy(seen);
        assert!(seen.contains(&format!("HTTP/1.1 {status} ")), "{seen}");
    };
    let bytes = (head + content).into_bytes();
    break_at_every_byte(by, bytes, usize::from(status == 200), said_all).await;
}

/// Sends the bytes, behind which the server must close, to servers each of which gets out a byte more,
/// until one has said all.
pub(crate) async fn break_at_every_byte(
    by: By,
    bytes: Vec<u8>,
    most_whole: usize,
    check: impl Fn(&[u8]),
) {
    count_panics();
    let bytes: Arc<[u8]> = bytes.into();
    let mut first = 0;
    let mut said_all = false;
    while !said_all {
        let mut runs = JoinSet::new();
        for breaks_after in first..first + 32 {
            let bytes = Arc::clone(&bytes);
            runs.spawn(async move { (breaks_after, run(by, bytes, breaks_after).await) });
        }
        while let Some(result) = runs.join_next().await {
            let (breaks_after, (seen, counts)) = result.unwrap();
            assert!(seen.len() <= breaks_after, "{seen:?}");
            let whole = counts.whole - 1; // but for the honest one
            assert!(whole <= most_whole, "{counts:?}");
            if seen.len() < breaks_after {
                said_all = true;
                check(&seen);
            }
        }
        first += 32;
    }
    assert_eq!(panics(), 0);
}

fn length() -> String {
    format!("content-length: {}", CONTENT.len())
}

#[tokio::test]
async fn an_upload_that_is_invited() {
    for &by in SERVERS {
        let fields = length() + "\r\nexpect: 100-continue";
        break_everywhere(by, &fields, CONTENT, 200).await;
    }
}

#[tokio::test]
async fn an_upload_that_is_rejected_while_it_is_sent() {
    for &by in SERVERS {
        let fields = length() + "\r\nx-reject: 413";
        break_everywhere(by, &fields, CONTENT, 413).await;
        // There is more to come than the client sends.
        let fields = "content-length: 1000000\r\nx-reject: 413";
        break_everywhere(by, fields, CONTENT, 413).await;
    }
}

#[tokio::test]
async fn an_upload_in_chunks_that_is_rejected() {
    for &by in SERVERS {
        let fields = "transfer-encoding: chunked\r\nexpect: 100-continue\r\nx-reject: 401";
        let chunk = format!("{:x}\r\n{CONTENT}\r\n0\r\n\r\n", CONTENT.len());
        break_everywhere(by, fields, &chunk, 401).await;
    }
}
