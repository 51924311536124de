//! The error for a header that cannot be read.

use std::fmt;

use http::HeaderName;

/// Error for a request header that is present but malformed.
///
/// Converts into a [`Rejection`](crate::Rejection) with 400, so that a validator can use `?`. Its
/// `Display` names the header and the reason, and contains no byte of the value, so that it is safe in logs
/// and responses.
#[derive(Clone, Debug)]
pub struct InvalidHeader {
    name: HeaderName,
    reason: &'static str,
}

impl InvalidHeader {
    pub(crate) fn new(name: HeaderName, reason: &'static str) -> Self {
        Self { name, reason }
    }

    /// Returns the name of the header.
    #[must_use]
    pub fn name(&self) -> &HeaderName {
        &self.name
    }
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} header {}", self.name, self.reason)
    }
}

impl std::error::Error for InvalidHeader {}
