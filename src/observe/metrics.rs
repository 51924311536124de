//! The events as counters and histograms.

use metrics::{
    counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram, Unit,
};

use super::{Event, Observe};

const REQUESTS: &str = "tower_expect_requests_total";
const UNREAD: &str = "tower_expect_unread_total";
const SPARED: &str = "tower_expect_body_bytes_spared_total";
const DELAY: &str = "tower_expect_continue_delay_seconds";
const LINGER_BYTES: &str = "tower_expect_linger_bytes";
const LINGERING: &str = "tower_expect_lingering";
const CONNECTIONS: &str = "tower_expect_connections";
const CONNECTION_DURATION: &str = "tower_expect_connection_duration_seconds";
const ACCEPT_ERRORS: &str = "tower_expect_accept_errors_total";
const MAX_CONNECTIONS: &str = "tower_expect_max_connections_reached_total";

/// An observer that counts, through the facade of the crate `metrics`.
///
/// | metric | kind | what |
/// |---|---|---|
/// | `tower_expect_requests_total{outcome,status}` | counter | requests by decision; the outcome is `accepted`, with an empty status, or a [`RejectReason`](crate::RejectReason) with the status of the rejection |
/// | `tower_expect_unread_total{status}` | counter | accepted requests whose body the application never polled, by the status of its response |
/// | `tower_expect_body_bytes_spared_total` | counter | bytes of `Content-Length` that clients did not send, because the response came first |
/// | `tower_expect_continue_delay_seconds` | histogram | time from accepting a request to its 100; its count is the number of 100s |
/// | `tower_expect_linger_bytes{end}` | histogram | bytes drained behind one response, by [`LingerEnd`](crate::LingerEnd) |
/// | `tower_expect_lingering` | gauge | bodies that are being drained or held |
/// | `tower_expect_connections` | gauge | open connections of `serve` |
/// | `tower_expect_connection_duration_seconds{end}` | histogram | how long connections of `serve` were open, by [`ConnectionEnd`](crate::ConnectionEnd); its count is the number of connections |
/// | `tower_expect_accept_errors_total` | counter | connections that `serve` failed to accept |
/// | `tower_expect_max_connections_reached_total` | counter | how often `serve` paused accepting at its limit of connections |
///
/// Install the recorder first, so that it receives the descriptions. If layers nest, observe only one of
/// them, or requests are counted twice. Configure buckets in the exporter: summaries cannot be added up over
/// replicas. The example `axum_metrics` shows how. Without lingering, spared bytes are not counted.
///
/// ```
/// use tower_expect::{ExpectLayer, Metrics};
///
/// let layer = ExpectLayer::default().observe(Metrics::new());
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Metrics;

impl Metrics {
    /// Creates the observer and describes the metrics to the recorder.
    #[must_use]
    pub fn new() -> Self {
        describe_counter!(REQUESTS, Unit::Count, "Requests by decision and status");
        describe_counter!(
            UNREAD,
            Unit::Count,
            "Accepted requests whose body the application never polled"
        );
        describe_counter!(
            SPARED,
            Unit::Bytes,
            "Bytes of Content-Length that clients did not send, because the response came first"
        );
        describe_histogram!(
            DELAY,
            Unit::Seconds,
            "Time from accepting a request to its 100 Continue"
        );
        describe_histogram!(
            LINGER_BYTES,
            Unit::Bytes,
            "Bytes drained behind a response, by how draining ended"
        );
        describe_gauge!(
            LINGERING,
            Unit::Count,
            "Request bodies that are being drained or held"
        );
        describe_gauge!(CONNECTIONS, Unit::Count, "Open connections of the server");
        describe_histogram!(
            CONNECTION_DURATION,
            Unit::Seconds,
            "How long connections of the server were open, by how they ended"
        );
        describe_counter!(
            ACCEPT_ERRORS,
            Unit::Count,
            "Connections that the server failed to accept"
        );
        describe_counter!(
            MAX_CONNECTIONS,
            Unit::Count,
            "How often the server paused accepting at its limit of connections"
        );
        Self
    }
}

impl Observe for Metrics {
    fn observe(&self, event: &Event) {
        match event {
            Event::Accepted { .. } => {
                counter!(REQUESTS, "outcome" => "accepted", "status" => "").increment(1);
            }
            Event::Rejected { status, reason, .. } => {
                let status = status.as_str().to_owned();
                counter!(REQUESTS, "outcome" => reason.as_str(), "status" => status).increment(1);
            }
            Event::Continued { delay } => histogram!(DELAY).record(delay.as_secs_f64()),
            Event::NeverRead { status, .. } => {
                counter!(UNREAD, "status" => status.as_str().to_owned()).increment(1);
            }
            Event::Lingering {} => gauge!(LINGERING).increment(1.0),
            Event::Lingered {
                bytes, spared, end, ..
            } => {
                #[allow(clippy::cast_precision_loss, reason = "a histogram rounds anyway")]
                let read = *bytes as f64;
                gauge!(LINGERING).decrement(1.0);
                histogram!(LINGER_BYTES, "end" => end.as_str()).record(read);
                counter!(SPARED).increment(spared.unwrap_or(0));
            }
            Event::Connected {} => gauge!(CONNECTIONS).increment(1.0),
            Event::Disconnected { end, duration, .. } => {
                gauge!(CONNECTIONS).decrement(1.0);
                let duration = duration.as_secs_f64();
                histogram!(CONNECTION_DURATION, "end" => end.as_str()).record(duration);
            }
            Event::AcceptFailed { .. } => counter!(ACCEPT_ERRORS).increment(1),
            Event::MaxConnections {} => counter!(MAX_CONNECTIONS).increment(1),
        }
    }
}
