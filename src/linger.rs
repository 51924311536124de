//! The settings of lingering, and the sockets that linger by themselves.

#[cfg(feature = "tokio")]
mod discard;
#[cfg(feature = "axum")]
mod listener;
#[cfg(feature = "tokio")]
mod stream;

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};

#[cfg(feature = "axum")]
pub use self::listener::LingerListener;
#[cfg(feature = "tokio")]
pub use self::stream::LingerStream;

/// How long, and how much, an unread request body is drained, so that the client sees the response.
///
/// A client that is in the midst of sending reads the response only if it can go on writing, or at
/// least is not cut off: if the server closes with a body unread, the operating system resets the
/// connection, and the reset overtakes the response. So the layer keeps the unread body until the
/// head of the response is out, and then drains it, that is, reads and discards it, within these bounds:
///
/// | bound | default | for |
/// |---|---|---|
/// | [`total`](Self::total) | 30 s | the whole draining |
/// | [`idle`](Self::idle) | 5 s | each pause of the client |
/// | [`first_byte`](Self::first_byte) | 500 ms on HTTP/1, 250 ms on HTTP/2 | a client that waits for a 100 to begin all the same |
/// | [`max_bytes`](Self::max_bytes) | unlimited | what one client sends |
/// | [`max_drains`](Self::max_drains) | 1,024 | bodies drained at the same time |
/// | [`hold`](Self::hold) | 500 ms on HTTP/1, 250 ms on HTTP/2 | keeping the body unread after `total`, `max_bytes` or `max_drains` is reached |
/// | [`keep_alive_up_to`](Self::keep_alive_up_to) | 64 KiB | the rest up to which an HTTP/1.1 connection goes on |
///
/// `Duration::MAX` is no limit. Draining needs a tokio runtime with its time driver on. Where there is no
/// runtime, the body is dropped instead.
///
/// ```
/// use std::time::Duration;
/// use tower_expect::{ExpectLayer, Linger};
///
/// let layer = ExpectLayer::default()
///     .linger(Linger::default().total(Duration::from_secs(10)).max_drains(256));
/// assert!(format!("{layer:?}").contains("max_drains: 256"));
/// ```
///
/// # Where the client expects and was not invited
///
/// Such a client does not owe its body once it has the response, and what it sends next may be its next
/// request. On HTTP/1 the layer therefore drops the body before the response leaves: hyper then closes
/// its reading side, and says `Connection: close` in whatever response leaves, also in one that a layer
/// outside has put in its place. Only a body whose known length exceeds 816 KiB is kept behind the head,
/// for clients that have stopped waiting: hyper cannot complete it by the single read that it tries when
/// a body is dropped. Up to 2.4 MiB it is held, unread, for `hold`; of a longer one all but the last
/// 2.4 MiB is drained, and then it is held. See [`max_buf_size`](Self::max_buf_size).
///
/// Nested layers share one draining, but for requests that do not expect and have no extensions, straight on
/// hyper, say: there each layer drains within bounds of its own.
///
/// # At the socket
///
/// Where the socket is yours, there is a better place to linger: [`LingerStream`](crate::LingerStream)
/// sends FIN and discards raw bytes, which are never parsed. [`Linger::at_socket`] tells the layer so.
///
/// # What hostile clients can cost
///
/// A rejected client that goes on sending holds its connection for `total` and `hold` at most, one
/// that falls silent for `idle`, one that waited for a 100 for `first_byte`. What it sends is read at
/// once and discarded, so it costs bandwidth but no memory: no more than an upload that is accepted
/// does. Measured with a thousand of them, a connection that is drained takes 21.7 KB, an idle
/// one without this layer's work 19.3 KB, nearly all of it hyper's buffers. More than `max_drains`
/// cannot be drained at a time; a further one is only held, for `hold`. A client that is only waited for
/// takes no place among them until its first byte; sixteen times as many are waited for at most.
///
/// In a soak of 100,000 rejections over 200 connections at a time, a quarter each of clients that send
/// nothing, everything, a trickle, or vanish, none that looked missed its rejection, an honest client's
/// hundred uploads a second all went through, and descriptors and memory went back to where they
/// were. `TOWER_EXPECT_SOAK=100000 cargo test --release --test soak -- --nocapture` repeats it.
///
/// # Shutdown
///
/// A graceful shutdown waits for responses, not for the draining after them. On HTTP/1, hyper closes
/// such a connection at once (axum's `with_graceful_shutdown` and hyper-util's `GracefulShutdown`
/// alike): a client that has not read its rejection by then may lose it. On HTTP/2 it waits for the
/// stream, up to the bounds above.
///
/// # Slow links
///
/// The defaults leave room for round trips of 200 ms with losses: over links of 20 and 200 ms with 1 %
/// of the segments lost, 29 kinds of clients saw all 460 rejections of uploads of 300 KiB and 8 MiB
/// (`tests/interop/run --servers layer-20ms,layer-200ms --sizes 300K,8M --runs 1`). Raise `first_byte`
/// and `hold` where round trips are longer.
///
/// Clones share the count of drains.
#[derive(Clone, Debug)]
#[must_use]
pub struct Linger {
    pub(crate) total: Duration,
    pub(crate) idle: Duration,
    first_byte: Option<Duration>,
    hold: Option<Duration>,
    pub(crate) max_bytes: u64,
    max_drains: usize,
    pub(crate) keep_alive_up_to: u64,
    max_buf_size: u64,
    pub(crate) before_response: Option<(u64, Duration)>,
    pub(crate) at_socket: bool,
    places: Arc<Places>,
}

