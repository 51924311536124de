//! The `Bearer` scheme (RFC 6750).

use std::{fmt, sync::Arc};

use http::{header::WWW_AUTHENTICATE, HeaderValue};

use super::{challenge, realm, secret::is_equal};
use crate::{
    credentials::is_token68, rules::Rule, Accepted, InvalidHeader, Rejection, RequestHead,
    Validator,
};

/// Accepts requests whose `Bearer` token (RFC 6750) passes `accept`.
///
/// | the token | status | challenge (RFC 6750 §3) |
/// |---|---|---|
/// | absent, or another scheme | 401 | `Bearer` |
/// | does not pass | 401 | `Bearer error="invalid_token"` |
/// | malformed, or more than one | 400 | `Bearer error="invalid_request"` |
///
/// Compare secrets in constant time, as [`bearer_token`] does. To look a token up in a database, use an
/// [`AsyncValidator`](crate::AsyncValidator).
pub fn bearer<F>(accept: F) -> Rule<BearerAuth>
where
    F: Fn(&str) -> bool + Send + Sync + 'static,
{
    Rule(BearerAuth {
        accept: Arc::new(accept),
        missing: HeaderValue::from_static("Bearer"),
        invalid_token: HeaderValue::from_static("Bearer error=\"invalid_token\""),
        invalid_request: HeaderValue::from_static("Bearer error=\"invalid_request\""),
    })
}

/// Accepts requests with this `Bearer` token; see [`bearer`] for the rejections.
///
/// The time of the comparison depends only on the lengths of the tokens, which are not secret. For several
/// tokens, use [`any`](crate::rules::any).
///
/// # Panics
///
/// If this is not a token (RFC 6750 §2.1): letters, digits and `-._~+/`, then any number of `=`.
#[track_caller]
pub fn bearer_token(token: impl Into<String>) -> Rule<BearerAuth> {
    let token = token.into();
    // Without the token: it is a secret.
    assert!(
        is_token68(&token),
        "a Bearer token is empty or contains invalid characters"
    );
    bearer(move |given| is_equal(given.as_bytes(), token.as_bytes()))
}

/// Validator of [`bearer`] and [`bearer_token`].
#[derive(Clone)]
pub struct BearerAuth {
    accept: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    missing: HeaderValue,
    invalid_token: HeaderValue,
    invalid_request: HeaderValue,
}

impl Rule<BearerAuth> {
    /// Sets the realm of the challenges.
    ///
    /// # Panics
    ///
    /// If the name contains control characters.
    #[track_caller]
    pub fn realm(mut self, name: &str) -> Self {
        let realm = realm(name);
        let named = |more| challenge("Bearer", format!("Bearer {realm}{more}"));
        self.0.missing = named("");
        self.0.invalid_token = named(", error=\"invalid_token\"");
        self.0.invalid_request = named(", error=\"invalid_request\"");
        self
    }
}

impl BearerAuth {
    fn malformed(&self, error: InvalidHeader) -> Rejection {
        Rejection::from(error).with_header(WWW_AUTHENTICATE, &self.invalid_request)
    }
}

impl Validator for BearerAuth {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        let (challenge, message) = match head.try_bearer() {
            Ok(Some(token)) if (self.accept)(token) => return Ok(Accepted::new()),
            Ok(Some(_)) => (
                &self.invalid_token,
                "repeat the request with a valid Bearer token",
            ),
            Ok(None) => (&self.missing, "repeat the request with a Bearer token"),
            Err(error) => return Err(self.malformed(error)),
        };
        Err(Rejection::unauthorized(challenge).with_message(message))
    }

    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        head.try_bearer()
            .map(drop)
            .map_err(|error| self.malformed(error))
    }
}

impl fmt::Debug for BearerAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerAuth")
            .field("challenge", &self.missing)
            .finish_non_exhaustive()
    }
}
