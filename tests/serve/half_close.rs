//! Clients that close their sending side and wait for the response (RFC 9112 §9.6).

use std::{
    future::pending,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};

use axum::{
    body::Body,
    extract::Request,
    middleware::{from_fn, Next},
    routing::any,
    Router,
};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, Instant},
};
use tokio_stream::StreamExt;

use crate::support::{app, bound, connect, localhost, piped, read_all, tls, within, write};

/// What a client sends before it closes its side, and the status that it gets; `None` for a close without
/// a response.
const CASES: &[(&str, &str, Option<&str>)] = &[
    ("nothing", "", None),
    ("within a head", "PUT / HTTP/1.1\r\nho", None),
    ("no body", "GET / HTTP/1.1\r\nhost: a\r\n\r\n", Some("200")),
    ("no body, slow", "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n", Some("200")),
    (
        "before the body",
        "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n",
        Some("200 cut short"),
    ),
    (
        "within the body",
        "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab",
        Some("200 cut short"),
    ),
    (
        "within the body, slow",
        "PUT /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab",
        Some("200 cut short"),
    ),
    (
        "within a chunked body",
        "PUT /slow HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        Some("200 cut short"),
    ),
    (
        "after the body",
        "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nabcde",
        Some("200"),
    ),
    (
        "after the body, slow",
        "PUT /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nabcde",
        Some("200"),
    ),
    (
        "after a chunked body, slow",
        "PUT /slow HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
        Some("200"),
    ),
    (
        "before the body of an expecting request",
        "PUT /slow HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n",
        Some("100 200 cut short"),
    ),
    (
        "rejected, before the body",
        "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 100001\r\n\r\n",
        Some("413"),
    ),
    (
        "rejected, expecting",
        "PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 100001\r\n\r\n",
        Some("413"),
    ),
    (
        "rejected, within the body",
        "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 100001\r\n\r\nabc",
        Some("413"),
    ),
    (
        "two requests in a row, slow",
        "GET /slow HTTP/1.1\r\nhost: a\r\n\r\nGET /slow HTTP/1.1\r\nhost: a\r\n\r\n",
        Some("200 200"),
    ),
];

/// The status codes of what a client has seen, and "cut short" if that is what the application said.
fn told(seen: &str) -> String {
    let lines = seen
        .split("\r\n")
        .flat_map(|line| line.split("HTTP/1.1 ").skip(1));
    let mut told: Vec<_> = lines.map(|line| &line[..3]).collect();
    if seen.ends_with("cut short") {
        told.push("cut short");
    }
    told.join(" ")
}

async fn half_close<Io: AsyncRead + AsyncWrite + Unpin>(mut io: Io, bytes: &str) -> String {
    write(&mut io, bytes).await;
    io.shutdown().await.expect("open");
    within(read_all(&mut io)).await
}

#[tokio::test]
async fn it_gets_its_response_wherever_in_a_request_it_closes() {
    let (acceptor, connector) = tls(&["http/1.1"]);
    let (plain, _) = bound(app(), |server| server).await;
    let secured = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback");
        let server =
            tower_expect::serve(listener, app()).with_acceptor(move |tcp| acceptor.accept(tcp));
        let address = server.local_addr().expect("bound");
        tokio::spawn(std::future::IntoFuture::into_future(server));
        address
    };
    for round in 0..5 {
        for (name, bytes, expected) in CASES {
            let seen = half_close(connect(plain).await, bytes).await;
            assert_eq!(
                told(&seen),
                expected.unwrap_or(""),
                "{name}, {round}: {seen:?}"
            );
            if expected.is_some() {
                let last = seen.rsplit("\r\n\r\n").next().expect("one");
                assert!(!last.is_empty(), "{name}: a response without its body");
            }

            let tcp = connect(secured).await;
            let tls = connector
                .connect(localhost(), tcp)
                .await
                .expect("a handshake");
            let seen = half_close(tls, bytes).await;
            assert_eq!(told(&seen), expected.unwrap_or(""), "TLS, {name}: {seen:?}");
        }
    }
}

/// Counts those that were dropped before they were ready.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// `/never` waits for ever; `/drip` sends a byte every 20 seconds.
fn waiting(dropped: &Arc<AtomicUsize>) -> Router {
    let dropped = Arc::clone(dropped);
    let never = move |body: Body| {
        let dropped = Dropped(Arc::clone(&dropped));
        async move {
            let _dropped = dropped;
            let _ = axum::body::to_bytes(body, usize::MAX).await;
            pending::<()>().await;
        }
    };
    let drip = || async {
        let bytes = tokio_stream::iter(0..10).then(|_| async {
            sleep(Duration::from_secs(20)).await;
            Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from_static(b"x")))
        });
        Body::new(StreamBody::new(Box::pin(bytes)))
    };
    Router::new()
        .route("/never", any(never))
        .route("/drip", any(drip))
}