#[derive(Debug, Default)]
struct Places {
    draining: AtomicUsize,
    waiting: AtomicUsize,
}

impl Default for Linger {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(30),
            idle: Duration::from_secs(5),
            first_byte: None,
            hold: None,
            max_bytes: u64::MAX,
            max_drains: 1024,
            keep_alive_up_to: 64 * 1024,
            // hyper's default (1.12.0, src/proto/h1/io.rs:31).
            max_buf_size: 8192 + 4096 * 100,
            before_response: None,
            at_socket: false,
            places: Arc::default(),
        }
    }
}

impl Linger {
    /// For a layer whose HTTP/1 connections linger at the socket, as those of
    /// [`LingerStream`](crate::LingerStream) do.
    ///
    /// The layer then drops unread bodies before the response leaves and drains nothing on HTTP/1. The
    /// connection closes, unless all of a short rest is there already, as hyper has it of a body of up to
    /// about 8 KiB that came with its head. On HTTP/2 the layer drains within the default bounds. Never use it on other sockets: clients in the midst of
    /// sending would lose the response. `serve` tells the layer by itself.
    pub fn at_socket() -> Self {
        Self {
            at_socket: true,
            ..Self::default()
        }
    }

    /// Sets the longest time for which one body is drained.
    pub fn total(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }

    /// Sets the longest pause between two pieces of the body.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Sets how long a client that asked for a 100 and got a rejection has to send a first byte.
    ///
    /// Most never do. Those that had given up waiting are in the midst of sending, and the byte is
    /// under way: half a second leaves room for a slow link.
    pub fn first_byte(mut self, first_byte: Duration) -> Self {
        self.first_byte = Some(first_byte);
        self
    }

    /// Sets how long the body is kept, unread, once the total time or the number of bytes is reached.
    ///
    /// Dropping it at once would reset a client that is writing; one whose writing merely stalls
    /// has time to read.
    pub fn hold(mut self, hold: Duration) -> Self {
        self.hold = Some(hold);
        self
    }

    /// Sets the most bytes of one body that are drained.
    ///
    /// Clients that look at the response only when all is sent lose it beyond that.
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Sets the most bodies that are drained at the same time. Any further one is kept for the time of
    /// [`hold`](Self::hold), unread.
    ///
    /// Clients that are only waited for, and rests of up to [`keep_alive_up_to`](Self::keep_alive_up_to)
    /// bytes, take no place.
    pub fn max_drains(mut self, max_drains: usize) -> Self {
        self.max_drains = max_drains;
        self
    }

