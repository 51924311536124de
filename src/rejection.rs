//! What a validator answers instead of letting a request in.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use http::{
    header::{ACCEPT, ALLOW, LOCATION, RETRY_AFTER, UPGRADE, WWW_AUTHENTICATE},
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
};

use crate::field_value::IntoFieldValue;

/// A final answer to a request that is not let in: a status, one sentence, header fields.
///
/// How it looks on the wire is up to the [`Render`](crate::render::Render) of the layer; a whole
/// answer of your own comes in by `From<http::Response<Bytes>>` and is sent as it is but for
/// `Connection`. The layer also puts the rejection into the extensions of the response, where outer
/// layers can see why.
///
/// ```
/// use http::{header, StatusCode};
/// use tower_expect::Rejection;
///
/// let rejection = Rejection::content_too_large(1 << 20);
/// assert_eq!(rejection.status(), StatusCode::PAYLOAD_TOO_LARGE);
/// assert_eq!(rejection.message(), "send at most 1048576 bytes");
///
/// let rejection = Rejection::new(StatusCode::CONFLICT)
///     .with_message("an upload of this file is under way; wait for it to end")
///     .with_header("x-upload-id", "42");
/// assert_eq!(rejection.headers().unwrap()["x-upload-id"], "42");
/// ```
///
/// # Which status
///
/// 401, 403, 405, 411, 413, 415, 429, a redirect or 503 for rules of yours. 417 is for an expectation
/// that cannot be met: clients repeat the request without `Expect` after it (RFC 9110 §10.1.1), so
/// with 417 you invite the content that you meant to refuse.
///
/// A rejection is always final. A 1xx status, or a header field that cannot be, makes it a 500 whose
/// message says what was wrong with it.
#[derive(Clone, Debug)]
#[must_use]
pub struct Rejection {
    status: StatusCode,
    message: Option<Cow<'static, str>>,
    more: More,
}

/// Boxed: a `Result<(), Rejection>` should stay small.
#[derive(Clone, Debug)]
enum More {
    Nothing,
    Headers(Box<HeaderMap>),
    Whole(Box<Response<Bytes>>),
}

impl Rejection {
    /// A rejection with that status and a sentence that suits it.
    pub fn new(status: StatusCode) -> Self {
        if status.is_informational() {
            return Self::broken(format!("a rejection cannot have the status {status}"));
        }
        Self {
            status,
            message: None,
            more: More::Nothing,
        }
    }

