//! How a connection ends.

use std::fmt;

/// How a connection of `serve` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionEnd {
    /// The client or the server closed it, after a complete response or while it was idle.
    Closed,
    /// The acceptor failed, for example in a TLS handshake, or the client disconnected before its first byte
    /// of HTTP.
    HandshakeFailed,
    /// The client did not send its first byte of HTTP in time.
    HandshakeTimedOut,
    /// The transport failed, the client violated the protocol or was too slow to send a head, or the
    /// connection's task panicked.
    Failed,
    /// It was still open at the deadline of a graceful shutdown, or at `Handle::abort`.
    Aborted,
}

impl ConnectionEnd {
    /// Returns a word for logs and labels: `closed`, `handshake_failed`, `handshake_timed_out`, `failed` or
    /// `aborted`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HandshakeFailed => "handshake_failed",
            Self::HandshakeTimedOut => "handshake_timed_out",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }
}

impl fmt::Display for ConnectionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
