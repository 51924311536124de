//! A whole server: both versions on one port, its end, and connections that it did not accept.

use std::{future::IntoFuture, net::SocketAddr, time::Duration};

use axum::{body::Body, routing::put, Router};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use tower_expect::{http2, rules, serve::IncomingBody, ExpectLayer};

use crate::support::{self, collect, expecting, interim, read, send, within};

fn app() -> Router {
    let store = |body: Body| async { collect(body).await.expect("whole").len().to_string() };
    let layer = ExpectLayer::new(rules::content_length(..=100_000));
    Router::new().route("/", put(store)).layer(layer)
}

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn start(app: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    let (stop, stopped) = oneshot::channel();
    let server = tower_expect::serve(listener, app).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let task = tokio::spawn(server.into_future());
    Server {
        address,
        stop,
        task,
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("listening")
}

/// Reads until what was read ends so.
async fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(end.as_bytes()) {
        let byte = within(5, stream.read_u8()).await;
        seen.push(byte.unwrap_or_else(|_| panic!("{:?}", String::from_utf8_lossy(&seen))));
    }
    String::from_utf8(seen).expect("ASCII")
}

async fn write(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.expect("open");
}

#[tokio::test]
async fn a_router_answers_both_versions_on_one_port_and_sends_the_100() {
    let server = start(app()).await;
    let mut http1 = connect(server.address).await;
    for _ in 0..2 {
        let head = "PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
        write(&mut http1, head).await;
        let seen = read_to(&mut http1, "\r\n\r\n").await;
        assert_eq!(seen, "HTTP/1.1 100 Continue\r\n\r\n");
        write(&mut http1, "hello").await;
        let seen = read_to(&mut http1, "\r\n\r\n5").await;
        assert!(seen.starts_with("HTTP/1.1 200 OK\r\n"), "{seen}");
    }
    let too_much = "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 100001\r\n\r\n";
    write(&mut http1, too_much).await;
    let seen = read_to(&mut http1, "\r\n\r\n").await;
    assert!(
        seen.starts_with("HTTP/1.1 413 Payload Too Large\r\n"),
        "{seen}"
    );

    let http2 = connect(server.address).await;
    let client = support::Client::over(http2).await;
    let (mut response, mut content) = client.begin(expecting()).await;
    assert_eq!(interim(&mut response).await, Some(StatusCode::CONTINUE));
    send(&mut content, 70_000, true).await;
    assert_eq!(read(response).await.expect("answered").content, b"70000");
    let too_much = expecting().header("content-length", "100001");
    let (mut response, _content) = client.begin(too_much).await;
    assert_eq!(interim(&mut response).await, None);
    let answer = read(response).await.expect("answered");
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn the_version_is_told_however_slowly_the_first_bytes_come() {
    let server = start(app()).await;
    let mut http2 = connect(server.address).await;
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0" {
        http2.write_all(&[*byte]).await.expect("open");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // SETTINGS, by the fourth byte.
    let mut head = [0; 9];
    within(5, http2.read_exact(&mut head)).await.expect("open");
    assert_eq!(head[3], 4);

    // A method of HTTP/1.1 that begins like the preface.
    let mut http1 = connect(server.address).await;
    for piece in ["P", "RI /", " HTTP/1.1\r\nhost: a\r\n\r\n"] {
        write(&mut http1, piece).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let seen = read_to(&mut http1, "\r\n\r\n").await;
    assert!(seen.starts_with("HTTP/1.1 405 "), "{seen}");

    drop(connect(server.address).await);
    let mut http1 = connect(server.address).await;
    write(&mut http1, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    read_to(&mut http1, "\r\n\r\n").await;
}

#[tokio::test]
async fn graceful_shutdown_waits_for_exchanges_and_not_for_the_idle() {
    let server = start(app()).await;
    let silent = connect(server.address).await;
    let mut idle = connect(server.address).await;
    write(
        &mut idle,
        "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    read_to(&mut idle, "\r\n\r\n0").await;

    let mut http1 = connect(server.address).await;
    write(
        &mut http1,
        "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\na",
    )
    .await;
    let client = support::Client::over(connect(server.address).await).await;
    let (mut response, mut content) = client.begin(expecting()).await;
    assert_eq!(interim(&mut response).await, Some(StatusCode::CONTINUE));

    server.stop.send(()).expect("running");
    for mut unused in [silent, idle] {
        let mut rest = Vec::new();
        within(5, unused.read_to_end(&mut rest))
            .await
            .expect("closed");
        assert_eq!(rest, b"");
    }
    assert!(!server.task.is_finished());
    TcpStream::connect(server.address)
        .await
        .expect_err("closed");

    write(&mut http1, "b").await;
    read_to(&mut http1, "\r\n\r\n2").await;
    assert!(!server.task.is_finished());
    send(&mut content, 10, true).await;
    assert_eq!(read(response).await.expect("answered").content, b"10");
    let ended = within(5, server.task).await.expect("no panic");
    ended.expect("no error");
}

#[tokio::test]
async fn connections_outlive_the_server_that_is_dropped() {
    let server = start(app()).await;
    let mut http1 = connect(server.address).await;
    write(
        &mut http1,
        "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n",
    )
    .await;
    let client = support::Client::over(connect(server.address).await).await;
    let (mut response, mut content) = client.begin(expecting()).await;
    assert_eq!(interim(&mut response).await, Some(StatusCode::CONTINUE));
    server.task.abort();
    assert!(server.task.await.unwrap_err().is_cancelled());

    write(&mut http1, "ab").await;
    read_to(&mut http1, "\r\n\r\n2").await;
    send(&mut content, 10, true).await;
    assert_eq!(read(response).await.expect("answered").content, b"10");
}

#[tokio::test]
async fn an_upgrade_takes_over_the_connection() {
    let switch = |mut request: Request<Body>| async move {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut upgraded = hyper_util::rt::TokioIo::new(upgrade.await.expect("upgraded"));
            let (mut reader, mut writer) = tokio::io::split(&mut upgraded);
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
        });
        let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
        let response = response
            .header("connection", "upgrade")
            .header("upgrade", "echo");
        response.body(Body::empty()).expect("valid")
    };
    let server = start(Router::new().fallback(switch)).await;
    let mut stream = connect(server.address).await;
    let head = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    write(&mut stream, head).await;
    let seen = read_to(&mut stream, "\r\n\r\n").await;
    assert!(seen.starts_with("HTTP/1.1 101 "), "{seen}");
    write(&mut stream, "over to you").await;
    read_to(&mut stream, "over to you").await;
}

#[tokio::test]
async fn http2_settings_are_used() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    let settings = http2::Builder::new().auto_date_header(false);
    let service = tower::service_fn(|_: Request<IncomingBody>| async {
        Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
    });
    tokio::spawn(
        tower_expect::serve(listener, service)
            .with_http2(settings)
            .into_future(),
    );
    let client = support::Client::over(connect(address).await).await;
    let answer = client.ask(support::put()).await.expect("answered");
    assert!(!answer.headers.contains_key("date"));
}
