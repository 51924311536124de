//! axum on sockets that linger, without a layer.

use std::{
    future::{Future, IntoFuture},
    io::{Read, Write},
    net::SocketAddr,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

use axum::{routing::get, Router};
use http::StatusCode;
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown, service::TowerToHyperService};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::{spawn_blocking, JoinHandle},
    time::sleep,
};
use tower_expect::{Linger, LingerListener, LingerStream};

use crate::{
    link::Link,
    support::{connect, listen, within},
};

const LENGTH: usize = 8 << 20;
const AT_ONCE: Duration = Duration::from_millis(300);

/// Responds without reading.
fn app() -> Router {
    Router::new()
        .route("/", get(|| async { "open to all" }))
        .fallback(|| async { (StatusCode::UNAUTHORIZED, "who are you?") })
        .route(
            "/large",
            get(|| async {}).put(|| async { StatusCode::PAYLOAD_TOO_LARGE }),
        )
}

async fn serve(app: Router, bounds: Linger) -> SocketAddr {
    let (listener, address) = listen().await;
    let listener = LingerListener::new(listener).bounds(bounds);
    tokio::spawn(axum::serve(listener, app).into_future());
    address
}

fn head(path: &str, length: usize) -> String {
    format!("PUT {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n")
}

/// Sends the head and reads the response to its end, which a socket that lingers shows at once.
async fn be_rejected(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address).await;
    let started = Instant::now();
    stream
        .write_all(head("/x", LENGTH).as_bytes())
        .await
        .expect("open");
    let mut seen = String::new();
    within(5, stream.read_to_string(&mut seen))
        .await
        .expect("in order");
    assert!(
        seen.starts_with("HTTP/1.1 401 ") && seen.ends_with("who are you?"),
        "{seen}"
    );
    assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
    stream
}

#[tokio::test]
async fn clients_that_send_all_before_they_look_see_the_response() {
    let address = serve(app(), Linger::default()).await;
    let clients = ["/401", "/large"].into_iter().cycle().take(20).map(|path| {
        spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).expect("listening");
            let status = if path == "/large" { "413" } else { "401" };
            stream
                .write_all(head(path, LENGTH).as_bytes())
                .expect("open");
            stream
                .write_all(&vec![0; LENGTH])
                .expect("no reset while it sends");
            let mut seen = String::new();
            stream
                .read_to_string(&mut seen)
                .expect("no reset while it reads");
            assert!(seen.starts_with(&format!("HTTP/1.1 {status} ")), "{seen}");
        })
    });
    for client in clients.collect::<Vec<_>>() {
        within(20, client).await.expect("no panic");
    }
}

#[tokio::test]
async fn clients_behind_slow_links_see_the_response() {
    let server = serve(app(), Linger::default()).await;
    for lost_percent in [0, 1] {
        let (listener, address) = listen().await;
        let round_trip = Duration::from_millis(200);
        tokio::spawn(
            Link {
                round_trip,
                lost_percent,
            }
            .relay(listener, server),
        );
        let mut stream = connect(address).await;
        stream
            .write_all(head("/x", LENGTH).as_bytes())
            .await
            .expect("open");
        let sent = within(20, stream.write_all(&vec![0; LENGTH])).await;
        sent.expect("no reset while it sends");
        let mut seen = String::new();
        within(5, stream.read_to_string(&mut seen))
            .await
            .expect("in order");
        assert!(seen.starts_with("HTTP/1.1 401 "), "{seen}");
    }
}

#[tokio::test]
async fn a_client_that_sends_no_http_at_all_sees_a_400() {
    let address = serve(app(), Linger::default()).await;
    let mut stream = connect(address).await;
    stream
        .write_all(&vec![b'?'; LENGTH])
        .await
        .expect("no reset while it sends");
    let mut seen = String::new();
    within(5, stream.read_to_string(&mut seen))
        .await
        .expect("in order");
    assert!(seen.starts_with("HTTP/1.1 400 "), "{seen}");
}

#[tokio::test]
async fn the_end_follows_the_response_at_once_and_the_client_may_still_send() {
    let address = serve(app(), Linger::default()).await;
    let mut stream = be_rejected(address).await;
    stream.write_all(&vec![0; LENGTH]).await.expect("discarded");
}

