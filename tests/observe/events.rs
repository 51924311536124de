//! The events of `tracing`: names and types of fields, levels, spans.

use std::{convert::Infallible, future::Future, pin::pin};

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use tokio_test::{assert_pending, assert_ready_ok, task};
use tower::{Layer, Service};
use tower_expect::{ExpectBody, ExpectLayer, Rejection, RequestHead};
use tracing::{info_span, level_filters::LevelFilter, Instrument};

use crate::{
    kept::{keep, take},
    support::{expecting, fed, pass, post, rejected, reply, start, FedBody, Feed, InFlight},
};

fn debug(kept: &str) -> String {
    format!("DEBUG tower_expect {kept}")
}

fn forbid(_: &RequestHead) -> Result<(), Rejection> {
    Err(Rejection::forbidden())
}

fn upload(length: u64) -> (Feed, Request<FedBody>) {
    let (feed, body) = fed();
    let request = expecting(Version::HTTP_11).header("content-length", length);
    (feed, request.body(body).unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_read_makes_two_events() {
    keep(LevelFilter::DEBUG);
    let (feed, request) = upload(3);
    let mut exchange: InFlight<_, Full<Bytes>> = start(&ExpectLayer::default(), request);
    assert_eq!(
        take(),
        [debug(
            "[] request accepted | http.request.body.size: u64 3 | tower_expect.expecting: bool true"
        )]
    );
    assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
    assert_eq!(take(), [""; 0]);
    feed.data(3);
    assert!(task::spawn(exchange.request.body_mut().frame())
        .poll()
        .is_ready());
    let continued = debug("[] 100 Continue | tower_expect.delay: f64");
    assert_eq!(take(), [continued]);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_never_read_is_told_with_what_was_drained() {
    keep(LevelFilter::DEBUG);
    let (mut feed, body) = fed();
    let request = post(Version::HTTP_11).header("content-length", 9);
    let request = request.body(body).unwrap();
    let mut exchange = start(&ExpectLayer::default(), request);
    take();
    drop(exchange.request);
    exchange.respond.send_response(reply());
    drop(assert_ready_ok!(exchange.future.poll()));
    feed.data(2);
    feed.end();
    pass(1_000).await;
    assert_eq!(
        take(),
        [
            debug(
                "[] responded without reading the body | http.response.status_code: u64 200 \
                 | http.request.body.size: u64 9 | tower_expect.expecting: bool false"
            ),
            debug("[] draining behind the response"),
            debug(
                "[] drained behind the response | tower_expect.linger.bytes: u64 2 \
                 | tower_expect.linger.spared: u64 7 | tower_expect.linger.end: str complete \
                 | tower_expect.linger.duration: f64"
            ),
        ]
    );
}

#[test]
fn a_rejection_has_its_status_and_its_reason() {
    keep(LevelFilter::DEBUG);
    rejected(&ExpectLayer::new(forbid).no_linger(), upload(7).1);
    assert_eq!(
        take(),
        [
            debug(
                "[] request rejected before its body | http.response.status_code: u64 403 \
                 | error.type: str validator \
                  | error.message: str these credentials do not allow the request; do not repeat it \
                  | http.request.body.size: u64 7"
            ),
            debug("[] draining behind the response"),
            debug(
                "[] drained behind the response | tower_expect.linger.bytes: u64 0 \
                 | tower_expect.linger.spared: u64 7 | tower_expect.linger.end: str closed \
                 | tower_expect.linger.duration: f64"
            ),
        ]
    );
}

#[test]
fn a_length_that_was_not_announced_is_no_field() {
    keep(LevelFilter::DEBUG);
    let request = post(Version::HTTP_11).body(fed().1).unwrap();
    rejected(&ExpectLayer::new(forbid).no_linger(), request);
    assert_eq!(
        take(),
        [
            debug(
                "[] request rejected before its body | http.response.status_code: u64 403 \
                 | error.type: str validator \
                  | error.message: str these credentials do not allow the request; do not repeat it"
            ),
            debug("[] draining behind the response"),
            debug(
                "[] drained behind the response | tower_expect.linger.bytes: u64 0 \
                 | tower_expect.linger.end: str closed | tower_expect.linger.duration: f64"
            ),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_reading_is_told_in_the_span_of_the_request() {
    keep(LevelFilter::DEBUG);
    let (_feed, request) = upload(7);
    info_span!("request").in_scope(|| {
        drop(rejected(&ExpectLayer::new(forbid), request));
    });
    pass(1_000).await;
    let kept = take();
    assert_eq!(kept.len(), 3, "{kept:#?}");
    for line in kept {
        assert!(line.starts_with(&debug("[request] ")), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_read_in_a_task_is_continued_in_the_span_of_the_request() {
    keep(LevelFilter::DEBUG);
    let (mut feed, upload) = upload(3);
    feed.data(3);
    feed.end();
    async {
        let service = tower::service_fn(|request: Request<ExpectBody<FedBody>>| async {
            let reading = tokio::spawn(async { request.into_body().collect().await.is_ok() });
            assert!(reading.await.unwrap());
            Ok::<_, Infallible>(reply())
        });
        let mut service = ExpectLayer::default().layer(service);
        service.call(upload).await.unwrap();
    }
    .instrument(info_span!("request"))
    .await;
    let continued = debug("[request] 100 Continue | tower_expect.delay: f64");
    assert_eq!(take()[1..], [continued]);
}

#[tokio::test(start_paused = true)]
async fn at_the_level_info_there_is_nothing() {
    keep(LevelFilter::INFO);
    let (_feed, request) = upload(7);
    drop(rejected(&ExpectLayer::new(forbid), request));
    pass(1_000).await;
    assert_eq!(take(), [""; 0]);
}

/// Heap allocations from the call to the response.
fn allocations(level: LevelFilter) -> u64 {
    keep(level);
    let service = tower::service_fn(|request: Request<_>| {
        drop::<Request<ExpectBody<FedBody>>>(request);
        std::future::ready(Ok::<Response<Full<Bytes>>, Infallible>(reply()))
    });
    let mut service = ExpectLayer::default().no_linger().layer(service);
    let request = post(Version::HTTP_2).header("content-length", 3);
    let mut request = Some(request.body(fed().1).unwrap());
    let mut task = task::spawn(());
    let measured = allocation_counter::measure(|| {
        let answer = pin!(service.call(request.take().unwrap()));
        drop(assert_ready_ok!(task.enter(|cx, _| answer.poll(cx))));
    });
    measured.count_total
}

#[test]
fn events_that_nobody_wants_allocate_nothing() {
    assert_eq!(allocations(LevelFilter::OFF), 0);
    assert_eq!(allocations(LevelFilter::INFO), 0);
    assert!(allocations(LevelFilter::DEBUG) > 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_that_the_client_sent_is_told() {
    keep(LevelFilter::TRACE);
    for expect in ["evil-expectation", "evil evil", "100-continue"] {
        let (feed, body) = fed();
        let request = Request::builder()
            .method("EVIL")
            .uri("/evil?evil")
            .header("expect", expect)
            .header("authorization", "Bearer evil")
            .header("content-length", "evil")
            .body(body)
            .unwrap();
        drop(rejected(&ExpectLayer::new(forbid), request));
        feed.item(Ok(http_body::Frame::data("evil".into())));
    }
    pass(60_000).await;
    let told = take().join("\n").to_lowercase();
    assert_eq!(told.lines().count(), 9, "{told}");
    assert!(!told.contains("evil"), "{told}");
}
