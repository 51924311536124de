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
/// Compare secrets in constant time; [`bearer_token`] does. A token that is looked up somewhere else is
/// the business of an [`AsyncValidator`](crate::AsyncValidator).
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

/// Accepts requests with this `Bearer` token; see [`bearer`] for the others.
///
/// The comparison takes a time that depends on the lengths of the tokens alone, which are no secret.
/// For several tokens, take [`any`](crate::rules::any).
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
        "a Bearer token is empty or holds characters that no token has"
    );
    bearer(move |given| is_equal(given.as_bytes(), token.as_bytes()))
}

/// What [`bearer`] and [`bearer_token`] return.
#[derive(Clone)]
pub struct BearerAuth {
    accept: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    missing: HeaderValue,
    invalid_token: HeaderValue,
    invalid_request: HeaderValue,
}

impl Rule<BearerAuth> {
    /// Names the realm in the challenges.
    ///
    /// # Panics
    ///
    /// If the name holds control characters.
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
