//! The events as counters and a histogram.

use metrics::{counter, describe_counter, describe_histogram, histogram, Unit};

use super::{Event, Observe};

const REQUESTS: &str = "tower_expect_client_requests_total";
const REPEATS: &str = "tower_expect_client_repeats_total";
const SPARED: &str = "tower_expect_client_body_bytes_spared_total";
const DELAY: &str = "tower_expect_client_continue_delay_seconds";

/// An observer that counts, through the facade of the crate `metrics`.
///
/// | metric | kind | what |
/// |---|---|---|
/// | `tower_expect_client_requests_total{outcome,status}` | counter | expecting requests; the outcome is `continued`, `timed_out`, `unheard`, or `rejected` with the status of the response |
/// | `tower_expect_client_repeats_total{reason}` | counter | requests that were repeated, by [`RepeatReason`](super::RepeatReason) |
/// | `tower_expect_client_body_bytes_spared_total` | counter | bytes that were not sent, because the response came first |
/// | `tower_expect_client_continue_delay_seconds` | histogram | time from the head to its 100 |
///
/// Install the recorder first, so that it receives the descriptions.
///
/// ```
/// use tower_expect::client::{ExpectContinueLayer, Metrics};
///
/// let layer = ExpectContinueLayer::new().observe(Metrics::new());
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Metrics;

impl Metrics {
    /// Creates the observer and describes the metrics to the recorder.
    #[must_use]
    pub fn new() -> Self {
        describe_counter!(
            REQUESTS,
            Unit::Count,
            "Expecting requests by outcome and status"
        );
        describe_counter!(
            REPEATS,
            Unit::Count,
            "Requests that were repeated before their body was sent, by reason"
        );
        describe_counter!(
            SPARED,
            Unit::Bytes,
            "Bytes that were not sent, because the response came first"
        );
        describe_histogram!(
            DELAY,
            Unit::Seconds,
            "Time from the head of a request to its 100 Continue"
        );
        Self
    }
}

impl Observe for Metrics {
    fn observe(&self, event: &Event) {
        let outcome = |outcome: &'static str, status: String| {
            counter!(REQUESTS, "outcome" => outcome, "status" => status).increment(1);
        };
        match event {
            Event::Asked { .. } => {}
            Event::Continued { delay } => {
                outcome("continued", String::new());
                histogram!(DELAY).record(delay.as_secs_f64());
            }
            Event::TimedOut { .. } => outcome("timed_out", String::new()),
            Event::Unheard {} => outcome("unheard", String::new()),
            Event::Rejected { status, spared } => {
                outcome("rejected", status.as_str().to_owned());
                counter!(SPARED).increment(spared.unwrap_or(0));
            }
            Event::Repeated { reason } => {
                counter!(REPEATS, "reason" => reason.as_str()).increment(1);
            }
        }
    }
}
