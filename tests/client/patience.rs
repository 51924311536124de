//! Sockets that keep a write error back until reading has ended.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{connect::HttpConnector, Client},
    rt::TokioExecutor,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpListener,
    runtime::Handle,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task::spawn};
use tower::{Service, ServiceExt};
use tower_expect::client::{PatientConnector, PatientStream};

use crate::{support::SOON, versions::tls};

const UPLOADS: usize = 50;
const LENGTH: usize = 8 << 20;
const RESPONSE: usize = 20_000;

/// Reads so much, responds or not, and closes: what is unread makes that a reset.
async fn rude(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    reads: usize,
    responds: bool,
) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    let mut read = 0;
    while read < reads.max(1) {
        read += socket.read(&mut buffer).await?;
    }
    if responds {
        let head = format!("HTTP/1.1 413 Too Large\r\ncontent-length: {RESPONSE}\r\n\r\n");
        let mut response = head.into_bytes();
        response.resize(response.len() + RESPONSE, b'x');
        socket.write_all(&response).await?;
        // Over TLS, this is what says that no more comes.
        socket.shutdown().await?;
    }
    Ok(())
}

async fn server(tls: Option<TlsAcceptor>, reads: usize, responds: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                match tls {
                    Some(tls) => rude(tls.accept(socket).await?, reads, responds).await,
                    None => rude(socket, reads, responds).await,
                }
            });
        }
    });
    port
}

/// How many responses were seen whole, and how many tasks are left.
async fn uploads<S, E>(client: S, uri: &str, pause: Duration) -> (usize, usize)
where
    S: Service<Request<Full<Bytes>>, Response = Response<Incoming>, Error = E> + Clone,
{
    let before = Handle::current().metrics().num_alive_tasks();
    let mut seen = 0;
    for _ in 0..UPLOADS {
        let request = Request::put(uri).body(Full::from(vec![0; LENGTH])).unwrap();
        let response = timeout(SOON, client.clone().oneshot(request)).await;
        let Ok(response) = response.expect("no upload hangs") else {
            continue;
        };
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        sleep(pause).await;
        let body = timeout(SOON, response.into_body().collect()).await;
        if let Ok(body) = body.expect("no response hangs") {
            seen += usize::from(body.to_bytes().len() == RESPONSE);
        }
    }
    (seen, tasks_left(before).await)
}

