//! How a connection ends.

use std::fmt;

/// How a connection of `serve` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionEnd {
    /// By the client or by the server, after a whole response, or idle.
    Closed,
    /// The acceptor failed, as with a TLS handshake, or the client went away before it had begun to speak HTTP.
    HandshakeFailed,
    /// The client did not begin to speak HTTP in time.
    HandshakeTimedOut,
    /// The transport failed, the client was in breach of the protocol or too slow with a head, or the
    /// connection's task panicked.
    Failed,
    /// It was still open when the time for a graceful shutdown was over, or at `Handle::abort`.
    Aborted,
}

impl ConnectionEnd {
    /// A word for logs and labels: `closed`, `handshake_failed`, `handshake_timed_out`, `failed`,
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
