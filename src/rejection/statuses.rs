//! Rejections by status, each with the header that its RFC section requires.

use std::{borrow::Cow, time::Duration};

use http::{
    header::{ACCEPT, ALLOW, LOCATION, RETRY_AFTER, UPGRADE, WWW_AUTHENTICATE},
    HeaderValue, StatusCode,
};

use super::Rejection;

impl Rejection {
    /// Creates a 401 with a `WWW-Authenticate` header (RFC 9110 §15.5.2), such as `Bearer` or
    /// `Basic realm="files"`.
    ///
    /// For an invalid token, use `Bearer error="invalid_token"` (RFC 6750 §3).
    pub fn unauthorized(challenge: impl TryInto<HeaderValue>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED).with_header(WWW_AUTHENTICATE, challenge)
    }

    /// Creates a 403 (RFC 9110 §15.5.4).
    ///
    /// For a Bearer token whose scope is too small, add
    /// `.with_header("www-authenticate", "Bearer error=\"insufficient_scope\"")` (RFC 6750 §3.1).
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN)
    }

    /// Creates a 413 (RFC 9110 §15.5.14) with the limit, in bytes, in its message.
    pub fn content_too_large(limit: u64) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE).with_message(format!("send at most {limit} bytes"))
    }

    /// Creates a 415 with an `Accept` header (RFC 9110 §15.5.16): `["image/png", "image/jpeg"]`.
    pub fn unsupported_media_type<T>(accepted: T) -> Self
    where
        T: IntoIterator,
        T::Item: AsRef<str>,
    {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).with_header(ACCEPT, list(accepted))
    }

    /// Creates a 411 (RFC 9110 §15.5.12).
    pub fn length_required() -> Self {
        Self::new(StatusCode::LENGTH_REQUIRED)
    }

    /// Creates a 405 with an `Allow` header (RFC 9110 §15.5.6): `[Method::PUT, Method::POST]`.
    pub fn method_not_allowed<T>(allow: T) -> Self
    where
        T: IntoIterator,
        T::Item: AsRef<str>,
    {
        Self::new(StatusCode::METHOD_NOT_ALLOWED).with_header(ALLOW, list(allow))
    }

    /// Creates a 429 (RFC 6585 §4), with a `Retry-After` header in whole seconds if a time is given.
    pub fn too_many_requests(retry_after: impl Into<Option<Duration>>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS).retry_after(retry_after.into())
    }

    /// Creates a 503 (RFC 9110 §15.6.4), with a `Retry-After` header in whole seconds if a time is given.
    pub fn service_unavailable(retry_after: impl Into<Option<Duration>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE).retry_after(retry_after.into())
    }

    /// Creates a 426 with an `Upgrade` header (RFC 9110 §15.5.22): `["HTTP/3.0"]`.
    pub fn upgrade_required<T>(protocols: T) -> Self
    where
        T: IntoIterator,
        T::Item: AsRef<str>,
    {
        Self::new(StatusCode::UPGRADE_REQUIRED).with_header(UPGRADE, list(protocols))
    }

    /// Creates a redirect with a `Location` header (RFC 9110 §15.4).
    ///
    /// Use 307 or 308: after other statuses clients may change the method to GET. A status outside 3xx makes it a
    /// 500 rejection.
    pub fn redirect(status: StatusCode, location: impl TryInto<HeaderValue>) -> Self {
        if !status.is_redirection() {
            return Self::broken(format!("a redirect cannot have the status {status}"));
        }
        Self::new(status).with_header(LOCATION, location)
    }

    /// Creates a 417 (RFC 9110 §15.5.18), for an expectation that cannot be met, with a message of yours.
    pub fn expectation_failed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::EXPECTATION_FAILED).with_message(message)
    }

    fn retry_after(self, after: Option<Duration>) -> Self {
        match after {
            // Rounded up, so that no client repeats its request too early.
            Some(after) => {
                let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
                self.with_header(RETRY_AFTER, seconds)
            }
            None => self,
        }
    }
}

/// A comma-separated list.
fn list(members: impl IntoIterator<Item: AsRef<str>>) -> String {
    let mut list = String::new();
    for member in members {
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(member.as_ref());
    }
    list
}
