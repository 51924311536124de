//! The limits for draining, and sockets that linger.

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

/// Limits for draining an unread request body, so that the client receives the response.
///
/// If a server closes while a client is sending, the operating system resets the connection, and the reset
/// overtakes the response. The layer therefore keeps the unread body until the head of the response has been
/// sent, and then drains it, that is, reads and discards it, within these bounds:
///
/// | bound | default | for |
/// |---|---|---|
/// | [`total`](Self::total) | 30 s | all of the draining |
/// | [`idle`](Self::idle) | 5 s | each pause of the client |
/// | [`first_byte`](Self::first_byte) | 500 ms on HTTP/1, 250 ms on HTTP/2 | the first byte of an expecting client |
/// | [`max_bytes`](Self::max_bytes) | unlimited | one body |
/// | [`max_drains`](Self::max_drains) | 1,024 | concurrent drains |
/// | [`hold`](Self::hold) | 500 ms on HTTP/1, 250 ms on HTTP/2 | keeping the body unread after `total`, `max_bytes` or `max_drains` is reached |
/// | [`keep_alive_up_to`](Self::keep_alive_up_to) | 64 KiB | the remainder up to which an HTTP/1.1 connection is kept |
///
/// `Duration::MAX` means no limit. Draining needs a tokio runtime with its time driver. Without a runtime,
/// the body is dropped instead.
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
/// # Expecting clients that were not invited
///
/// Such a client does not owe its body once it has the response, and the next bytes may be its next
/// request. On HTTP/1 the layer therefore drops the body before the response leaves: hyper closes its
/// reading side, and adds `Connection: close` to whatever response leaves, even if an outer layer replaces
/// it. Only a body whose known length exceeds 816 KiB is kept, for clients that have stopped waiting and are
/// sending: hyper cannot complete it with the single read that it tries when a body is dropped. Up to
/// 2.4 MiB it is held unread for [`hold`](Self::hold); a longer one is drained down to its last 2.4 MiB,
/// and then held. See [`max_buf_size`](Self::max_buf_size).
///
/// Nested layers share one drain. The exception is: requests that do not expect and have no extensions,
/// directly on hyper: there each layer drains within its own bounds.
///
/// # At the socket
///
/// If you own the socket, linger there: [`LingerStream`](crate::LingerStream) sends FIN and discards raw
/// bytes, which are never parsed. Tell the layer with [`Linger::at_socket`].
///
/// # Hostile clients
///
/// A rejected client that keeps sending holds its connection for at most `total` and `hold`; a silent one
/// for `idle`, and an expecting one that sends nothing for `first_byte`. Its bytes are discarded as they
/// arrive, so it costs bandwidth but no memory. With a thousand such clients, a connection that is drained
/// takes 21.7 KB, and an idle one 19.3 KB, nearly all of it hyper's buffers. At most `max_drains` bodies
/// are drained at the same time; any further one is held for `hold`. A client counts from its first byte;
/// at most sixteen times `max_drains` clients are waited for before that.
///
/// In a test of 100,000 rejections over 200 concurrent connections, a quarter each sending nothing,
/// everything, slowly, or disconnecting, every client that read a response saw its rejection. All of the
/// hundred uploads a second of other clients succeeded, and descriptors and memory returned to their
/// start. `TOWER_EXPECT_SOAK=100000 cargo test --release --test soak -- --nocapture` repeats it.
///
/// # Shutdown
///
/// A graceful shutdown waits for responses, but not for draining by the layer. On HTTP/1, hyper closes the connection at
/// once (with axum's `with_graceful_shutdown` and hyper-util's `GracefulShutdown`), so that a client that
/// has not read its response may lose it. On HTTP/2 it waits for the stream, up to the bounds above. A
/// socket that lingers is waited for: see [`LingerStream`](crate::LingerStream#graceful-shutdown).
///
/// # Slow links
///
/// The defaults suit round trips of up to 200 ms with losses: over links of 20 and 200 ms with 1 % of the
/// segments lost, 29 kinds of clients saw all 460 rejections of uploads of 300 KiB and 8 MiB
/// (`tests/interop/run --servers layer-20ms,layer-200ms --sizes 300K,8M --runs 1`). Raise `first_byte`
/// and `hold` for longer round trips.
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
    /// Creates the settings for a layer whose HTTP/1 sockets linger, such as
    /// [`LingerStream`](crate::LingerStream).
    ///
    /// The layer drops unread bodies before the response leaves, and drains nothing on HTTP/1. The connection
    /// closes, unless hyper already has the whole body, as it may with up to about 8 KiB that came with
    /// the head. On HTTP/2 the layer drains within the default bounds. Do not use it on other sockets: clients
    /// that are sending would lose the response. `serve` sets it by itself.
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

    /// Sets the longest pause between two frames of the body.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Sets how long a rejected expecting client has to send its first byte.
    ///
    /// Most never send one. For those that had stopped waiting, the byte is on its way: half a second
    /// suits slow links.
    pub fn first_byte(mut self, first_byte: Duration) -> Self {
        self.first_byte = Some(first_byte);
        self
    }

    /// Sets how long the body is held unread after `total`, `max_bytes` or `max_drains` was reached.
    ///
    /// Dropping it at once would reset a client that is sending. While it is held, sending stalls, and the
    /// client has time to read the response.
    pub fn hold(mut self, hold: Duration) -> Self {
        self.hold = Some(hold);
        self
    }

    /// Sets the maximum number of bytes of one body that are drained.
    ///
    /// Clients that read the response only after they have sent a longer body lose it.
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Sets the maximum number of bodies that are drained at the same time. Any further one is held unread
    /// for [`hold`](Self::hold).
    ///
    /// Expecting clients count from their first byte. Remainders of up to
    /// [`keep_alive_up_to`](Self::keep_alive_up_to) bytes do not count.
    pub fn max_drains(mut self, max_drains: usize) -> Self {
        self.max_drains = max_drains;
        self
    }

    /// Sets the longest unread remainder, in bytes, up to which an HTTP/1.1 connection is kept rather than
    /// closed; 0 means never.
    ///
    /// A remainder of unknown length, such as that of a chunked form behind its last part, keeps the connection
    /// only after a 2xx. The connection is never kept if the client expects and was not invited, because clients
    /// disagree on whether they still owe the body.
    pub fn keep_alive_up_to(mut self, bytes: u64) -> Self {
        self.keep_alive_up_to = bytes;
        self
    }

    /// Sets the `max_buf_size` of the HTTP/1 server, in bytes. The default is 417,792, as in hyper.
    ///
    /// hyper reads up to twice as much at once, and may be up to three such reads ahead of the application. The
    /// body of an expecting client is never drained so far that these reads could complete it.
    pub fn max_buf_size(mut self, bytes: u64) -> Self {
        self.max_buf_size = bytes;
        self
    }

    /// Drains unread bodies *before* the response leaves, up to `max_bytes` and for at most `total`. Off by
    /// default.
    ///
    /// Use it behind a proxy that closes its client's connection soon after a complete early response, as Envoy
    /// does after one second. The response then needs no `Connection: close`, but the client receives a
    /// rejection only after it has sent its body. Bodies of expecting requests are not drained first, and a
    /// longer body is treated as without this setting. [`max_drains`](Self::max_drains) does not count these
    /// bodies. [Deployment](crate::guide::deployment#when-to-drain-first) has the figures.
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

    /// The longest body, in bytes, that hyper may complete after it was dropped.
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