const NEVER: &str = "GET /never HTTP/1.1\r\nhost: a\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn it_is_waited_for_half_a_minute_and_then_taken_for_gone() {
    for (seconds, half_close_timeout) in [(30.0, None), (5.0, Some(Duration::from_secs(5)))] {
        let dropped = Arc::default();
        let (dial, _) = piped(waiting(&dropped), |server| match half_close_timeout {
            Some(timeout) => server.half_close_timeout(timeout),
            None => server,
        });
        for request in [
            NEVER,
            "PUT /never HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nab",
        ] {
            let mut client = dial.connect();
            write(&mut client, request).await;
            sleep(Duration::from_secs(100)).await;
            client.shutdown().await.expect("open");
            let begun = Instant::now();
            assert_eq!(read_all(&mut client).await, "");
            let took = begun.elapsed().as_secs_f64();
            assert!((seconds - 0.1..seconds + 0.2).contains(&took), "{took}");
        }
        assert_eq!(dropped.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_it_is_waited_for_as_long_as_the_application_takes() {
    let (dial, _) = piped(waiting(&Arc::default()), |server| {
        server.half_close_timeout(None)
    });
    let mut client = dial.connect();
    write(&mut client, NEVER).await;
    client.shutdown().await.expect("open");
    let day = Duration::from_secs(24 * 60 * 60);
    tokio::time::timeout(day, read_all(&mut client))
        .await
        .expect_err("open");
}

#[tokio::test(start_paused = true)]
async fn a_response_that_goes_on_is_sent_to_its_end() {
    let (dial, _) = piped(waiting(&Arc::default()), |server| server);
    let mut client = dial.connect();
    write(&mut client, "GET /drip HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client.shutdown().await.expect("open");
    let seen = read_all(&mut client).await;
    assert_eq!(seen.matches("\r\nx\r\n").count(), 10, "{seen:?}");
    assert!(seen.ends_with("\r\n0\r\n\r\n"), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn it_can_be_turned_off() {
    let dropped = Arc::default();
    let (dial, _) = piped(waiting(&dropped), |server| {
        server.with_http1(|http1| {
            http1.half_close(false);
        })
    });
    let mut client = dial.connect();
    write(&mut client, NEVER).await;
    sleep(Duration::from_secs(1)).await;
    client.shutdown().await.expect("open");
    let begun = Instant::now();
    assert_eq!(read_all(&mut client).await, "");
    assert!(begun.elapsed() < Duration::from_millis(10));
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_client_that_resets_the_connection_is_noticed_at_once() {
    let dropped = Arc::default();
    let (address, _) = bound(waiting(&dropped), |server| server).await;
    for request in [
        NEVER,
        "PUT /never HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nab",
    ] {
        let mut client: TcpStream = connect(address).await;
        write(&mut client, request).await;
        sleep(Duration::from_millis(100)).await;
        let before = dropped.load(Ordering::SeqCst);
        client.set_zero_linger().expect("a socket");
        drop(client);
        within(async {
            while dropped.load(Ordering::SeqCst) == before {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_read_ahead_is_not_lost() {
    let (dial, _) = piped(app(), |server| server);
    let mut client = dial.connect();
    // While the first response is under way, the second request arrives byte by byte.
    write(&mut client, "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let second = "PUT /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 50\r\n\r\n";
    for byte in second.bytes().chain([b'z'; 50]) {
        sleep(Duration::from_millis(1)).await;
        write(&mut client, [byte]).await;
    }
    let mut seen = String::new();
    while !seen.ends_with("\r\n\r\n50") {
        let mut byte = [0];
        client.read_exact(&mut byte).await.expect("open");
        seen.push(char::from(byte[0]));
    }
    assert_eq!(told(&seen), "200 200");
}

#[tokio::test]
async fn a_client_that_resets_is_noticed_while_its_body_is_held_unread() {
    let run = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&run);
    let handler = move |_: Bytes| async move {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    // As an asynchronous check of a token.
    let wait = |request: Request, next: Next| async {
        sleep(Duration::from_millis(1500)).await;
        next.run(request).await
    };
    let app = Router::new().fallback(handler).layer(from_fn(wait));
    let (address, handle) = bound(app, |server| server).await;
    let bodies = [
        "content-length: 5\r\n\r\nabcde",
        "transfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    ];
    for round in 0..10 {
        let mut client = connect(address).await;
        let request = format!("PUT / HTTP/1.1\r\nhost: a\r\n{}", bodies[round % 2]);
        write(&mut client, request).await;
        sleep(Duration::from_millis(20)).await;
        client.set_zero_linger().expect("a socket");
    }
    sleep(Duration::from_millis(800)).await;
    assert_eq!(handle.connections(), 0);
    sleep(Duration::from_millis(1000)).await;
    assert_eq!(run.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn it_is_taken_for_gone_as_well_if_it_reads_nothing_of_its_response() {
    let app = Router::new().fallback(|| async { vec![7; 4 << 20] });
    let (dial, handle) = piped(app, |server| server);
    let mut client = dial.connect();
    write(&mut client, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client.shutdown().await.expect("open");
    let begun = Instant::now();
    sleep(Duration::from_millis(100)).await;
    assert_eq!(handle.connections(), 1);
    while handle.connections() > 0 {
        sleep(Duration::from_millis(100)).await;
        assert!(begun.elapsed().as_secs() < 60, "still open");
    }
    let seconds = begun.elapsed().as_secs_f64();
    assert!((29.9..31.0).contains(&seconds), "{seconds}");
}
