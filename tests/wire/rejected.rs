//! Requests that are rejected over HTTP/1, by the layer or by the application.

use std::{
    pin::Pin,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use tokio::time::{sleep, timeout};
use tower::{Layer, ServiceBuilder};
use tower_expect::{ExpectLayer, Rejection, RequestHead};

use crate::{
    app::App,
    support::{layer, quick, serve_http1, soon, statuses, Message, Wire},
};

fn put(path: &str, fields: &str) -> String {
    format!("PUT {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// The one answer to an expecting request that sends nothing more.
async fn answer_to(address: std::net::SocketAddr, request: &str) -> Message {
    let mut wire = Wire::to(address).await;
    wire.send(request).await;
    let answer = wire.next().await;
    wire.end().await;
    answer
}

#[tokio::test]
async fn a_rejection_comes_without_a_100_and_closes_the_connection() {
    let app = App::new();
    let address = serve_http1(layer().layer(app.clone())).await;
    for framing in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        for status in [
            307, 308, 400, 401, 403, 405, 411, 413, 415, 417, 429, 500, 503,
        ] {
            let fields = format!("Expect: 100-continue\r\nx-reject: {status}\r\n{framing}\r\n");
            let answer = answer_to(address, &put("/sink", &fields)).await;
            assert_eq!(answer.status(), status);
            assert_eq!(answer.field("connection"), Some("close"), "{answer:?}");
            assert!(!answer.content.is_empty());
        }
    }
    assert_eq!(app.calls(), 0);
}

#[tokio::test]
async fn a_rejection_carries_the_field_that_its_status_requires() {
    let address = serve_http1(layer().layer(App::new())).await;
    for (status, field, value) in [
        (308, "location", "/elsewhere"),
        (401, "www-authenticate", "Bearer"),
        (415, "accept", "image/png"),
    ] {
        let fields = format!("Expect: 100-continue\r\nx-reject: {status}\r\nContent-Length: 9\r\n");
        let answer = answer_to(address, &put("/sink", &fields)).await;
        assert_eq!(answer.field(field), Some(value));
    }
}

#[tokio::test]
async fn head_is_told_the_length_of_the_rejection_of_get() {
    let address = serve_http1(layer().layer(App::new())).await;
    let mut lengths = Vec::new();
    for method in ["GET", "HEAD"] {
        let mut wire = Wire::to(address).await;
        let fields = "x-reject: 401\r\nConnection: close\r\n";
        wire.send(put("/sink", fields).replace("PUT", method)).await;
        let answers = wire.rest(method == "GET").await;
        assert_eq!(statuses(&answers), [401]);
        lengths.push(answers[0].field("content-length").unwrap().to_owned());
    }
    assert_ne!(lengths[0], "0");
    assert_eq!(lengths[0], lengths[1]);
}

#[tokio::test]
async fn a_status_that_has_no_body_has_no_length_and_leaves_no_byte() {
    let address = serve_http1(layer().layer(App::new())).await;
    for (status, length) in [(204, None), (205, Some("0")), (304, None)] {
        let mut wire = Wire::to(address).await;
        let fields = format!("x-reject: {status}\r\n");
        wire.send(put("/sink", &fields).replace("PUT", "GET")).await;
        let answer = wire.next().await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.field("content-length"), length);
        assert_eq!(answer.field("transfer-encoding"), None);
        // On the same connection: nothing stands between.
        wire.send("GET /sink HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .await;
        assert_eq!(statuses(&wire.rest(true).await), [200]);
    }
}

#[tokio::test]
async fn the_rejection_of_head_has_no_content() {
    let address = serve_http1(layer().layer(App::new())).await;
    let fields = "Expect: 100-continue\r\nx-reject: 401\r\nContent-Length: 9\r\n";
    let mut wire = Wire::to(address).await;
    wire.send(put("/sink", fields).replace("PUT", "HEAD")).await;
    let answers = wire.rest(false).await;
    assert_eq!(statuses(&answers), [401]);
    assert_eq!(answers[0].field("connection"), Some("close"));
}

#[tokio::test]
async fn leaving_the_expectation_out_changes_no_rejection() {
    let app = App::new();
    let address = serve_http1(layer().layer(app.clone())).await;
    for framing in ["Content-Length: 100000", "Transfer-Encoding: chunked"] {
        let fields = format!("x-reject: 413\r\n{framing}\r\n");
        let answer = answer_to(address, &put("/sink", &fields)).await;
        assert_eq!(answer.status(), 413);
        assert_eq!(answer.field("connection"), Some("close"));
    }
    assert_eq!(app.calls(), 0);
}

#[tokio::test]
async fn a_length_beside_chunked_never_makes_content_small() {
    let app = App::new();
    let address = serve_http1(layer().layer(app.clone())).await;
    let fields = "x-reject: 413\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n";
    let answer = answer_to(address, &put("/sink", fields)).await;
    assert_eq!(answer.field("connection"), Some("close"));
    assert_eq!(app.calls(), 0);
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn small_content_without_an_expectation_is_read_and_the_connection_goes_on() {
    let app = App::new();
    let address = serve_http1(layer().layer(app.clone())).await;
    let mut wire = Wire::to(address).await;
    for _ in 0..3 {
        wire.send(put("/sink", "x-reject: 413\r\nContent-Length: 5\r\n"))
            .await;
        let answer = wire.next().await;
        assert_eq!((answer.status(), answer.field("connection")), (413, None));
        wire.send("hello").await;
    }
    wire.send(put("/sink", "Content-Length: 5\r\n") + "hello")
        .await;
    assert_eq!(wire.next().await.status(), 200);
    assert_eq!(app.calls(), 1);
}

#[tokio::test]
async fn an_http_1_0_client_is_rejected_with_a_final_status_only() {
    let app = App::new();
    let address = serve_http1(layer().layer(app.clone())).await;
    let fields = "Expect: 100-continue\r\nx-reject: 413\r\nContent-Length: 9\r\n";
    let answer = answer_to(address, &put("/sink", fields).replace("1.1", "1.0")).await;
    assert_eq!(answer.status(), 413);
    assert_eq!(app.calls(), 0);
}

#[tokio::test]
async fn an_async_validator_rejects_as_a_plain_one_does() {
    let app = App::new();
    let layer = quick(ExpectLayer::new_async(|_: &RequestHead| async {
        sleep(Duration::from_millis(20)).await;
        Err::<(), _>(Rejection::unauthorized("Bearer"))
    }));
    let address = serve_http1(layer.layer(app.clone())).await;
    let fields = "Expect: 100-continue\r\nContent-Length: 9\r\n";
    let answer = answer_to(address, &put("/sink", fields)).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.field("connection"), Some("close"));
    assert_eq!(app.calls(), 0);
}

#[tokio::test]
async fn a_validator_that_hangs_is_answered_for_when_its_deadline_is_over() {
    let layer = quick(ExpectLayer::new_async(|_: &RequestHead| async {
        let decision = std::future::pending::<Result<(), Rejection>>();
        let deadline = timeout(Duration::from_millis(30), decision);
        deadline
            .await
            .unwrap_or(Err(Rejection::service_unavailable(None)))
    }));
    let address = serve_http1(layer.layer(App::new())).await;
    let fields = "Expect: 100-continue\r\nContent-Length: 9\r\n";
    let answer = answer_to(address, &put("/sink", fields)).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.field("connection"), Some("close"));
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn the_applications_own_early_answer_comes_without_a_100_and_closes() {
    let app = App::new();
    let address = serve_http1(layer().layer(app.clone())).await;
    for (path, status) in [("/early", 409), ("/early-later", 409), ("/held", 202)] {
        for framing in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
            let fields = format!("Expect: 100-continue\r\n{framing}\r\n");
            let answer = answer_to(address, &put(path, &fields)).await;
            assert_eq!(answer.status(), status, "{path}");
            assert_eq!(answer.field("connection"), Some("close"), "{path}");
        }
    }
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn a_body_limit_inside_rejects_without_a_100_and_closes() {
    let app = App::new();
    let limited = ServiceBuilder::new()
        .layer(layer())
        .layer(tower_http::limit::RequestBodyLimitLayer::new(1024))
        .service(app.clone());
    let address = serve_http1(limited).await;
    let fields = "Expect: 100-continue\r\nContent-Length: 100000\r\n";
    let answer = answer_to(address, &put("/sink", fields)).await;
    assert_eq!(answer.status(), 413);
    assert_eq!(answer.field("connection"), Some("close"));
    assert_eq!(app.calls(), 0);
}

#[cfg(feature = "tokio")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_sends_everything_before_it_reads_sees_the_rejection() {
    let address = serve_http1(layer().layer(App::new())).await;
    let content = vec![b'x'; 4 << 20];
    for (path, reject, status) in [("/sink", "x-reject: 413\r\n", 413), ("/early", "", 409)] {
        for expect in ["", "Expect: 100-continue\r\n"] {
            let mut wire = Wire::to(address).await;
            let fields = format!("{reject}{expect}Content-Length: {}\r\n", content.len());
            wire.send(put(path, &fields)).await;
            wire.send(&content).await;
            let answer = wire.next().await;
            assert_eq!(
                (answer.status(), answer.field("connection")),
                (status, Some("close"))
            );
            wire.end().await;
        }
    }
}

/// Counts the bodies that are alive.
struct Counted(Incoming, Arc<AtomicUsize>);

impl Counted {
    fn new(body: Incoming, alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        Self(body, Arc::clone(alive))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Body for Counted {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}

/// hyper does not notice over HTTP/1 that a client is gone whose content nobody reads: the deadline
/// of the validator has to end such an exchange.
#[tokio::test]
async fn no_body_outlives_a_rejected_exchange_whose_client_is_gone() {
    let alive = Arc::new(AtomicUsize::new(0));
    let layer = quick(ExpectLayer::new_async(|head: &RequestHead| {
        let hangs = head.uri.path() == "/never";
        async move {
            if hangs {
                let decision = std::future::pending::<()>();
                _ = timeout(Duration::from_millis(100), decision).await;
            }
            Err::<(), _>(Rejection::forbidden())
        }
    }));
    let counter = Arc::clone(&alive);
    let service = ServiceBuilder::new()
        .map_request(move |request: Request<Incoming>| {
            request.map(|body| Counted::new(body, &counter))
        })
        .layer(layer)
        .service(App::new());
    let address = serve_http1(service).await;
    let mut wires = Vec::new();
    let plain = "Content-Length: 9\r\n";
    let expecting = "Expect: 100-continue\r\nContent-Length: 9\r\n";
    // That of an expecting client is dropped before the response, that of any other is drained behind it.
    let drained = if cfg!(feature = "tokio") { 100 } else { 0 };
    for (fields, left) in [(expecting, 0), (plain, drained)] {
        for _ in 0..100 {
            let mut rejected = Wire::to(address).await;
            rejected.send(put("/sink", fields)).await;
            assert_eq!(rejected.next().await.status(), 403);
            wires.push(rejected);
        }
        assert_eq!(alive.load(Ordering::SeqCst), left);
    }
    for _ in 0..100 {
        let mut gone = Wire::to(address).await;
        gone.send(put("/never", expecting)).await;
        wires.push(gone);
    }
    drop(wires);
    let all_gone = async {
        while alive.load(Ordering::SeqCst) > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    soon("bodies are left", all_gone).await;
}
