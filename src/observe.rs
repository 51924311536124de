//! What the layer tells those who watch it.

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

/// Is told what becomes of requests; see [`ExpectLayer::observe`](crate::ExpectLayer::observe).
///
/// Implemented for closures `|event: &Event|`. Without an observer nothing is allocated and no clock
/// is read for the events.
///
/// The call comes from the midst of the work: in `Service::call`, while a body is polled or dropped.
/// So it should be quick and must not panic. What it needs of an event it can clone.
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
    /// Takes note of the event.
    fn observe(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync + 'static> Observe for F {
    fn observe(&self, event: &Event) {
        self(event);
    }
}

/// Takes note of nothing.
impl Observe for () {
    fn observe(&self, _: &Event) {}
}

/// One thing that has become of a request.
///
/// There is no byte of what the client sent in it: nothing with which it could write into a log.
///
/// A request without a body, without an `Expect` header and not validated, as by
/// `ExpectLayer::default()`, makes no event: there was nothing to decide. Any other is either `Accepted` or `Rejected`, once for each layer that it
/// passes. An accepted one with content is then `Continued` or `NeverRead`, or neither: if it did
/// not ask, or was cancelled. Reading on behind an answer is `Lingering`, and when that is over,
/// `Lingered`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The inner service was called.
    #[non_exhaustive]
    Accepted {
        /// Whether the request waits for a 100.
        expecting: bool,
        /// What the request announces, in bytes.
        content_length: Option<u64>,
    },
    /// The request was rejected; the inner service was not called.
    #[non_exhaustive]
    Rejected {
        /// The status of the response, as it is sent.
        status: StatusCode,
        /// What it was rejected for.
        reason: RejectReason,
        /// The sentence of the [`Rejection`](crate::Rejection). No byte of what the client sent is in it,
        /// unless your validator has put one there.
        message: Cow<'static, str>,
        /// What the request announces, in bytes.
        content_length: Option<u64>,
    },
    /// The content of a request that waits for a 100 was asked for, before the response: the 100 goes
    /// out. Not told where nothing below can send one.
    #[non_exhaustive]
    Continued {
        /// The time since the request was accepted.
        delay: Duration,
    },
    /// The application answered before it asked for the content: no 100 was sent.
    #[non_exhaustive]
    NeverRead {
        /// The status of the response.
        status: StatusCode,
        /// Whether the request waited for a 100.
        expecting: bool,
        /// What the request announces, in bytes.
        content_length: Option<u64>,
    },
    /// Reading on behind an answer has begun: the server has taken the answer, and is about to send it or
    /// has sent it.
    #[non_exhaustive]
    Lingering {},
    /// Reading on is over, and the content forgotten.
    #[non_exhaustive]
    Lingered {
        /// How many bytes were read and forgotten.
        bytes: u64,
        /// How many of the announced bytes the client was spared from sending; `None` if it had not
        /// announced its content, or the application had read some of it.
        spared: Option<u64>,
        /// How it ended.
        end: LingerEnd,
        /// How long it took.
        duration: Duration,
    },
    /// `serve` has accepted a connection.
    #[non_exhaustive]
    Connected {},
    /// A connection of `serve` has ended.
    #[non_exhaustive]
    Disconnected {
        /// How it ended.
        end: ConnectionEnd,
        /// What the transport, TLS, hyper or h2 said, unless it was closed as it should be.
        message: Option<Cow<'static, str>>,
        /// How long it was open.
        duration: Duration,
    },
    /// The listener of `serve` could not accept a connection: too many open files, mostly. It tries again.
    #[non_exhaustive]
    AcceptFailed {
        /// What the system said.
        message: Cow<'static, str>,
    },
    /// `serve` has as many connections as it may have, and accepts no more until one of them ends. Told once,
    /// until a tenth of the places has been free.
    #[non_exhaustive]
    MaxConnections {},
}

/// What a request was rejected for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectReason {
    /// 400: the `Expect` field does not match its grammar.
    Malformed,
    /// 417: an expectation that nobody supports.
    Unsupported,
    /// 417: nothing below can send the 100.
    ContinueUnavailable,
    /// The validator's own reason.
    Validator,
    /// 503: the validator did not decide in time.
    TimedOut,
}

impl RejectReason {
    /// A word for logs and labels: `malformed`, `unsupported`, `continue_unavailable`, `validator`,
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

/// How the reading behind an answer ended; the bounds are those of `Linger`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LingerEnd {
    /// The client had sent all.
    Complete,
    /// The connection or stream had ended, or broke.
    Gone,
    /// A client that had asked did not begin to send.
    NothingSent,
    /// A pause of the client was too long.
    Idle,
    /// It went on for too long.
    TotalTime,
    /// There was too much.
    MaxBytes,
    /// Too many others were being drained.
    MaxDrains,
    /// It was kept unread, or its last part was: its client may not owe it.
    Held,
    /// It was dropped before the response left, and the connection closed.
    Closed,
    /// The runtime was shut down.
    Cancelled,
}

impl LingerEnd {
    /// A word for logs and labels: `complete`, `gone`, `nothing_sent`, `idle`, `total_time`,
    /// `max_bytes`, `max_drains`, `held`, `closed`, `cancelled`.
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

    /// Whether the client was cut short and may still be writing.
    #[cfg_attr(not(feature = "tokio"), allow(dead_code, reason = "nothing reads on"))]
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