#[tokio::test]
async fn a_request_that_follows_the_end_is_not_executed() {
    let executed = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&executed);
    let hidden = move || async move {
        counter.fetch_add(1, Ordering::Relaxed);
    };
    let bounds = Linger::default().idle(Duration::from_millis(100));
    let address = serve(app().route("/hidden", get(hidden)), bounds).await;
    for length in [60, 100_000] {
        for expect in ["", "expect: 100-continue\r\n"] {
            for _ in 0..20 {
                let mut stream = connect(address).await;
                let head = head("/x", length).replace("content", &format!("{expect}content"));
                stream.write_all(head.as_bytes()).await.expect("open");
                let mut seen = String::new();
                within(5, stream.read_to_string(&mut seen))
                    .await
                    .expect("in order");
                assert!(seen.starts_with("HTTP/1.1 401 "), "{seen}");
                let mut rest = vec![b'x'; length];
                rest.extend_from_slice(b"GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n");
                stream.write_all(&rest).await.expect("discarded");
            }
        }
    }
    assert_eq!(executed.load(Ordering::Relaxed), 0);
}

struct Graceful {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Graceful {
    async fn serve(bounds: Linger) -> Self {
        let (listener, address) = listen().await;
        let listener = LingerListener::new(listener).bounds(bounds);
        let (stop, stopped) = oneshot::channel::<()>();
        let server = axum::serve(listener, app()).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        let server = tokio::spawn(server.into_future());
        Self {
            address,
            stop,
            server,
        }
    }

    async fn stop_takes(self) -> Duration {
        let started = Instant::now();
        self.stop.send(()).expect("running");
        let ended = within(10, self.server).await;
        ended.expect("no panic").expect("no error");
        started.elapsed()
    }
}

fn assert_about(took: Duration, expected: Duration) {
    // Early by the time from the end of the response until the server was told to stop.
    let range = expected.saturating_sub(AT_ONCE)..expected + AT_ONCE * 2;
    assert!(range.contains(&took), "{took:?} instead of {expected:?}");
}

#[tokio::test]
async fn a_kept_connection_that_is_idle_does_not_hold_up_a_graceful_shutdown() {
    let first_byte = AT_ONCE * 3;
    let server = Graceful::serve(Linger::default().first_byte(first_byte)).await;
    let mut stream = connect(server.address).await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .expect("open");
    let mut seen = Vec::new();
    while !seen.ends_with(b"open to all") {
        seen.push(within(5, stream.read_u8()).await.expect("open"));
    }
    let untouched = connect(server.address).await;
    sleep(first_byte).await;
    let took = server.stop_takes().await;
    assert!(took < AT_ONCE, "{took:?}");
    drop(untouched);
}

#[tokio::test]
async fn a_silent_client_holds_up_a_graceful_shutdown_until_its_first_byte_is_overdue() {
    let first_byte = Duration::from_millis(800);
    let server = Graceful::serve(Linger::default().first_byte(first_byte)).await;
    let _stream = be_rejected(server.address).await;
    let took = server.stop_takes().await;
    println!("held up for {took:?} by a silent client, first_byte {first_byte:?}");
    assert_about(took, first_byte);
}

#[tokio::test]
async fn a_client_that_trickles_holds_up_a_graceful_shutdown_for_the_total_time() {
    let total = Duration::from_millis(1_500);
    let server = Graceful::serve(Linger::default().total(total)).await;
    let mut stream = be_rejected(server.address).await;
    let trickle = async {
        while stream.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let took = while_running(trickle, server.stop_takes()).await;
    println!("held up for {took:?} by a client that trickles, total {total:?}");
    assert_about(took, total);
}

#[tokio::test]
async fn hyper_util_waits_for_a_client_that_lingers_as_well() {
    let first_byte = Duration::from_millis(800);
    let (listener, address) = listen().await;
    let graceful = GracefulShutdown::new();
    let watcher = graceful.watcher();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let bounds = Linger::default().first_byte(first_byte);
        let io = TokioIo::new(LingerStream::new(stream).bounds(bounds));
        let service = TowerToHyperService::new(app());
        let connection = http1::Builder::new().serve_connection(io, service);
        let _ = watcher.watch(connection).await;
    });
    let _stream = be_rejected(address).await;
    let started = Instant::now();
    within(5, graceful.shutdown()).await;
    assert_about(started.elapsed(), first_byte);
}

async fn while_running<T>(other: impl Future<Output = ()>, future: impl Future<Output = T>) -> T {
    tokio::select! {
        output = future => output,
        output = async { other.await; std::future::pending().await } => output,
    }
}
