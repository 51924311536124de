//! The settings of connections.

use std::time::Duration;

use h2::server;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{body::Faults, Connection};

/// Settings of HTTP/2 connections.
///
/// Names and defaults are those of hyper-util's `http2::Builder`, except for
/// [`max_local_error_reset_streams`](Self::max_local_error_reset_streams), the connection's window and the
/// timeouts.
///
/// | setting | default |
/// |---|---|
/// | [`initial_stream_window_size`](Self::initial_stream_window_size) | 1 MiB |
/// | [`initial_connection_window_size`](Self::initial_connection_window_size) | 8 MiB |
/// | [`max_frame_size`](Self::max_frame_size) | 16 KiB |
/// | [`max_concurrent_streams`](Self::max_concurrent_streams) | 200 |
/// | [`max_header_list_size`](Self::max_header_list_size) | 16 KiB |
/// | [`max_send_buffer_size`](Self::max_send_buffer_size) | 400 KiB |
/// | [`handshake_timeout`](Self::handshake_timeout) | 30 s |
/// | [`header_read_timeout`](Self::header_read_timeout) | 30 s |
/// | [`idle_timeout`](Self::idle_timeout) | 2 minutes |
/// | [`keep_alive_interval`](Self::keep_alive_interval) | none |
/// | [`keep_alive_timeout`](Self::keep_alive_timeout) | 20 s |
/// | [`max_local_error_reset_streams`](Self::max_local_error_reset_streams) | 16,384 |
/// | [`max_pending_accept_reset_streams`](Self::max_pending_accept_reset_streams) | that of h2, 20 |
/// | [`auto_date_header`](Self::auto_date_header) | on |
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    h2: server::Builder,
    config: Config,
}

/// The settings that the connection itself needs.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) keep_alive_interval: Option<Duration>,
    pub(super) keep_alive_timeout: Duration,
    pub(super) auto_date_header: bool,
    /// `None` for no limit, like the following.
    pub(super) handshake_timeout: Option<Duration>,
    pub(super) header_read_timeout: Option<Duration>,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) max_concurrent_streams: u32,
    max_local_error_reset_streams: Option<usize>,
}

/// That of RFC 9113 §6.9.1.
const MAX_WINDOW: u32 = (1 << 31) - 1;

