//! Reading on after a refusal, so that the client gets to see it.

mod discard;
#[cfg(feature = "axum")]
mod listener;
mod stream;

use std::{
    future::{poll_fn, Future},
    pin::Pin,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};

use bytes::Buf;
use http_body::{Body, Frame};
use tokio::{
    runtime::Handle,
    task::yield_now,
    time::{sleep, timeout_at, Instant},
};

#[cfg(feature = "axum")]
pub use self::listener::LingerListener;
pub use self::stream::LingerStream;
use crate::{
    observe::{LingerEnd, Report},
    unread::Terms,
};

/// How long, and how much, a request body is read on that nobody wants any more.
///
/// A client that is in the midst of sending reads the response only if it can go on writing, or at
/// least is not cut off: if the server closes with content unread, the operating system resets the
/// connection, and the reset overtakes the response. So the layer keeps the unread body until the
/// head of the response is out, and then reads it, and forgets what it reads, within these bounds:
///
/// | bound | default | for |
/// |---|---|---|
/// | [`total`](Self::total) | 30 s | the whole reading |
/// | [`idle`](Self::idle) | 5 s | each pause of the client |
/// | [`first_byte`](Self::first_byte) | 500 ms on HTTP/1, 250 ms on HTTP/2 | a client that waits for a 100 to begin all the same |
/// | [`max_bytes`](Self::max_bytes) | unlimited | what one client sends |
/// | [`max_readers`](Self::max_readers) | 1,024 | bodies read at the same time |
/// | [`hold`](Self::hold) | 500 ms on HTTP/1, 250 ms on HTTP/2 | keeping the body unread after `total`, `max_bytes` or `max_readers` is reached |
/// | [`keep_alive_up_to`](Self::keep_alive_up_to) | 64 KiB | `Content-Length` up to which an HTTP/1.1 connection goes on |
///
/// Reading needs a tokio runtime with its time driver on. Where there is no runtime, the body is
/// dropped instead.
///
/// ```
/// use std::time::Duration;
/// use tower_expect::{ExpectLayer, Linger};
///
/// let layer = ExpectLayer::default()
///     .linger(Linger::default().total(Duration::from_secs(10)).max_readers(256));
/// assert!(format!("{layer:?}").contains("max_readers: 256"));
/// ```
///
/// # What hostile clients can cost
///
/// A refused client that goes on sending holds its connection for `total` and `hold` at most, one
/// that falls silent for `idle`, one that waited for a 100 for `first_byte`. What it sends is read at
/// once and forgotten, so it costs bandwidth but no memory: no more than an upload that is let in
/// does. Measured with a thousand of them, a connection that is read on takes 21.7 KB, an idle
/// one without this layer's work 19.3 KB, nearly all of it hyper's buffers. More than `max_readers`
/// cannot be read at a time; a further one is only held, for `hold`.
///
/// In a soak of 100,000 refusals over 200 connections at a time, a quarter each of clients that send
/// nothing, everything, a trickle, or vanish, none that looked missed its refusal, an honest client's
/// hundred uploads a second all went through, and descriptors and memory went back to where they
/// were. `TOWER_EXPECT_SOAK=100000 cargo test --release --test soak -- --nocapture` repeats it.
///
/// # Shutdown
///
/// A graceful shutdown waits for responses, not for the reading after them. On HTTP/1, hyper closes
/// such a connection at once (axum's `with_graceful_shutdown` and hyper-util's `GracefulShutdown`
/// alike): a client that has not read its refusal by then may lose it. On HTTP/2 it waits for the
/// stream, up to the bounds above.
///
/// # Slow links
///
/// The defaults leave room for round trips of 200 ms with losses: over links of 20 and 200 ms with 1 %
/// of the segments lost, 29 kinds of clients saw all 460 refusals of uploads of 300 KiB and 8 MiB
/// (`tests/interop/run --servers layer-20ms,layer-200ms --sizes 300K,8M --runs 1`). Raise `first_byte`
/// and `hold` where round trips are longer.
///
/// Clones share the count of readers.
#[derive(Clone, Debug)]
#[must_use]
pub struct Linger {
    total: Duration,
    idle: Duration,
    first_byte: Option<Duration>,
    hold: Option<Duration>,
    max_bytes: u64,
    max_readers: usize,
    keep_alive_up_to: u64,
    #[allow(dead_code, reason = "the layer reads it")]
    at_socket: bool,
    readers: Arc<AtomicUsize>,
}

impl Default for Linger {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(30),
            idle: Duration::from_secs(5),
            first_byte: None,
            hold: None,
            max_bytes: u64::MAX,
            max_readers: 1024,
            keep_alive_up_to: 64 * 1024,
            at_socket: false,
            readers: Arc::default(),
        }
    }
}

impl Linger {
    /// Creates the default bounds, for a layer above sockets that linger by themselves.
    ///
    /// Tells the layer that [`LingerStream`]s are below, so that it drains nothing on HTTP/1. On HTTP/2,
    /// where sockets cannot linger for a single stream, it drains as by default.
    pub fn at_socket() -> Self {
        Self {
            at_socket: true,
            ..Self::default()
        }
    }

    /// The longest time for which one body is read.
    pub fn total(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }

