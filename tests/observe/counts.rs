//! The metrics of `Metrics`: names, labels, units, values.

use std::{future::pending, time::Duration};

use http::{request, Version};
use http_body_util::BodyExt;
use metrics::Unit;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tokio_test::task;
use tower::{Layer, Service};
use tower_expect::{ContinueUnavailable, ExpectLayer, Metrics, Rejection, RequestHead, Validator};

use crate::support::{expecting, fed, leave, pass, post, rejected, reply, start, NotCalled};

const MAX: u64 = 1_000;

fn up_to_max(head: &RequestHead) -> Result<(), Rejection> {
    match head.content_length() {
        Ok(Some(..=MAX)) => Ok(()),
        _ => Err(Rejection::content_too_large(MAX)),
    }
}

fn counted<V>(layer: ExpectLayer<V>) -> ExpectLayer<V> {
    layer.observe(Metrics::new())
}

fn upload(length: u64) -> request::Builder {
    expecting(Version::HTTP_11).header("content-length", length)
}

/// The client sends `sent` bytes, or none and goes on being there.
async fn reject(layer: &ExpectLayer<impl Validator>, request: request::Builder, sent: usize) {
    let (mut feed, body) = fed();
    drop(rejected(layer, request.body(body).unwrap()));
    if sent > 0 {
        feed.data(sent);
        feed.end();
    }
    pass(60_000).await;
}

/// The application reads all, or nothing.
async fn accept(request: request::Builder, reads: bool) {
    let (mut feed, body) = fed();
    let layer = counted(ExpectLayer::new(up_to_max));
    let mut exchange = start(&layer, request.body(body).unwrap());
    feed.end();
    if reads {
        assert!(task::spawn(exchange.request.body_mut().frame())
            .poll()
            .is_ready());
    }
    drop(exchange.request);
    exchange.respond.send_response(reply());
    drop(leave(&mut exchange.future).0.unwrap());
    pass(60_000).await;
}

async fn decide_too_late(request: request::Builder) {
    let layer = ExpectLayer::new_async(|_: &RequestHead| pending::<Result<(), Rejection>>());
    let layer = counted(layer.decision_timeout(Duration::from_secs(1)).no_linger());
    let request = request.body(fed().1).unwrap();
    layer.layer(NotCalled).call(request).await.unwrap();
}

/// A line a metric: its name, its labels, its unit, whether it is described, and its value.
fn lines(metrics: &Snapshotter) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, unit, description, value) in metrics.snapshot().into_vec() {
        let labels = key
            .key()
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()));
        let labels = labels.collect::<Vec<_>>().join(",");
        let unit = unit.as_ref().map_or("without unit", Unit::as_str);
        assert!(description.is_some_and(|text| text.len() > 20));
        let value = match value {
            DebugValue::Counter(count) => format!("counted {count}"),
            DebugValue::Gauge(value) => format!("at {value}"),
            DebugValue::Histogram(values) if unit == "seconds" => {
                format!("{} values", values.len())
            }
            DebugValue::Histogram(values) => format!("values {values:?}"),
        };
        let name = key.key().name();
        lines.push(format!("{name}{{{labels}}} {unit} {value}"));
    }
    lines.sort();
    lines
}

#[tokio::test(start_paused = true)]
async fn every_request_of_a_script_is_counted_once() {
    let recorder = DebuggingRecorder::new();
    let metrics = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);

    let layer = counted(ExpectLayer::new(up_to_max));
    for _ in 0..3 {
        accept(upload(5), true).await;
    }
    accept(upload(100), false).await;
    accept(post(Version::HTTP_11).header("content-length", 40), false).await;
    reject(&layer, upload(3_000), 0).await;
    reject(&layer, upload(3_000), 0).await;
    reject(
        &layer,
        post(Version::HTTP_11).header("content-length", 3_000),
        500,
    )
    .await;
    reject(&layer, post(Version::HTTP_11), 7).await;
    reject(&layer, upload(2_000).header("expect", "200-ok"), 0).await;
    reject(&layer, upload(2_000).header("expect", "a b"), 0).await;
    let layer = layer.when_continue_unavailable(ContinueUnavailable::Reject);
    let without_signal = upload(2_000).version(Version::HTTP_2);
    reject(&layer, without_signal, 0).await;
    decide_too_late(upload(5)).await;

    let spared = 100 + 40 + 2 * 3_000 + 2_500 + 3 * 2_000 + 5;
    assert_eq!(
        lines(&metrics),
        [
            &*format!("tower_expect_body_bytes_spared_total{{}} bytes counted {spared}"),
            "tower_expect_continue_delay_seconds{} seconds 3 values",
            "tower_expect_linger_bytes{end=closed} bytes values [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]",
            "tower_expect_linger_bytes{end=complete} bytes values [0.0, 500.0, 7.0]",
            "tower_expect_linger_bytes{end=nothing_sent} bytes values [0.0]",
            "tower_expect_lingering{} count at 0",
            "tower_expect_requests_total{outcome=accepted,status=} count counted 5",
            "tower_expect_requests_total{outcome=continue_unavailable,status=417} count counted 1",
            "tower_expect_requests_total{outcome=malformed,status=400} count counted 1",
            "tower_expect_requests_total{outcome=timed_out,status=503} count counted 1",
            "tower_expect_requests_total{outcome=unsupported,status=417} count counted 1",
            "tower_expect_requests_total{outcome=validator,status=413} count counted 4",
            "tower_expect_unread_total{status=200} count counted 2",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_drained_are_counted_while_they_are() {
    let recorder = DebuggingRecorder::new();
    let metrics = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let layer = counted(ExpectLayer::new(up_to_max));
    let _feeds = [(); 2].map(|()| {
        let (feed, body) = fed();
        let request = upload(2_000).version(Version::HTTP_2);
        drop(rejected(&layer, request.body(body).unwrap()));
        feed
    });
    pass(10).await;
    let gauge = |value| format!("tower_expect_lingering{{}} count at {value}");
    assert!(lines(&metrics).contains(&gauge(2)));
    // Taking a value sets it to 0.
    pass(1_000).await;
    assert!(lines(&metrics).contains(&gauge(-2)));
}
