//! What can go wrong on a connection or with the body of a request.

use std::fmt;

/// Error of a connection or of the body of a request.
///
/// Its [`source`](std::error::Error::source) is the error of the crate `h2`, if there is one, where tonic
/// finds the reason.
pub struct Error(Kind);

#[derive(Debug)]
enum Kind {
    H2(h2::Error),
    KeepAliveTimeout,
    HandshakeTimeout,
    HeaderTimeout,
}

impl Error {
    pub(super) fn of_h2(error: h2::Error) -> Self {
        Self(Kind::H2(error))
    }

    pub(super) fn keep_alive_timeout() -> Self {
        Self(Kind::KeepAliveTimeout)
    }

    pub(super) fn handshake_timeout() -> Self {
        Self(Kind::HandshakeTimeout)
    }

    pub(super) fn header_timeout() -> Self {
        Self(Kind::HeaderTimeout)
    }

    /// Returns whether the client was too slow with its preface, its SETTINGS, a header block or the response
    /// to a keep-alive ping.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.h2().is_none()
    }

    /// Returns whether the transport has failed.
    #[must_use]
    pub fn is_io(&self) -> bool {
        self.h2().is_some_and(h2::Error::is_io)
    }

    /// Returns whether a single stream was reset, by either side, and not the connection.
    #[must_use]
    pub fn is_reset(&self) -> bool {
        self.h2().is_some_and(h2::Error::is_reset)
    }

    /// Returns the error code of the RST_STREAM or GOAWAY frame, if it was one
    /// ([RFC 9113 §7](https://www.rfc-editor.org/rfc/rfc9113#section-7)).
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        self.h2().and_then(h2::Error::reason).map(u32::from)
    }

    fn h2(&self) -> Option<&h2::Error> {
        match &self.0 {
            Kind::H2(error) => Some(error),
            Kind::KeepAliveTimeout | Kind::HandshakeTimeout | Kind::HeaderTimeout => None,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::H2(error) if error.is_reset() => "the HTTP/2 stream was reset",
            Kind::H2(_) => "the HTTP/2 connection has failed",
            Kind::KeepAliveTimeout => "the client did not respond to a keep-alive ping in time",
            Kind::HandshakeTimeout => "the client did not send its preface and SETTINGS in time",
            Kind::HeaderTimeout => "the client did not send the rest of a frame in time",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.h2().map(|error| error as _)
    }
}
