//! What holds for all connections of a server.

use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;

use crate::http2;

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) http1: http1::Builder,
    pub(super) http2: http2::Builder,
    /// `None` for no limit, like the following.
    pub(super) handshake_timeout: Limit,
    pub(super) header_read_timeout: Limit,
    pub(super) idle_timeout: Limit,
    pub(super) half_close_timeout: Limit,
    pub(super) write_timeout: Limit,
}

type Limit = Option<Duration>;

/// What can be set for the server and, for HTTP/2, apart.
#[derive(Debug, Default)]
pub(super) struct Timeouts {
    pub(super) handshake: Option<Limit>,
    pub(super) header_read: Option<Limit>,
    pub(super) idle: Option<Limit>,
}

impl Default for Settings {
    fn default() -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .half_close(true)
            .header_read_timeout(None)
            .timer(TokioTimer::new());
        Self {
            http1,
            http2: http2::Builder::new(),
            handshake_timeout: Some(Duration::from_secs(30)),
            header_read_timeout: Some(Duration::from_secs(30)),
            idle_timeout: Some(Duration::from_secs(120)),
            half_close_timeout: Some(Duration::from_secs(30)),
            write_timeout: None,
        }
    }
}

impl Settings {
    /// Those of the server take the place of those of HTTP/2.
    pub(super) fn with(mut self, timeouts: &Timeouts) -> Self {
        if let Some(limit) = timeouts.handshake {
            self.handshake_timeout = limit;
            self.http2 = self.http2.handshake_timeout(limit);
        }
        if let Some(limit) = timeouts.header_read {
            self.header_read_timeout = limit;
            self.http2 = self.http2.header_read_timeout(limit);
        }
        if let Some(limit) = timeouts.idle {
            self.idle_timeout = limit;
            self.http2 = self.http2.idle_timeout(limit);
        }
        self
    }
}
