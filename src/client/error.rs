//! The error of a body that is not sent.

use std::{error::Error, fmt};

/// Error that ends a [`WaitingBody`](super::WaitingBody) that is not to be sent, and with it the connection.
///
/// It is the source of hyper's own error. A caller receives it only if a server sends too many interim
/// responses: after a final response, no error is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithheldError(Reason);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Over,
    TooManyInterim,
}

impl WithheldError {
    pub(super) fn over() -> Self {
        Self(Reason::Over)
    }

    pub(super) fn too_many_interim() -> Self {
        Self(Reason::TooManyInterim)
    }

    /// Returns whether the server sent more than 64 interim responses, and no 100 among them.
    #[must_use]
    pub fn is_too_many_interim_responses(&self) -> bool {
        self.0 == Reason::TooManyInterim
    }
}

impl fmt::Display for WithheldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Reason::Over => "the request's body is withheld: the exchange is over without it",
            Reason::TooManyInterim => "the server sent too many interim responses",
        })
    }
}

impl Error for WithheldError {}