const MAX_LOCAL_ERROR_RESET_STREAMS: usize = 16_384;

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Creates a builder with the default settings.
    pub fn new() -> Self {
        let config = Config {
            keep_alive_interval: None,
            keep_alive_timeout: Duration::from_secs(20),
            auto_date_header: true,
            handshake_timeout: Some(Duration::from_secs(30)),
            header_read_timeout: Some(Duration::from_secs(30)),
            idle_timeout: Some(Duration::from_secs(120)),
            max_concurrent_streams: 0,
            max_local_error_reset_streams: None,
        };
        let mut h2 = server::Builder::new();
        // A client on a slow link keeps sending for many seconds after its upload was rejected: what waits in its
        // socket cannot be taken back. If h2 no longer remembers the stream, it responds to each such frame
        // with RST_STREAM `STREAM_CLOSED`, and counts it as a local error (0.4.20,
        // src/proto/streams/streams.rs:631-641). By itself it remembers 50 streams for a second.
        h2.max_concurrent_reset_streams(1024)
            .reset_stream_duration(Duration::from_secs(30));
        let builder = Self { h2, config };
        builder
            .initial_stream_window_size(1024 * 1024)
            .initial_connection_window_size(8 * 1024 * 1024)
            .max_frame_size(16 * 1024)
            .max_concurrent_streams(200)
            .max_header_list_size(16 * 1024)
            .max_send_buffer_size(400 * 1024)
            .max_local_error_reset_streams(MAX_LOCAL_ERROR_RESET_STREAMS)
    }

    /// Sets how many unread bytes of one request's body the client may send
    /// (`SETTINGS_INITIAL_WINDOW_SIZE`).
    ///
    /// # Panics
    ///
    /// If it is larger than 2³¹ - 1.
    pub fn initial_stream_window_size(mut self, size: u32) -> Self {
        assert!(size <= MAX_WINDOW, "a window is at most 2^31 - 1");
        self.h2.initial_window_size(size);
        self
    }

    /// Sets how many unread bytes of bodies the client may send on all streams together.
    ///
    /// Unread bodies that fill this window block all other bodies: with the defaults, eight that wait for a
    /// slow validator or handler. It is also the memory that one connection can take.
    ///
    /// # Panics
    ///
    /// If it is larger than 2³¹ - 1.
    pub fn initial_connection_window_size(mut self, size: u32) -> Self {
        assert!(size <= MAX_WINDOW, "a window is at most 2^31 - 1");
        self.h2.initial_connection_window_size(size);
        self
    }

    /// Sets the largest frame, in bytes, that the client may send (`SETTINGS_MAX_FRAME_SIZE`).
    ///
    /// # Panics
    ///
    /// If it is smaller than 16,384 or larger than 2²⁴ - 1.
    pub fn max_frame_size(mut self, size: u32) -> Self {
        self.h2.max_frame_size(size);
        self
    }

    /// Sets the maximum number of concurrent requests of one connection
    /// (`SETTINGS_MAX_CONCURRENT_STREAMS`).
    ///
    /// Streams whose response is complete, and whose unread body is being drained, count. If there are more than
    /// half of this number, the oldest of them is reset, so that one client of a proxy cannot block the
    /// others on a connection that they share.
    pub fn max_concurrent_streams(mut self, max: u32) -> Self {
        self.h2.max_concurrent_streams(max);
        self.config.max_concurrent_streams = max;
        self
    }

    /// Sets the largest head of a request, in bytes: names, values and 32 bytes for each header
    /// (`SETTINGS_MAX_HEADER_LIST_SIZE`).
    pub fn max_header_list_size(mut self, max: u32) -> Self {
        self.h2.max_header_list_size(max);
        self
    }

    /// Sets how many bytes of one response wait in memory for the client's window.
    ///
    /// The frame of the body that exceeds it is kept whole.
    ///
    /// # Panics
    ///
    /// If it is larger than `u32::MAX`.
    pub fn max_send_buffer_size(mut self, max: usize) -> Self {
        self.h2.max_send_buffer_size(max);
        self
    }

    /// Sets the time limit for the client's preface and SETTINGS (RFC 9113 §3.4); `None` means no limit.
    ///
    /// After it, the connection ends with GOAWAY.
    pub fn handshake_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.handshake_timeout = timeout.into();
        self
    }

    /// Sets the time limit for a header block, and for any other frame except DATA; `None` means no limit.
    ///
    /// It counts from the first byte of a block to the last byte of its last frame. After it, the connection
    /// ends with GOAWAY. Nothing else can arrive on the connection while a header block is incomplete
    /// (RFC 9113 §4.3). The application decides how fast a body must arrive.
    pub fn header_read_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.header_read_timeout = timeout.into();
        self
    }

    /// Sets how long the connection may be open without a stream; `None` means no limit.
    ///
    /// After it, the connection ends with GOAWAY `NO_ERROR`, which is not an error of [`Connection`].
    pub fn idle_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.idle_timeout = timeout.into();
        self
    }

    /// Sets the interval in which the client is pinged; `None` means never.
    pub fn keep_alive_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.config.keep_alive_interval = interval.into();
        self
    }

    /// Sets the time limit for the response to a ping, after which the connection ends with GOAWAY.
    pub fn keep_alive_timeout(mut self, timeout: Duration) -> Self {
        self.config.keep_alive_timeout = timeout;
        self
    }

    /// Sets the maximum number of streams per connection that may be reset because of client errors before the
    /// connection is closed with GOAWAY `ENHANCE_YOUR_CALM`; `None` means no limit.
    ///
    /// Keep a limit: a reset is work that costs the client a few bytes (RUSTSEC-2024-0003, CVE-2025-8671
    /// "MadeYouReset"). It need not be low. The service's future is dropped with its stream, so that a reset
    /// stream does no more work, and [`max_concurrent_streams`](Self::max_concurrent_streams) holds. If a client
    /// does not read the resets, h2 stops reading from it before a mebibyte of them waits (h2 0.4.20).
    ///
    /// hyper's limit of 1,024 is too low for a server that rejects uploads: curl and others end a rejected
    /// request before its `Content-Length`, which is such a reset. The connection of a proxy may live for days
    /// and reach any limit. There are therefore two thresholds:
    ///
    /// * At half of this number of incomplete bodies, GOAWAY tells the client to open a new connection. All
    ///   streams of this one still get their responses.
    /// * At the number itself, h2 ends the connection.
    ///
    /// The default of 16,384 allows 8,192 rejections on one connection.
    pub fn max_local_error_reset_streams(mut self, max: impl Into<Option<usize>>) -> Self {
        let max = max.into();
        self.h2.max_local_error_reset_streams(max);
        self.config.max_local_error_reset_streams = max;
        self
    }

    /// Sets how many requests the client may reset before they are processed; one more ends the connection
    /// (CVE-2023-44487, "Rapid Reset").
    pub fn max_pending_accept_reset_streams(mut self, max: usize) -> Self {
        self.h2.max_pending_accept_reset_streams(max);
        self
    }

    /// Sets whether responses without a `date` header get one (RFC 9110 §6.6.1).
    pub fn auto_date_header(mut self, enabled: bool) -> Self {
        self.config.auto_date_header = enabled;
        self
    }

    /// Serves a connection on which the client speaks HTTP/2, by ALPN or by prior knowledge.
    ///
    /// `service` is cloned for each request, and the clone is polled until it is ready before it is called.
    pub fn serve_connection<I, S>(&self, io: I, service: S) -> Connection<I, S>
    where
        I: AsyncRead + AsyncWrite + Unpin,
    {
        Connection::new(io, &self.h2, service, self.config.clone())
    }
}

impl Config {
    /// Whether the client should open a new connection.
    pub(super) fn is_worn_out(&self, faults: &Faults) -> bool {
        let max = self.max_local_error_reset_streams;
        max.is_some_and(|max| faults.count() > max / 2)
    }
}