    /// The longest pause between two pieces of the content.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// How long a client that asked for a 100 and got a refusal has to send a first byte.
    ///
    /// Most never do. Those that had given up waiting are in the midst of sending, and the byte is
    /// under way: half a second leaves room for a slow link.
    pub fn first_byte(mut self, first_byte: Duration) -> Self {
        self.first_byte = Some(first_byte);
        self
    }

    /// How long the body is kept, unread, once the total time or the number of bytes is reached.
    ///
    /// Dropping it at once would reset a client that is writing; one whose writing merely stalls
    /// has time to read.
    pub fn hold(mut self, hold: Duration) -> Self {
        self.hold = Some(hold);
        self
    }

    /// The most bytes of one body that are read.
    ///
    /// Clients that look at the response only when all is sent lose it beyond that.
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The most bodies that are read at the same time. Any further one is kept for the time of
    /// [`hold`](Self::hold), unread.
    pub fn max_readers(mut self, max_readers: usize) -> Self {
        self.max_readers = max_readers;
        self
    }

    /// The longest content, in bytes, of which the rest is read for the HTTP/1.1 connection to go on
    /// rather than be closed; 0 for never.
    ///
    /// Only with a `Content-Length`, and never if the client asked for a 100: clients disagree on
    /// whether they still owe the content then.
    pub fn keep_alive_up_to(mut self, bytes: u64) -> Self {
        self.keep_alive_up_to = bytes;
        self
    }

    #[allow(clippy::unnecessary_wraps, reason = "without tokio there is none")]
    pub(crate) fn on_by_default() -> Option<Arc<Self>> {
        Some(Arc::new(Self::default()))
    }

    pub(crate) fn keep_alive_limit(&self) -> u64 {
        self.keep_alive_up_to
    }

    /// Reads the body in a task of its own.
    pub(crate) fn read_on<B>(&self, body: B, terms: &Terms, polled: bool)
    where
        B: Body + Send + Unpin + 'static,
    {
        if let Ok(runtime) = Handle::try_current() {
            let reading = Reading::new(self, terms, polled);
            runtime.spawn(reading.read(body));
        }
    }
}

/// How one body is read on.
struct Reading {
    delay: Duration,
    first_byte: Duration,
    /// What it is if the first byte does not come.
    silence: LingerEnd,
    idle: Duration,
    total: Duration,
    hold: Duration,
    max_bytes: u64,
    place: Option<Place>,
    report: Report,
}

impl Reading {
    fn new(linger: &Linger, terms: &Terms, polled: bool) -> Self {
        let waits = terms.expecting && !polled;
        let default = Duration::from_millis(if terms.http1 { 500 } else { 250 });
        Self {
            // hyper sends a 100 at the first poll unless the head of the response has been written.
            // A layer outside that has taken our body apart may still be waiting with that head.
            delay: Duration::from_millis(if waits && terms.http1 { 20 } else { 0 }),
            first_byte: if waits {
                linger.first_byte.unwrap_or(default)
            } else {
                linger.idle
            },
            silence: if waits {
                LingerEnd::NothingSent
            } else {
                LingerEnd::Idle
            },
            idle: linger.idle,
            total: linger.total,
            hold: linger.hold.unwrap_or(default),
            max_bytes: linger.max_bytes,
            place: Place::take(linger),
            report: Report::begin(terms.watch.clone()),
        }
    }

    async fn read<B: Body + Unpin>(mut self, mut body: B) {
        if !self.delay.is_zero() {
            sleep(self.delay).await;
        }
        self.report.end = match self.place {
            Some(_) => self.read_to_bound(&mut body).await,
            None => LingerEnd::MaxReaders,
        };
        if self.report.end.is_short() {
            // Held, a body takes no place: its client may be gone, which only reading would tell.
            self.place = None;
            sleep(self.hold).await;
        }
        crate::body::drop_spent(body);
    }

    async fn read_to_bound<B: Body + Unpin>(&mut self, body: &mut B) -> LingerEnd {
        let end = Instant::now() + self.total;
        let mut patience = self.first_byte;
        let mut silence = self.silence;
        loop {
            let until = end.min(Instant::now() + patience);
            match timeout_at(until, data_len(body)).await {
                Ok(None) => return LingerEnd::Complete,
                Ok(Some(Err(_))) => return LingerEnd::Gone,
                Ok(Some(Ok(len))) => self.report.bytes += len,
                Err(_) if until < end => return silence,
                Err(_) => return LingerEnd::TotalTime,
            }
            if self.report.bytes > self.max_bytes {
                return LingerEnd::MaxBytes;
            }
            silence = LingerEnd::Idle;
            patience = self.idle;
            // A body that is always ready would otherwise keep the thread to itself.
            yield_now().await;
        }
    }
}

/// The length of the next frame; `None` at the end.
fn data_len<B: Body + Unpin>(
    body: &mut B,
) -> impl Future<Output = Option<Result<u64, B::Error>>> + '_ {
    let len = |frame: Frame<B::Data>| frame.data_ref().map_or(0, |data| data.remaining() as u64);
    poll_fn(move |cx| {
        let frame = Pin::new(&mut *body).poll_frame(cx);
        frame.map(|frame| frame.map(|frame| frame.map(len)))
    })
}

/// One of the [`max_readers`](Linger::max_readers).
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(linger: &Linger) -> Option<Self> {
        let free = |taken: usize| (taken < linger.max_readers).then_some(taken + 1);
        let readers = &linger.readers;
        let taken = readers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free);
        taken.ok().map(|_| Self(Arc::clone(readers)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