async fn tasks_left(before: usize) -> usize {
    let left = || {
        let now = Handle::current().metrics().num_alive_tasks();
        now.saturating_sub(before)
    };
    for _ in 0..100 {
        if left() == 0 {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    left()
}

fn connector(nodelay: bool) -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(nodelay);
    connector.enforce_http(false);
    connector
}

#[tokio::test]
async fn every_early_response_is_seen_whole_and_no_task_is_left() {
    for reads in [0, 1 << 20] {
        let uri = format!("http://localhost:{}/", server(None, reads, true).await);
        for (nodelay, pause) in [(false, 0), (true, 0), (true, 10)] {
            let connector = PatientConnector::new(connector(nodelay));
            let client = Client::builder(TokioExecutor::new()).build(connector);
            let found = uploads(client, &uri, Duration::from_millis(pause)).await;
            assert_eq!(
                found,
                (UPLOADS, 0),
                "{reads} read, nodelay {nodelay}, {pause} ms"
            );
        }
    }
}

#[tokio::test]
async fn over_and_under_tls_as_well() {
    let (server_tls, config) = tls(&[b"http/1.1"]);
    let port = server(Some(server_tls), 0, true).await;
    let uri = format!("https://localhost:{port}/");
    let https = || {
        let builder = hyper_rustls::HttpsConnectorBuilder::new();
        builder
            .with_tls_config(config.clone())
            .https_only()
            .enable_http1()
    };
    let connector = connector(true);
    let builder = Client::builder(TokioExecutor::new());
    let outside = PatientConnector::new(https().wrap_connector(connector.clone()));
    let found = uploads(builder.build(outside), &uri, Duration::ZERO).await;
    assert_eq!(found, (UPLOADS, 0), "outside");
    let inside = https().wrap_connector(PatientConnector::new(connector));
    let before = Handle::current().metrics().num_alive_tasks();
    let (seen, _) = uploads(builder.build(inside), &uri, Duration::ZERO).await;
    assert_eq!(seen, UPLOADS, "inside");
    // Nobody reads behind the end of TLS.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(tasks_left(before).await, 0, "inside");
}

#[tokio::test]
async fn where_no_response_comes_no_upload_hangs_and_no_task_is_left() {
    let uri = format!("http://localhost:{}/", server(None, 0, false).await);
    let connector = PatientConnector::new(connector(true));
    let client = Client::builder(TokioExecutor::new()).build(connector);
    assert_eq!(uploads(client, &uri, Duration::ZERO).await, (0, 0));
}

/// Reads as scripted, then is pending; each write fails.
struct Broken {
    reads: VecDeque<io::Result<&'static [u8]>>,
    write: io::ErrorKind,
}

impl Broken {
    fn stream(
        write: io::ErrorKind,
        reads: impl IntoIterator<Item = io::Result<&'static [u8]>>,
    ) -> PatientStream<Self> {
        let reads = reads.into_iter().collect();
        PatientStream::new(Self { reads, write })
    }
}

impl AsyncRead for Broken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.reads.pop_front() {
            Some(read) => Poll::Ready(read.map(|bytes| buffer.put_slice(bytes))),
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Broken {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(self.write.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(self.write.into()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
    }
}

const KEPT: [io::ErrorKind; 3] = [
    io::ErrorKind::BrokenPipe,
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::ConnectionAborted,
];

#[tokio::test]
async fn a_write_error_waits_for_the_end_of_reading_and_comes_then() {
    for kind in KEPT {
        let failure = io::Error::from(io::ErrorKind::ConnectionReset);
        for end in [Ok(&b""[..]), Err(failure)] {
            let mut stream = Broken::stream(kind, [Ok(&b"response"[..]), end]);
            let mut write = spawn(stream.write(b"body"));
            assert_pending!(write.poll());
            assert!(write.is_woken(), "to read what may be there");
            assert_pending!(write.poll());
            assert!(!write.is_woken());
            drop(write);
            let mut buffer = [0; 100];
            let read = assert_ready!(spawn(stream.read(&mut buffer)).poll());
            assert_eq!(read.unwrap(), 8);
            assert_pending!(spawn(stream.write(b"body")).poll());
            assert_pending!(spawn(stream.flush()).poll());
            let _ = assert_ready!(spawn(stream.read(&mut buffer)).poll());
            for _ in 0..2 {
                let error = assert_ready_err!(spawn(stream.write(b"body")).poll());
                assert_eq!(error.kind(), kind);
                let error = assert_ready_err!(spawn(stream.flush()).poll());
                assert_eq!(error.kind(), kind);
            }
            assert_ready_ok!(spawn(stream.shutdown()).poll());
        }
    }
}

#[tokio::test]
async fn a_pending_write_is_woken_by_the_end_of_reading() {
    let stream = Broken::stream(KEPT[0], [Ok(&b""[..])]);
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut write = spawn(writer.write(b"body"));
    assert_pending!(write.poll());
    assert_pending!(write.poll());
    assert_ready_ok!(spawn(reader.read(&mut [0; 8])).poll());
    assert!(write.is_woken());
    assert_ready_err!(write.poll());
}

#[tokio::test]
async fn other_errors_and_those_behind_the_end_of_reading_come_at_once() {
    let mut stream = Broken::stream(io::ErrorKind::InvalidInput, []);
    assert_ready_err!(spawn(stream.write(b"body")).poll());
    let mut stream = Broken::stream(KEPT[0], [Ok(&b""[..])]);
    assert_ready_ok!(spawn(stream.read(&mut [0; 8])).poll());
    assert_ready_err!(spawn(stream.write(b"body")).poll());
}

#[tokio::test]
async fn no_room_to_read_into_is_no_end_of_reading() {
    let mut stream = Broken::stream(KEPT[0], [Ok(&b""[..])]);
    assert_ready_ok!(spawn(stream.read(&mut [])).poll());
    assert_pending!(spawn(stream.write(b"body")).poll());
}

#[tokio::test(start_paused = true)]
async fn a_write_fails_half_a_minute_after_the_last_read() {
    let second = Duration::from_secs(1);
    let mut stream = Broken::stream(KEPT[0], [Ok(&b"response"[..])]);
    assert_pending!(spawn(stream.write(b"body")).poll());
    tokio::time::advance(20 * second).await;
    assert_ready_ok!(spawn(stream.read(&mut [0; 100])).poll());
    assert_pending!(spawn(stream.write(b"body")).poll());
    tokio::time::advance(20 * second).await;
    let mut write = spawn(stream.write(b"body"));
    assert_pending!(write.poll());
    tokio::time::advance(10 * second).await;
    assert!(write.is_woken());
    assert_ready_err!(write.poll());
}
