//! The head of a request, with typed access to the headers that validators read.

mod framing;
mod invalid;

use std::{fmt, ops::Deref};

use http::{
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING},
    request::Parts,
    HeaderValue, Request, Version,
};
use http_body::{Body, SizeHint};
use mime::Mime;

use crate::{
    credentials::{Authorization, Basic},
    expectation::Expectations,
    media_range::MediaRange,
};

pub(crate) use self::framing::{content_length, may_follow, single};
pub use self::invalid::InvalidHeader;

/// The head of a request, as validators and renderers see it.
///
/// Dereferences to [`http::request::Parts`]: method, URI, version, headers and extensions. The methods below
/// read headers that describe or authorize a body. They never panic, whatever the client sent; the `try_`
/// forms distinguish a malformed header from an absent one.
///
/// ```
/// use http::{Method, Request};
/// use tower_expect::RequestHead;
///
/// let request = Request::put("/files/1")
///     .header("content-type", "image/png")
///     .header("content-length", "1048576")
///     .header("authorization", "Bearer s3cr3t")
///     .body(String::new())?;
/// let head = RequestHead::from(request);
///
/// assert_eq!(head.method, Method::PUT);
/// assert_eq!(head.content_type().unwrap().type_(), "image");
/// assert_eq!(head.content_length()?, Some(1_048_576));
/// assert_eq!(head.bearer(), Some("s3cr3t"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RequestHead {
    parts: Parts,
    expectations: Expectations,
    size_hint: SizeHint,
    has_body: bool,
}

impl RequestHead {
    pub(crate) fn new(
        parts: Parts,
        expectations: Expectations,
        has_body: bool,
        size_hint: SizeHint,
    ) -> Self {
        Self {
            parts,
            expectations,
            size_hint,
            has_body,
        }
    }

    /// Creates a head and parses its `Expect` header. A malformed one counts as absent.
    pub(crate) fn unparsed(parts: Parts, is_end_stream: bool, size_hint: SizeHint) -> Self {
        let expectations = match parts.version {
            Version::HTTP_09 | Version::HTTP_10 => Expectations::NONE,
            _ => Expectations::parse(&parts.headers).unwrap_or_default(),
        };
        let expects = !expectations.is_empty();
        let has_body = !is_end_stream && may_follow(&parts.method, &parts.headers, expects);
        Self::new(parts, expectations, has_body, size_hint)
    }

    pub(crate) fn into_parts(self) -> Parts {
        self.parts
    }

    /// Returns the media type of the body; `None` if it is absent or malformed.
    #[must_use]
    pub fn content_type(&self) -> Option<Mime> {
        self.try_content_type().ok().flatten()
    }

    /// Returns the media type of the body (RFC 9110 §8.3).
    ///
    /// # Errors
    ///
    /// If there is more than one, or it is not a media type.
    pub fn try_content_type(&self) -> Result<Option<Mime>, InvalidHeader> {
        let Some(value) = single(&self.headers, CONTENT_TYPE)? else {
            return Ok(None);
        };
        // `mime` takes `a/` and the like.
        let parsed =
            MediaRange::parse(value.as_bytes()).and_then(|_| value.to_str().ok()?.parse().ok());
        let invalid = InvalidHeader::new(CONTENT_TYPE, "is not a media type");
        parsed.map(Some).ok_or(invalid)
    }

    /// Returns the `Content-Length` in bytes (RFC 9110 §8.6).
    ///
    /// `None` if there is none, and in a chunked request, where `Transfer-Encoding` overrides any
    /// `Content-Length` (RFC 9112 §6.3).
    ///
    /// # Errors
    ///
    /// If there is more than one, or it is not a decimal number that fits 64 bits.
    pub fn content_length(&self) -> Result<Option<u64>, InvalidHeader> {
        content_length(&self.headers)
    }