    /// Sets the longest rest, in bytes, that is drained for the HTTP/1.1 connection to go on rather than
    /// be closed; 0 for never.
    ///
    /// A rest of unknown length lets the connection go on behind a 2xx only, as that of a chunked form
    /// behind its last part. Never if the client expects and was not invited: clients disagree on
    /// whether they still owe the body then.
    pub fn keep_alive_up_to(mut self, bytes: u64) -> Self {
        self.keep_alive_up_to = bytes;
        self
    }

    /// Sets the `max_buf_size` of the HTTP/1 server below, in bytes; 417,792 unless set, which is hyper's
    /// default.
    ///
    /// hyper may read up to twice as much at once, and up to three times that beyond what is taken from
    /// the body. An expecting client's body is never drained so far that these reads could complete it.
    pub fn max_buf_size(mut self, bytes: u64) -> Self {
        self.max_buf_size = bytes;
        self
    }

    /// Drains a body that the application has not read *before* the response leaves, if it has at most so
    /// many bytes and takes at most so long. Off unless set.
    ///
    /// For servers behind a proxy that ends its client's connection soon after a complete early response,
    /// as Envoy does after a second. The response then needs no close. The price: the client learns of a
    /// rejection only when it has sent its body. Requests that expect are not drained first, and a body
    /// that turns out to be longer is treated as without this setting. These bodies are not counted by
    /// [`max_drains`](Self::max_drains).
    pub fn drain_before_response(mut self, max_bytes: u64, total: Duration) -> Self {
        self.before_response = Some((max_bytes, total));
        self
    }

    pub(crate) fn drains_before_response(&self) -> bool {
        self.before_response.is_some()
    }

    pub(crate) fn first_byte_on(&self, http1: bool) -> Duration {
        self.first_byte.unwrap_or_else(|| round_trip(http1))
    }

    pub(crate) fn hold_on(&self, http1: bool) -> Duration {
        self.hold.unwrap_or_else(|| round_trip(http1))
    }

    /// The longest body, in bytes, that hyper may complete by reading on its own after it was dropped.
    pub(crate) fn completable(&self, was_polled: bool) -> u64 {
        match was_polled {
            false => self.frame(),
            true => self.margin(),
        }
    }

    /// How much of a body is left unread so that hyper cannot complete it: what it may read beyond what
    /// was taken is one frame that is polled, one that is read ahead, and one at the drop.
    pub(crate) fn margin(&self) -> u64 {
        self.frame().saturating_mul(3)
    }

    /// The most that hyper reads at once: its buffer doubles (1.12.0, src/proto/h1/io.rs:231).
    fn frame(&self) -> u64 {
        self.max_buf_size.saturating_mul(2)
    }
}

fn round_trip(http1: bool) -> Duration {
    Duration::from_millis(if http1 { 500 } else { 250 })
}

/// One of the [`max_drains`](Linger::max_drains).
pub(crate) struct Permit(Arc<Places>);

impl Permit {
    pub(crate) fn take(linger: &Linger) -> Option<Self> {
        let places = &linger.places;
        take(&places.draining, linger.max_drains).then(|| Self(Arc::clone(places)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.draining.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One of those who are waited for: sixteen times [`max_drains`](Linger::max_drains).
pub(crate) struct Waiting(Arc<Places>);

impl Waiting {
    pub(crate) fn take(linger: &Linger) -> Option<Self> {
        let places = &linger.places;
        let most = linger.max_drains.saturating_mul(16);
        take(&places.waiting, most).then(|| Self(Arc::clone(places)))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn take(taken: &AtomicUsize, most: usize) -> bool {
    let free = |taken: usize| (taken < most).then_some(taken + 1);
    let taken = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free);
    taken.is_ok()
}
