//! Events for observers, and how they reach `tracing` and `metrics`.

mod connection;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
#[cfg_attr(not(feature = "tracing"), path = "observe/trace_off.rs")]
mod trace;
mod watch;

use std::{borrow::Cow, fmt, time::Duration};

use http::StatusCode;

pub use self::connection::ConnectionEnd;
pub(crate) use self::watch::{Observers, Report, Watch};

/// Receives an event for each decision; see [`ExpectLayer::observe`](crate::ExpectLayer::observe).
///
/// Implemented for closures `|event: &Event|`. Without an observer nothing is allocated and no clock
/// is read for the events.
///
/// The layer calls it in `Service::call`, and while a body is polled or dropped. It should therefore be
/// quick, and must not panic.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use std::sync::Arc;
/// use tower_expect::{Event, ExpectLayer};
///
/// let rejected = Arc::new(AtomicU64::new(0));
/// let counter = Arc::clone(&rejected);
/// let layer = ExpectLayer::default().observe(move |event: &Event| {
///     if let Event::Rejected { .. } = event {
///         counter.fetch_add(1, Ordering::Relaxed);
///     }
/// });
/// # let _ = layer;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an observer",
    label = "not an observer",
    note = "an observer is a closure such as `|event: &Event| println!(\"{{event:?}}\")`",
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

/// Ignores all events.
impl Observe for () {
    fn observe(&self, _: &Event) {}
}

/// Something that happened to a request or a connection.
///
/// An event holds no bytes that the client sent, so that a client cannot write into a log.
///
/// Each request is `Accepted` or `Rejected`, once for each layer that it passes. Only a request without a
/// body and without an `Expect` header, in a layer without a validator, makes no event. An accepted
/// request with a body is then `Continued` or `NeverRead`, or neither, if it is not expecting or is cancelled.
/// `Lingering` and `Lingered` frame the draining of its body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The inner service was called.
    #[non_exhaustive]
    Accepted {
        /// Whether the request is expecting.
        expecting: bool,
        /// The `Content-Length` of the request, in bytes.
        content_length: Option<u64>,
    },
    /// The request was rejected; the inner service was not called.
    #[non_exhaustive]
    Rejected {
        /// The status of the response, as it is sent.
        status: StatusCode,
        /// The reason for the rejection.
        reason: RejectReason,
        /// The message of the [`Rejection`](crate::Rejection). It holds no bytes that the client sent, unless
        /// a validator of yours has put them there.
        message: Cow<'static, str>,
        /// The `Content-Length` of the request, in bytes.
        content_length: Option<u64>,
    },
    /// The application polled the body of an expecting request, and the 100 was sent. There is no such event
    /// if nothing below can send a 100.
    #[non_exhaustive]
    Continued {
        /// The time since the request was accepted.
        delay: Duration,
    },
    /// The application responded without polling the body; no 100 was sent.
    #[non_exhaustive]
    NeverRead {
        /// The status of the response.
        status: StatusCode,
        /// Whether the request is expecting.
        expecting: bool,
        /// The `Content-Length` of the request, in bytes.
        content_length: Option<u64>,
    },
    /// Draining the unread request body has started; the response is being sent.
    #[non_exhaustive]
    Lingering {},
    /// Draining has ended, and the request body is dropped.
    #[non_exhaustive]
    Lingered {
        /// The number of bytes that were drained.
        bytes: u64,
        /// The number of bytes that the client did not have to send; `None` if the request has no
        /// `Content-Length`, or the application has read a part of the body.
        spared: Option<u64>,
        /// How draining ended.
        end: LingerEnd,
        /// How long draining took.
        duration: Duration,
    },
    /// `serve` has accepted a connection.
    #[non_exhaustive]
    Connected {},
    /// A connection of `serve` has ended.
    #[non_exhaustive]
    Disconnected {
        /// How the connection ended.
        end: ConnectionEnd,
        /// The error of the transport, TLS, hyper or h2, if there was one.
        message: Option<Cow<'static, str>>,
        /// How long the connection was open.
        duration: Duration,
    },
    /// The listener of `serve` failed to accept a connection, often because of too many open files. It tries
    /// again.
    #[non_exhaustive]
    AcceptFailed {
        /// The error of the operating system.
        message: Cow<'static, str>,
    },
    /// `serve` has reached its limit of connections and accepts no more until one of them ends. The event
    /// repeats only after a tenth of the places has been free.
    #[non_exhaustive]
    MaxConnections {},
}

/// The reason why a request was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectReason {
    /// 400: the `Expect` header does not match its grammar.
    Malformed,
    /// 417: an expectation that is not supported.
    Unsupported,
    /// 417: nothing below can send the 100.
    ContinueUnavailable,
    /// The validator returned a rejection.
    Validator,
    /// 503: the validator did not decide within its timeout.
    TimedOut,
}

impl RejectReason {
    /// Returns a word for logs and labels: `malformed`, `unsupported`, `continue_unavailable`, `validator` or
    /// `timed_out`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::ContinueUnavailable => "continue_unavailable",
            Self::Validator => "validator",
            Self::TimedOut => "timed_out",
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How draining ended. The bounds are those of `Linger`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LingerEnd {
    /// The body was drained to its end.
    Complete,
    /// The connection or stream ended or failed.
    Gone,
    /// An expecting client did not begin to send its body.
    NothingSent,
    /// The client paused for longer than the idle bound.
    Idle,
    /// Draining reached its bound of time.
    TotalTime,
    /// Draining reached its bound of bytes.
    MaxBytes,
    /// The limit of concurrent drains was reached.
    MaxDrains,
    /// The body, or its last part, was held unread, because the client may not owe it.
    Held,
    /// The body was dropped before the response left, and the connection closes.
    Closed,
    /// The runtime was shut down.
    Cancelled,
}

impl LingerEnd {
    /// Returns a word for logs and labels: `complete`, `gone`, `nothing_sent`, `idle`, `total_time`,
    /// `max_bytes`, `max_drains`, `held`, `closed` or `cancelled`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Gone => "gone",
            Self::NothingSent => "nothing_sent",
            Self::Idle => "idle",
            Self::TotalTime => "total_time",
            Self::MaxBytes => "max_bytes",
            Self::MaxDrains => "max_drains",
            Self::Held => "held",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether draining ended although the client may still be sending.
    #[cfg_attr(not(feature = "tokio"), allow(dead_code, reason = "nothing drains"))]
    pub(crate) fn is_short(self) -> bool {
        matches!(
            self,
            Self::TotalTime | Self::MaxBytes | Self::MaxDrains | Self::Held
        )
    }
}

impl fmt::Display for LingerEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