    /// Returns scheme and credentials; `None` if they are absent or malformed.
    #[must_use]
    pub fn authorization(&self) -> Option<Authorization<'_>> {
        self.try_authorization().ok().flatten()
    }

    /// Returns scheme and credentials (RFC 9110 §11.6.2).
    ///
    /// # Errors
    ///
    /// If there is more than one `Authorization` header, it is not UTF-8, or it does not begin with a
    /// scheme.
    pub fn try_authorization(&self) -> Result<Option<Authorization<'_>>, InvalidHeader> {
        let Some(value) = single(&self.headers, AUTHORIZATION)? else {
            return Ok(None);
        };
        let invalid = || InvalidHeader::new(AUTHORIZATION, "is not a scheme with credentials");
        Authorization::parse(value.as_bytes())
            .map(Some)
            .ok_or_else(invalid)
    }

    /// Returns the token of the `Bearer` scheme (RFC 6750 §2.1); `None` if there is none or it is malformed.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        self.try_bearer().ok().flatten()
    }

    /// Returns the token of the `Bearer` scheme (RFC 6750 §2.1); `None` for another scheme, too.
    ///
    /// # Errors
    ///
    /// As [`try_authorization`](Self::try_authorization), or if the token is empty or contains invalid
    /// characters.
    pub fn try_bearer(&self) -> Result<Option<&str>, InvalidHeader> {
        let Some(authorization) = self.try_authorization()?.filter(|a| a.is("Bearer")) else {
            return Ok(None);
        };
        let invalid = || InvalidHeader::new(AUTHORIZATION, "has a malformed Bearer token");
        authorization.token68().map(Some).ok_or_else(invalid)
    }

    /// Returns user and password of the `Basic` scheme (RFC 7617); `None` if there are none or they are
    /// malformed.
    #[must_use]
    pub fn basic(&self) -> Option<Basic> {
        self.try_basic().ok().flatten()
    }

    /// Returns user and password of the `Basic` scheme (RFC 7617); `None` for another scheme, too.
    ///
    /// # Errors
    ///
    /// As [`try_authorization`](Self::try_authorization), or if the credentials are not the base64
    /// of a UTF-8 `user:password` without control characters.
    pub fn try_basic(&self) -> Result<Option<Basic>, InvalidHeader> {
        let Some(authorization) = self.try_authorization()?.filter(|a| a.is("Basic")) else {
            return Ok(None);
        };
        let invalid = InvalidHeader::new(AUTHORIZATION, "has malformed Basic credentials");
        Basic::decode(authorization.credentials)
            .map(Some)
            .ok_or(invalid)
    }

    /// Returns the members of the `Expect` header.
    ///
    /// Empty for HTTP/1.0, where the header is ignored, and in a renderer that is called because the header is
    /// malformed.
    #[must_use]
    pub fn expectations(&self) -> &Expectations {
        &self.expectations
    }

    /// Returns whether the request carries `100-continue`, is HTTP/1.1 or later, and has a body.
    #[must_use]
    pub fn is_expecting(&self) -> bool {
        self.has_body && self.expectations.has_continue()
    }

    /// Returns whether the request has a body: its framing does not rule one out.
    ///
    /// It has none if it ends with its head (on HTTP/1, without `Content-Length` and `Transfer-Encoding`; on
    /// HTTP/2, with END_STREAM), or if its `Content-Length` is 0. A GET, HEAD, OPTIONS, TRACE, CONNECT or
    /// DELETE over HTTP/2 or 3 that has not ended counts as having none, unless it has a `Content-Length` or an
    /// `Expect` header. If such a request is validated and data arrives all the same, none is delivered: reading
    /// it fails as beyond a limit of 0 bytes.
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.has_body
    }

    /// Returns what the server knows about the length of the body, in bytes.
    #[must_use]
    pub fn size_hint(&self) -> &SizeHint {
        &self.size_hint
    }
}

/// Creates the head that a validator sees for this request, for tests of validators.
///
/// A body that `Content-Length` or `Transfer-Encoding` describes need not be there. A body without these
/// headers gets the one that a client would send on HTTP/1.1. A malformed `Expect` header counts as absent; in
/// a layer, the validator does not run then.
///
/// ```
/// use http::Request;
/// use tower_expect::{rules, RequestHead, Validator};
///
/// let rule = rules::content_length(..=10);
/// let announced = Request::put("/").header("content-length", "11").body(String::new())?;
/// assert_eq!(rule.validate(&RequestHead::from(announced)).unwrap_err().status(), 413);
/// let there = Request::put("/").body("hello, world".to_owned())?;
/// assert_eq!(rule.validate(&RequestHead::from(there)).unwrap_err().status(), 413);
/// # Ok::<(), http::Error>(())
/// ```
impl<B: Body> From<Request<B>> for RequestHead {
    fn from(request: Request<B>) -> Self {
        let (mut parts, body) = request.into_parts();
        let headers = &mut parts.headers;
        if headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING) {
            let size_hint = match content_length(headers) {
                Ok(Some(length)) => SizeHint::with_exact(length),
                _ => SizeHint::default(),
            };
            return Self::unparsed(parts, false, size_hint);
        }
        let size_hint = body.size_hint();
        if !body.is_end_stream() && parts.version <= Version::HTTP_11 {
            match size_hint.exact() {
                Some(length) => headers.insert(CONTENT_LENGTH, length.into()),
                None => headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked")),
            };
        }
        Self::unparsed(parts, body.is_end_stream(), size_hint)
    }
}

impl Deref for RequestHead {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// Without the headers and the query: they may hold credentials.
impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .field("version", &self.version)
            .field("expectations", &self.expectations)
            .field("has_body", &self.has_body)
            .field("size_hint", &self.size_hint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
