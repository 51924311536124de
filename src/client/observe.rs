//! Events of the client's requests for observers.

#[cfg(feature = "metrics")]
pub(super) mod metrics;
#[cfg(feature = "tracing")]
mod trace;

use std::{fmt, sync::Arc, time::Duration};

use http::StatusCode;

/// Receives the events of expecting requests; see
/// [`ExpectContinueLayer::observe`](super::ExpectContinueLayer::observe).
///
/// Implemented for closures `|event: &client::Event|`. It is called while the response future is polled, so it
/// should be quick and must not panic.
///
/// ```
/// use tower_expect::client::{Event, ExpectContinueLayer};
///
/// let layer = ExpectContinueLayer::new().observe(|event: &Event| {
///     if let Event::Rejected { status, spared: Some(bytes), .. } = event {
///         println!("{status}, and {bytes} bytes not sent");
///     }
/// });
/// # let _ = layer;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an observer",
    label = "not an observer",
    note = "an observer is a closure such as `|event: &client::Event| println!(\"{{event:?}}\")`",
    note = "the type of `event` must be written out"
)]
pub trait Observe: Send + Sync + 'static {
    /// Receives one event.
    fn observe(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync + 'static> Observe for F {
    fn observe(&self, event: &Event) {
        self(event);
    }
}

/// Something that happened to an expecting request.
///
/// `Asked` comes first, then at most one of `Continued`, `TimedOut`, `Unheard` and `Rejected`. After `Repeated`,
/// they start over, except after a 417, when the repeated request is not expecting. A request that is
/// dropped or fails while it waits has no further events. Other requests have none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The head with `Expect` was written, and the body waits.
    #[non_exhaustive]
    Asked {
        /// The length of the body, in bytes.
        content_length: Option<u64>,
    },
    /// The 100 arrived; the body is sent.
    #[non_exhaustive]
    Continued {
        /// The time since the head was written.
        delay: Duration,
    },
    /// No 100 arrived in time; the body is sent without one.
    #[non_exhaustive]
    TimedOut {
        /// The time since the head was written.
        delay: Duration,
    },
    /// The connection cannot report a 100, as on HTTP/2; the body is sent at once.
    #[non_exhaustive]
    Unheard {},
    /// A final response arrived before the 100; the body is not sent.
    #[non_exhaustive]
    Rejected {
        /// The status of the response, which may be a success.
        status: StatusCode,
        /// The number of bytes that were not sent; `None` if the length is unknown.
        spared: Option<u64>,
    },
    /// The request is sent again, with the same body.
    #[non_exhaustive]
    Repeated {
        /// The reason why it is repeated.
        reason: RepeatReason,
    },
}

/// The reason why a request is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RepeatReason {
    /// The response was a 417; the request is repeated without `Expect`.
    ExpectationFailed,
    /// The connection failed before any part of the body was sent.
    DeadConnection,
}

impl RepeatReason {
    /// Returns a word for logs and labels: `expectation_failed` or `dead_connection`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::ExpectationFailed => "expectation_failed",
            Self::DeadConnection => "dead_connection",
        }
    }
}

impl fmt::Display for RepeatReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The observers of one layer.
#[derive(Clone, Default)]
pub(super) struct Observers(Option<Arc<dyn Observe>>);

impl Observers {
    pub(super) fn add(&mut self, observer: impl Observe) {
        let earlier = self.0.take();
        self.0 = Some(match earlier {
            None => Arc::new(observer),
            Some(earlier) => Arc::new(move |event: &Event| {
                earlier.observe(event);
                observer.observe(event);
            }),
        });
    }

    pub(super) fn tell(&self, event: &Event) {
        #[cfg(feature = "tracing")]
        trace::event(event);
        if let Some(observer) = &self.0 {
            observer.observe(event);
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers").finish_non_exhaustive()
    }
}
