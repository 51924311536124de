//! The `Basic` scheme (RFC 7617).

use std::{fmt, sync::Arc};

use http::HeaderValue;

use super::{challenge, realm};
use crate::{rules::Rule, Accepted, InvalidHeader, Rejection, RequestHead, Validator};

/// Accepts requests whose `Basic` credentials (RFC 7617) pass `accept(user, password)`.
///
/// Rejects others with 401, also malformed credentials, with the challenge
/// `Basic realm="restricted", charset="UTF-8"`; see [`realm`](Rule::realm). Compare passwords in
/// constant time.
pub fn basic<F>(accept: F) -> Rule<BasicAuth>
where
    F: Fn(&str, &str) -> bool + Send + Sync + 'static,
{
    let challenge = HeaderValue::from_static("Basic realm=\"restricted\", charset=\"UTF-8\"");
    let accept = Arc::new(accept);
    Rule(BasicAuth { accept, challenge })
}

/// Validator of [`basic`].
#[derive(Clone)]
pub struct BasicAuth {
    accept: Arc<Accept>,
    challenge: HeaderValue,
}

type Accept = dyn Fn(&str, &str) -> bool + Send + Sync;

impl Rule<BasicAuth> {
    /// Sets the realm, which browsers and password managers show.
    ///
    /// # Panics
    ///
    /// If the name contains control characters.
    #[track_caller]
    pub fn realm(mut self, name: &str) -> Self {
        let text = format!("Basic {}, charset=\"UTF-8\"", realm(name));
        self.0.challenge = challenge("Basic", text);
        self
    }
}

impl BasicAuth {
    fn unauthorized(&self) -> Rejection {
        Rejection::unauthorized(&self.challenge)
    }

    fn malformed(&self, error: &InvalidHeader) -> Rejection {
        let message = format!("{error}; repeat the request with user and password");
        self.unauthorized().with_message(message).malformed()
    }
}

impl Validator for BasicAuth {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        let message = match head.try_basic() {
            Ok(Some(basic)) if (self.accept)(&basic.user, &basic.password) => {
                return Ok(Accepted::new())
            }
            Ok(Some(_)) => "repeat the request with a valid user and password",
            Ok(None) => "repeat the request with user and password",
            Err(error) => return Err(self.malformed(&error)),
        };
        Err(self.unauthorized().with_message(message))
    }

    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        head.try_basic()
            .map(drop)
            .map_err(|error| self.malformed(&error))
    }
}

impl fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuth")
            .field("challenge", &self.challenge)
            .finish_non_exhaustive()
    }
}
