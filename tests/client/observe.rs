//! What the features `metrics` and `tracing` show.

use std::{
    fmt::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tower_expect::client::{ExpectContinueLayer, Metrics};
use tracing::{
    field::{Field, Visit},
    Event, Subscriber,
};
use tracing_subscriber::{layer::Context, prelude::*, registry::LookupSpan};

use crate::support::{asking, full, patient, put, send, server, text};

/// One connection after another: a 100, a 417, what is repeated without, a rejection, a death, what is
/// repeated with.
async fn uploads(layer: ExpectContinueLayer) {
    let address = server(|number, mut peer| async move {
        peer.head().await;
        match number {
            0 | 5 => peer.say("HTTP/1.1 100 Continue\r\n\r\n").await,
            1 => {
                peer.say("HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\n\r\n")
                    .await;
                return;
            }
            3 => {
                peer.say("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")
                    .await;
                return;
            }
            4 => return,
            // Sent without Expect, or without having been asked for.
            _ => {}
        }
        peer.body(5).await;
        peer.say("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok")
            .await;
    })
    .await;
    let layer = layer.no_memory();
    let client = asking(&layer);
    for _ in 0..4 {
        let response = send(&client, put(address, full("hello"))).await.unwrap();
        text(response).await;
    }
    let hasty = asking(&layer.timeout(Duration::ZERO));
    let response = send(&hasty, put(address, full("hello"))).await.unwrap();
    text(response).await;
}

#[test]
fn the_metrics_count_each_outcome() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(uploads(patient().observe(Metrics::new())));
    });
    let mut lines = Vec::new();
    for (key, unit, description, value) in snapshotter.snapshot().into_vec() {
        assert!(description.is_some_and(|text| text.len() > 20));
        let mut line = key.key().name().to_owned();
        for label in key.key().labels() {
            write!(line, " {}={}", label.key(), label.value()).unwrap();
        }
        let value = match value {
            DebugValue::Counter(count) => count,
            DebugValue::Histogram(values) => values.len() as u64,
            DebugValue::Gauge(_) => unreachable!(),
        };
        lines.push(format!("{line} {}: {value}", unit.unwrap().as_str()));
    }
    lines.sort();
    assert_eq!(
        lines,
        [
            "tower_expect_client_body_bytes_spared_total bytes: 5",
            "tower_expect_client_continue_delay_seconds seconds: 2",
            "tower_expect_client_repeats_total reason=dead_connection count: 1",
            "tower_expect_client_repeats_total reason=expectation_failed count: 1",
            "tower_expect_client_requests_total outcome=continued status= count: 2",
            "tower_expect_client_requests_total outcome=rejected status=401 count: 1",
            "tower_expect_client_requests_total outcome=timed_out status= count: 1",
        ]
    );
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Kept {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target() != "tower_expect::client" {
            return;
        }
        let mut line = format!("{}", metadata.level());
        event.record(&mut Fields(&mut line));
        self.0.lock().unwrap().push(line);
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }

    fn record_f64(&mut self, field: &Field, _: f64) {
        write!(self.0, " {}", field.name()).unwrap();
    }
}

#[test]
fn the_events_are_those_of_tracing_at_the_level_debug() {
    let kept = Kept::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(kept.clone());
    tracing::subscriber::with_default(subscriber, || runtime.block_on(uploads(patient())));
    let asked = "DEBUG message=waiting for 100 Continue http.request.body.size=5";
    assert_eq!(
        *kept.0.lock().unwrap(),
        [
            asked,
            "DEBUG message=100 Continue tower_expect.delay",
            asked,
            "DEBUG message=repeating the request error.type=\"expectation_failed\"",
            asked,
            "DEBUG message=response before the body, which is not sent \
             http.response.status_code=401 tower_expect.spared=5",
            asked,
            "DEBUG message=repeating the request error.type=\"dead_connection\"",
            asked,
            "DEBUG message=100 Continue tower_expect.delay",
            asked,
            "DEBUG message=no 100 Continue in time, sending the body tower_expect.delay",
        ]
    );
}