    /// Replaces the sentence for the client, which should say what to do next.
    ///
    /// Never build it from bytes the client sent: renderers escape it, but a log may not.
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Adds a header field; a second one of that name replaces the first.
    ///
    /// Names and values are what `HeaderName` and `HeaderValue` can be made from. What cannot be
    /// one makes this a 500 rejection whose message names the problem.
    pub fn with_header<K, V>(self, name: K, value: V) -> Self
    where
        K: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        match (name.try_into(), value.try_into()) {
            (Ok(name), Ok(value)) => self.set(name, value),
            (Ok(name), Err(_)) => {
                Self::broken(format!("a rejection has an invalid value for {name}"))
            }
            (Err(_), _) => Self::broken("a rejection has an invalid header name"),
        }
    }

    /// 401 with a `WWW-Authenticate` field (RFC 9110 §15.5.2), such as `Bearer` or
    /// `Basic realm="files"`.
    pub fn unauthorized(challenge: impl IntoFieldValue) -> Self {
        Self::new(StatusCode::UNAUTHORIZED).with_field(WWW_AUTHENTICATE, challenge)
    }

    /// 403 (RFC 9110 §15.5.4).
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN)
    }

    /// 413 (RFC 9110 §15.5.14), with the limit in bytes in its sentence.
    pub fn content_too_large(limit: u64) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE).with_message(format!("send at most {limit} bytes"))
    }

    /// 415 with an `Accept` field (RFC 9110 §15.5.16): `"image/*"` or `["image/png", "image/jpeg"]`.
    pub fn unsupported_media_type(accepted: impl IntoFieldValue) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).with_field(ACCEPT, accepted)
    }

    /// 411 (RFC 9110 §15.5.12).
    pub fn length_required() -> Self {
        Self::new(StatusCode::LENGTH_REQUIRED)
    }

    /// 405 with an `Allow` field (RFC 9110 §15.5.6): `"PUT, POST"` or `[Method::PUT, Method::POST]`.
    pub fn method_not_allowed(allow: impl IntoFieldValue) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED).with_field(ALLOW, allow)
    }

    /// 429 (RFC 6585 §4), with a `Retry-After` field in whole seconds if a time is given.
    pub fn too_many_requests(retry_after: impl Into<Option<Duration>>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS).retry_after(retry_after.into())
    }

    /// 503 (RFC 9110 §15.6.4), with a `Retry-After` field in whole seconds if a time is given.
    pub fn service_unavailable(retry_after: impl Into<Option<Duration>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE).retry_after(retry_after.into())
    }

    /// 426 with an `Upgrade` field (RFC 9110 §15.5.22).
    pub fn upgrade_required(protocols: impl IntoFieldValue) -> Self {
        Self::new(StatusCode::UPGRADE_REQUIRED).with_field(UPGRADE, protocols)
    }

    /// A redirect with a `Location` field (RFC 9110 §15.4). Use 307 or 308: for other statuses
    /// clients may change the method to GET. A status outside 3xx makes it a 500 rejection.
    pub fn redirect(status: StatusCode, location: impl IntoFieldValue) -> Self {
        if !status.is_redirection() {
            return Self::broken(format!("a redirect cannot have the status {status}"));
        }
        Self::new(status).with_field(LOCATION, location)
    }

    /// 417 (RFC 9110 §15.5.18), for an expectation that cannot be met, with a sentence of yours.
    pub fn expectation_failed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::EXPECTATION_FAILED).with_message(message)
    }

    /// The status of the response; never a 1xx.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// One sentence for the client that says what to do next.
    #[must_use]
    pub fn message(&self) -> &str {
        self.message
            .as_deref()
            .unwrap_or_else(|| advice(self.status))
    }

    /// The header fields that go with the rejection, if there are any.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        match &self.more {
            More::Nothing => None,
            More::Headers(headers) => Some(headers),
            More::Whole(response) => Some(response.headers()),
        }
    }

    /// The whole answer, if the rejection was made from one.
    pub(crate) fn whole(&self) -> Option<&Response<Bytes>> {
        match &self.more {
            More::Whole(response) => Some(response),
            More::Nothing | More::Headers(_) => None,
        }
    }

    fn retry_after(self, after: Option<Duration>) -> Self {
        match after {
            // Rounded up: a client that comes back early comes in vain.
            Some(after) => {
                let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
                self.set(RETRY_AFTER, seconds.into())
            }
            None => self,
        }
    }

    fn with_field(self, name: HeaderName, value: impl IntoFieldValue) -> Self {
        match value.into_field_value() {
            Some(value) => self.set(name, value),
            None => Self::broken(format!("a rejection has an invalid value for {name}")),
        }
    }

    fn set(mut self, name: HeaderName, value: HeaderValue) -> Self {
        match &mut self.more {
            More::Nothing => {
                let mut headers = Box::new(HeaderMap::with_capacity(2));
                headers.insert(name, value);
                self.more = More::Headers(headers);
            }
            More::Headers(headers) => {
                headers.insert(name, value);
            }
            More::Whole(response) => {
                response.headers_mut().insert(name, value);
            }
        }
        self
    }

    /// Appends the field lines of that name that `other` has.
    pub(crate) fn append_from(mut self, other: &Self, name: &HeaderName) -> Self {
        let values = other.headers().into_iter();
        for value in values.flat_map(|headers| headers.get_all(name)) {
            match &mut self.more {
                More::Nothing => self = self.set(name.clone(), value.clone()),
                More::Headers(headers) => _ = headers.append(name, value.clone()),
                More::Whole(response) => _ = response.headers_mut().append(name, value.clone()),
            }
        }
        self
    }

    /// What becomes of a rejection that cannot be sent. A panic would take the connection with it.
    fn broken(what: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message: Some(what.into()),
            more: More::Nothing,
        }
    }
}

/// A whole answer of your own. It is sent as it is, but for `Connection`; no renderer sees it.
///
/// # Errors
///
/// A response with a 1xx status becomes a plain 500 rejection.
impl From<Response<Bytes>> for Rejection {
    fn from(response: Response<Bytes>) -> Self {
        let mut rejection = Self::new(response.status());
        if !response.status().is_informational() {
            rejection.more = More::Whole(Box::new(response));
        }
        rejection
    }
}

/// What a client can do after a refusal with that status.
fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "repeat the request with valid credentials",
        StatusCode::FORBIDDEN => "these credentials do not allow the request; do not repeat it",
        StatusCode::NOT_FOUND => "check the address of the request",
        StatusCode::METHOD_NOT_ALLOWED => "use a method that the Allow field lists",
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::GATEWAY_TIMEOUT
        | StatusCode::SERVICE_UNAVAILABLE => "repeat the request later",
        StatusCode::LENGTH_REQUIRED => "repeat the request with a Content-Length field",
        StatusCode::PAYLOAD_TOO_LARGE => "send less content",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            "send the content as a media type that the Accept field lists"
        }
        StatusCode::EXPECTATION_FAILED => "repeat the request without the Expect field",
        StatusCode::UPGRADE_REQUIRED => "switch to a protocol that the Upgrade field lists",
        StatusCode::TOO_MANY_REQUESTS => "wait before sending more requests",
        status if status.is_redirection() => "repeat the request at the address in Location",
        status if status.is_server_error() => {
            "the server could not decide; repeat the request later"
        }
        status if status.is_client_error() => "correct the request before repeating it",
        _ => "the request was answered without its content",
    }
}

#[cfg(test)]
mod tests;
