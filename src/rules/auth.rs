//! Who may upload: the `Bearer` and `Basic` schemes.

use std::fmt;

use http::HeaderValue;

use super::Rule;
use crate::{field_value::IntoFieldValue, Rejection, RequestHead, Validator};

/// Admits requests whose `Bearer` token (RFC 6750) passes `accept`.
///
/// 401 otherwise, with the challenge `Bearer`, and `error="invalid_token"` if there was a token.
/// Compare tokens in constant time; the example `axum_upload` shows how.
pub fn bearer<F: Fn(&str) -> bool>(accept: F) -> Rule<BearerAuth<F>> {
    Rule(BearerAuth(accept))
}

/// What [`bearer`] makes.
#[derive(Clone, Copy)]
pub struct BearerAuth<F>(F);

impl<F: Fn(&str) -> bool> Validator for BearerAuth<F> {
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        match head.try_bearer() {
            Ok(Some(token)) if self.0(token) => Ok(()),
            Ok(None) => Err(Rejection::unauthorized("Bearer")
                .with_message("repeat the request with a Bearer token")),
            Ok(Some(_)) => Err(Rejection::unauthorized("Bearer error=\"invalid_token\"")
                .with_message("repeat the request with a valid Bearer token")),
            Err(error) => Err(Rejection::unauthorized("Bearer error=\"invalid_token\"")
                .with_message(format!("{error}; repeat the request with a Bearer token"))),
        }
    }
}

impl<F> fmt::Debug for BearerAuth<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerAuth").finish_non_exhaustive()
    }
}

/// Admits requests whose `Basic` credentials (RFC 7617) pass `accept(user, password)`.
///
/// 401 otherwise, with the challenge `Basic realm="restricted", charset="UTF-8"`; see
/// [`realm`](Rule::realm). Compare passwords in constant time.
pub fn basic<F: Fn(&str, &str) -> bool>(accept: F) -> Rule<BasicAuth<F>> {
    let rule = BasicAuth {
        accept,
        challenge: challenge("restricted"),
    };
    Rule(rule)
}

/// What [`basic`] makes.
#[derive(Clone)]
pub struct BasicAuth<F> {
    accept: F,
    challenge: Option<HeaderValue>,
}

fn challenge(realm: &str) -> Option<HeaderValue> {
    let quoted = realm.replace('\\', "\\\\").replace('"', "\\\"");
    format!("Basic realm=\"{quoted}\", charset=\"UTF-8\"").into_field_value()
}

impl<F: Fn(&str, &str) -> bool> Rule<BasicAuth<F>> {
    /// Names the realm, which browsers and password managers show.
    ///
    /// # Panics
    ///
    /// If the name holds control characters.
    #[must_use]
    pub fn realm(mut self, realm: &str) -> Self {
        assert!(
            !realm.chars().any(char::is_control),
            "the realm of a Basic challenge holds control characters"
        );
        self.0.challenge = challenge(realm);
        self
    }
}

impl<F: Fn(&str, &str) -> bool> Validator for BasicAuth<F> {
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        let message = match head.try_basic() {
            Ok(Some(basic)) if (self.accept)(&basic.user, &basic.password) => return Ok(()),
            Ok(Some(_)) => "repeat the request with a valid user and password".into(),
            Ok(None) => "repeat the request with user and password".into(),
            Err(error) => format!("{error}; repeat the request with user and password"),
        };
        let challenge = self.challenge.clone();
        let challenge = challenge.unwrap_or(HeaderValue::from_static("Basic realm=\"restricted\""));
        Err(Rejection::unauthorized(challenge).with_message(message))
    }
}

impl<F> fmt::Debug for BasicAuth<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuth")
            .field("challenge", &self.challenge)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, StatusCode};

    use super::*;

    fn head(authorization: Option<&str>) -> RequestHead {
        let mut request = Request::put("/");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        RequestHead::from(request.body(()).unwrap().into_parts().0)
    }

    fn refusal(rule: &impl Validator, authorization: Option<&str>) -> (StatusCode, String) {
        let rejection = rule.validate(&head(authorization)).unwrap_err();
        let challenge = rejection.headers().unwrap()["www-authenticate"].clone();
        (rejection.status(), challenge.to_str().unwrap().to_owned())
    }

    #[test]
    fn bearer_tells_missing_from_wrong_tokens() {
        let rule = bearer(|token| token == "good");
        assert!(rule.validate(&head(Some("bearer good"))).is_ok());
        let unauthorized = StatusCode::UNAUTHORIZED;
        assert_eq!(refusal(&rule, None), (unauthorized, "Bearer".into()));
        assert_eq!(
            refusal(&rule, Some("Basic x")),
            (unauthorized, "Bearer".into())
        );
        for wrong in ["Bearer bad", "Bearer", "Bearer a b"] {
            let invalid = "Bearer error=\"invalid_token\"";
            assert_eq!(refusal(&rule, Some(wrong)), (unauthorized, invalid.into()));
        }
    }

    #[test]
    fn basic_names_its_realm() {
        let rule = basic(|user, password| (user, password) == ("Aladdin", "open sesame"));
        let right = head(Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        assert!(rule.validate(&right).is_ok());
        let (status, challenge) = refusal(&rule, Some("Basic Og=="));
        assert_eq!(status, 401);
        assert_eq!(challenge, "Basic realm=\"restricted\", charset=\"UTF-8\"");
        let rule = rule.realm("a \"b\"");
        let (_, challenge) = refusal(&rule, Some("Basic ?"));
        assert_eq!(challenge, "Basic realm=\"a \\\"b\\\"\", charset=\"UTF-8\"");
    }

    #[test]
    fn either_scheme_is_asked_for_if_both_fail() {
        let rule = bearer(|_| false).or(basic(|_, _| false));
        let rejection = rule.validate(&head(None)).unwrap_err();
        let challenges = rejection.headers().unwrap().get_all("www-authenticate");
        assert_eq!(challenges.iter().count(), 2);
    }
}
