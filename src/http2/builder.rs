//! The settings of connections.

use std::time::Duration;

use h2::server;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{body::Faults, Connection};

/// The settings of HTTP/2 connections, by the names and with the defaults of hyper-util's
/// `http2::Builder`, but for [`max_local_error_reset_streams`](Self::max_local_error_reset_streams).
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

/// What the connection itself heeds.
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
    /// The defaults.
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
        // A client on a slow link goes on sending for many seconds after its upload was refused: what
        // waits in its socket cannot be taken back. h2 answers each such frame on a stream that it has
        // forgotten with RST_STREAM `STREAM_CLOSED`, and counts it as a local error (0.4.20,
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

    /// How many bytes of one request's content the client may send ahead of what is read
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

    /// How many bytes of content the client may send ahead on all streams together.
    ///
    /// As many bodies as fill it hold back all others while they are not read: with the defaults eight that
    /// wait for a slow validator or handler. It is also what one connection can make the server keep in memory.
    ///
    /// # Panics
    ///
    /// If it is larger than 2³¹ - 1.
    pub fn initial_connection_window_size(mut self, size: u32) -> Self {
        assert!(size <= MAX_WINDOW, "a window is at most 2^31 - 1");
        self.h2.initial_connection_window_size(size);
        self
    }

    /// The largest frame that the client may send (`SETTINGS_MAX_FRAME_SIZE`).
    ///
    /// # Panics
    ///
    /// If it is smaller than 16,384 or larger than 2²⁴ - 1.
    pub fn max_frame_size(mut self, size: u32) -> Self {
        self.h2.max_frame_size(size);
        self
    }

    /// How many requests of one client are served at the same time
    /// (`SETTINGS_MAX_CONCURRENT_STREAMS`).
    ///
    /// Streams whose response is complete, and whose unread body is being drained, count. When they are half
    /// of this number, each further one ends the oldest of them, so that one client of a proxy cannot keep
    /// the others out of a connection that they share.
    pub fn max_concurrent_streams(mut self, max: u32) -> Self {
        self.h2.max_concurrent_streams(max);
        self.config.max_concurrent_streams = max;
        self
    }

    /// The largest head of a request, names, values and 32 bytes for each field
    /// (`SETTINGS_MAX_HEADER_LIST_SIZE`).
    pub fn max_header_list_size(mut self, max: u32) -> Self {
        self.h2.max_header_list_size(max);
        self
    }

    /// How many bytes of one response wait in memory for the client's window. The piece of the body
    /// that reaches beyond it waits whole.
    ///
    /// # Panics
    ///
    /// If it is larger than `u32::MAX`.
    pub fn max_send_buffer_size(mut self, max: usize) -> Self {
        self.h2.max_send_buffer_size(max);
        self
    }

    /// Sets how long the client may take for its preface and SETTINGS (RFC 9113 §3.4); `None` for no limit.
    /// Then the connection ends with GOAWAY.
    pub fn handshake_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.handshake_timeout = timeout.into();
        self
    }

    /// Sets how long the client may take for a header block, from its first byte to the last one of its
    /// last frame, and for any other frame but DATA; `None` for no limit. Then the connection ends with GOAWAY.
    ///
    /// While a header block is not complete, nothing else can arrive on the connection (RFC 9113 §4.3). How
    /// fast a body arrives is up to the application.
    pub fn header_read_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.header_read_timeout = timeout.into();
        self
    }

    /// Sets how long the connection may be open without a stream; `None` for no limit. Then it ends with
    /// GOAWAY `NO_ERROR`, which is no error of [`Connection`].
    pub fn idle_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.idle_timeout = timeout.into();
        self
    }

    /// In what intervals to ping the client; `None` for never.
    pub fn keep_alive_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.config.keep_alive_interval = interval.into();
        self
    }

    /// How long to wait for the response to a ping before the connection ends, with GOAWAY.
    pub fn keep_alive_timeout(mut self, timeout: Duration) -> Self {
        self.config.keep_alive_timeout = timeout;
        self
    }

    /// How many streams of one connection may be reset by us because of what the client did on them;
    /// one more ends the connection with GOAWAY `ENHANCE_YOUR_CALM`. `None` for no limit.
    ///
    /// There should be one: a reset is work that costs the client a few bytes (RUSTSEC-2024-0003,
    /// CVE-2025-8671 "MadeYouReset"). But it need not be low. The service's future is dropped with its
    /// stream, so that streams which were reset do not go on working, and
    /// [`max_concurrent_streams`](Self::max_concurrent_streams) holds. And a client that takes none of
    /// the resets is soon not read from any more, before a mebibyte of them waits (h2 0.4.20).
    ///
    /// hyper's limit of 1,024 is too low for a server that refuses uploads: curl and others end a
    /// refused upload before its `Content-Length`, and that is such a reset, though nobody is harmed.
    /// A limit over the life of a connection takes those of a proxy's, which lives for days, for an
    /// attack. So there are two thresholds:
    ///
    /// * At half of this number of broken uploads, the client is told to open a new connection, and
    ///   this one goes on until all its streams have been answered: nothing is lost.
    /// * At the number itself, h2 ends the connection.
    ///
    /// 16,384 leaves room for 8,192 refusals on one connection.
    pub fn max_local_error_reset_streams(mut self, max: impl Into<Option<usize>>) -> Self {
        let max = max.into();
        self.h2.max_local_error_reset_streams(max);
        self.config.max_local_error_reset_streams = max;
        self
    }

    /// How many requests the client may reset before they are even looked at; one more ends the
    /// connection (CVE-2023-44487, "Rapid Reset").
    pub fn max_pending_accept_reset_streams(mut self, max: usize) -> Self {
        self.h2.max_pending_accept_reset_streams(max);
        self
    }

    /// Whether responses get a `date` if they have none, as RFC 9110 §6.6.1 asks.
    pub fn auto_date_header(mut self, enabled: bool) -> Self {
        self.config.auto_date_header = enabled;
        self
    }

    /// Serves a connection on which the client speaks HTTP/2, by ALPN or by prior knowledge.
    ///
    /// `service` is cloned for each request, and the clone made ready before it is called.
    pub fn serve_connection<I, S>(&self, io: I, service: S) -> Connection<I, S>
    where
        I: AsyncRead + AsyncWrite + Unpin,
    {
        Connection::new(io, &self.h2, service, self.config.clone())
    }
}

impl Config {
    /// Whether it is time for the client to go on with a new connection.
    pub(super) fn is_worn_out(&self, faults: &Faults) -> bool {
        let max = self.max_local_error_reset_streams;
        max.is_some_and(|max| faults.count() > max / 2)
    }
}
