//! How a server ends: what was begun is finished, and the deadline holds.

use std::{
    future::IntoFuture,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};

use axum::{body::Body, routing::any, Router};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    net::TcpListener,
    sync::oneshot,
    time::{sleep, Instant},
};
use tower_expect::{ConnectionEnd, Event};

use crate::support::{
    app, bound, connect, frame, piped, read_all, within, write, END_HEADERS, END_STREAM, GET,
    HEADERS, PREFACE, SETTINGS,
};

#[tokio::test]
async fn under_load_every_response_that_was_begun_is_whole() {
    // 64 KiB in pieces, over some milliseconds.
    let pieces = || async {
        let pieces = tokio_stream::StreamExt::then(tokio_stream::iter(0..16), |_| async {
            sleep(Duration::from_millis(2)).await;
            Ok::<_, std::convert::Infallible>(Bytes::from_static(&[7; 4096]))
        });
        Body::from_stream(pieces)
    };
    let upload = |body: Bytes| async move { vec![7; body.len()] };
    let app = Router::new()
        .route("/pieces", any(pieces))
        .route("/upload", any(upload));
    for round in 0..3 {
        let (address, handle) = bound(app.clone(), |server| server).await;
        let complete = Arc::new(AtomicUsize::new(0));
        let clients: Vec<_> = (0..40)
            .map(|number| {
                let complete = Arc::clone(&complete);
                tokio::spawn(async move {
                    let client = Client::builder(TokioExecutor::new())
                        .http2_only(number % 2 == 0)
                        .retry_canceled_requests(false)
                        .build_http::<http_body_util::Full<Bytes>>();
                    let path = ["pieces", "upload"][number / 2 % 2];
                    loop {
                        let request = http::Request::put(format!("http://{address}/{path}"))
                            .body(Bytes::from(vec![7; 65536]).into())
                            .expect("valid");
                        // An error here means that the request found no connection any more.
                        let Ok(response) = client.request(request).await else {
                            break;
                        };
                        let (head, body) = response.into_parts();
                        assert_eq!(head.status, 200);
                        let body = body.collect().await;
                        let body = body.unwrap_or_else(|error| {
                            panic!("a response of {path} was cut, client {number}: {error:?}")
                        });
                        assert_eq!(body.to_bytes().len(), 65536);
                        complete.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        sleep(Duration::from_millis(100 + 37 * round)).await;
        handle.shutdown();
        for client in clients {
            within(client).await.expect("whole responses");
        }
        assert!(complete.load(Ordering::Relaxed) > 40);
        within(async {
            while handle.connections() > 0 {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

/// What each client sends before the shutdown, and never more.
fn stalling() -> Vec<(&'static str, Vec<u8>)> {
    let http2 = |more: Vec<u8>| [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &[]), more].concat();
    vec![
        ("silent", Vec::new()),
        ("half a head", b"GET / HTTP".to_vec()),
        (
            "half a body",
            b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc".to_vec(),
        ),
        (
            "a slow handler",
            b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
        ),
        ("half a preface", PREFACE[..9].to_vec()),
        ("no SETTINGS", PREFACE.to_vec()),
        ("idle HTTP/2 that does not reply", http2(Vec::new())),
        (
            "half a header block",
            http2(frame(HEADERS, END_STREAM, 1, GET)),
        ),
        (
            "half a body over HTTP/2",
            http2(frame(HEADERS, END_HEADERS, 1, crate::support::PUT)),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn its_deadline_holds_whatever_clients_do() {
    for seconds in [0, 7] {
        for (name, bytes) in stalling() {
            let cut = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&cut);
            let (dial, handle) = piped(app(), |server| {
                let server = server.graceful_timeout(Duration::from_secs(seconds));
                server.observe(move |event: &Event| {
                    if let Event::Disconnected {
                        end: ConnectionEnd::Aborted,
                        ..
                    } = event
                    {
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                })
            });
            let mut client = dial.connect();
            write(&mut client, &bytes).await;
            sleep(Duration::from_millis(10)).await;
            assert_eq!(handle.connections(), 1, "{name}");
            let begun = Instant::now();
            handle.shutdown();
            read_all(&mut client).await;
            let took = begun.elapsed();
            assert!(
                took <= Duration::from_secs(seconds) + Duration::from_millis(20),
                "{name}: {took:?}"
            );
            sleep(Duration::from_millis(10)).await;
            assert_eq!(handle.connections(), 0, "{name}");
            // What has begun nothing is not waited for, and so not cut.
            let has_begun = [
                "half a head",
                "half a body",
                "a slow handler",
                "half a body over HTTP/2",
            ];
            if seconds > 0 {
                let expected = usize::from(has_begun.contains(&name));
                assert_eq!(cut.load(Ordering::Relaxed), expected, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn the_signal_and_the_handle_do_the_same() {
    for by_handle in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tower_expect::serve(listener, app()).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        let (address, handle) = (server.local_addr().expect("bound"), server.handle());
        let server = tokio::spawn(server.into_future());
        let mut client = connect(address).await;
        write(&mut client, "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
        sleep(Duration::from_millis(50)).await;
        if by_handle {
            handle.clone().shutdown();
            // Once more does nothing.
            handle.shutdown();
        } else {
            stop.send(()).expect("running");
        }
        let seen = within(read_all(&mut client)).await;
        assert!(seen.ends_with("\r\n\r\n0"), "{seen}");
        within(server).await.expect("no panic").expect("no error");
        assert_eq!(handle.connections(), 0);
        tokio::net::TcpStream::connect(address)
            .await
            .expect_err("closed");
    }
}

#[tokio::test]
async fn a_server_that_was_shut_down_before_it_ran_ends_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let server = tower_expect::serve(listener, app());
    server.handle().shutdown();
    within(server.into_future()).await.expect("no error");
}
