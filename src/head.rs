//! Everything of a request but its body, with typed access to what validators look at.

use std::{fmt, ops::Deref};

use http::{
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING},
    request::Parts,
    HeaderMap, HeaderName, HeaderValue,
};
use http_body::SizeHint;
use mime::Mime;

use crate::{
    credentials::{Authorization, Basic},
    expectation::Expectations,
    media_range::MediaRange,
};

/// The head of a request, as validators and renderers see it.
///
/// Dereferences to [`http::request::Parts`], so method, URI, version, fields and extensions are at
/// hand; the methods below read the fields that decide about uploads. They never panic, whatever the
/// client sent, and the `try_` forms tell a malformed field from an absent one.
///
/// ```
/// use http::{Method, Request};
/// use tower_expect::RequestHead;
///
/// let request = Request::put("/files/1")
///     .header("content-type", "image/png")
///     .header("content-length", "1048576")
///     .header("authorization", "Bearer s3cr3t")
///     .body(())?;
/// let head = RequestHead::from(request.into_parts().0);
///
/// assert_eq!(head.method, Method::PUT);
/// assert_eq!(head.content_type().unwrap().type_(), "image");
/// assert_eq!(head.content_length()?, Some(1_048_576));
/// assert_eq!(head.bearer(), Some("s3cr3t"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RequestHead {
    parts: Parts,
    expectations: Expectations,
    size_hint: SizeHint,
}

impl RequestHead {
    pub(crate) fn new(parts: Parts, expectations: Expectations, size_hint: SizeHint) -> Self {
        Self {
            parts,
            expectations,
            size_hint,
        }
    }

    /// The head of a request that is refused for its `Expect` field.
    pub(crate) fn refused(parts: Parts, size_hint: SizeHint) -> Self {
        let head = Self::from(parts);
        Self { size_hint, ..head }
    }

    pub(crate) fn into_parts(self) -> Parts {
        self.parts
    }

    /// The media type of the content; `None` if it is absent or malformed.
    #[must_use]
    pub fn content_type(&self) -> Option<Mime> {
        self.try_content_type().ok().flatten()
    }

    /// The media type of the content (RFC 9110 §8.3).
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

    /// The length of the content in bytes, as announced (RFC 9110 §8.6).
    ///
    /// `None` if it is not announced, as in a chunked request, where a `Transfer-Encoding` overrides
    /// any `Content-Length` (RFC 9112 §6.3).
    ///
    /// # Errors
    ///
    /// If there is more than one, or it is not a decimal number that fits 64 bits.
    pub fn content_length(&self) -> Result<Option<u64>, InvalidHeader> {
        content_length(&self.headers)
    }

    /// Scheme and credentials; `None` if they are absent or malformed.
    #[must_use]
    pub fn authorization(&self) -> Option<Authorization<'_>> {
        self.try_authorization().ok().flatten()
    }

    /// Scheme and credentials (RFC 9110 §11.6.2).
    ///
    /// # Errors
    ///
    /// If there is more than one `Authorization` field line, it is not UTF-8, or it does not begin
    /// with a scheme.
    pub fn try_authorization(&self) -> Result<Option<Authorization<'_>>, InvalidHeader> {
        let Some(value) = single(&self.headers, AUTHORIZATION)? else {
            return Ok(None);
        };
        let invalid = || InvalidHeader::new(AUTHORIZATION, "is not a scheme with credentials");
        Authorization::parse(value.as_bytes())
            .map(Some)
            .ok_or_else(invalid)
    }

    /// The token of the `Bearer` scheme (RFC 6750 §2.1); `None` if there is none or it is malformed.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        self.try_bearer().ok().flatten()
    }

    /// The token of the `Bearer` scheme (RFC 6750 §2.1); `None` for another scheme, too.
    ///
    /// # Errors
    ///
    /// As [`try_authorization`](Self::try_authorization), or if the token is empty or holds
    /// characters that no token has.
    pub fn try_bearer(&self) -> Result<Option<&str>, InvalidHeader> {
        let Some(authorization) = self.try_authorization()?.filter(|a| a.is("Bearer")) else {
            return Ok(None);
        };
        let invalid = || InvalidHeader::new(AUTHORIZATION, "has a malformed Bearer token");
        authorization.token68().map(Some).ok_or_else(invalid)
    }

    /// User and password of the `Basic` scheme (RFC 7617); `None` if there are none or they are
    /// malformed.
    #[must_use]
    pub fn basic(&self) -> Option<Basic> {
        self.try_basic().ok().flatten()
    }

    /// User and password of the `Basic` scheme (RFC 7617); `None` for another scheme, too.
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

    /// The members of the `Expect` field. Empty for HTTP/1.0, where the field is ignored.
    ///
    /// Also empty in a renderer that is called because the field is malformed.
    #[must_use]
    pub fn expectations(&self) -> &Expectations {
        &self.expectations
    }

    /// Whether the request carries `100-continue` and is HTTP/1.1 or later.
    #[must_use]
    pub fn is_expecting(&self) -> bool {
        self.expectations.has_continue()
    }

    /// What the server knows about the length of the body, in bytes.
    #[must_use]
    pub fn size_hint(&self) -> &SizeHint {
        &self.size_hint
    }
}

/// For tests of validators: a head without a body. A malformed `Expect` field counts as absent.
impl From<Parts> for RequestHead {
    fn from(parts: Parts) -> Self {
        let expectations = match parts.version {
            http::Version::HTTP_09 | http::Version::HTTP_10 => Expectations::NONE,
            _ => Expectations::parse(&parts.headers).unwrap_or_default(),
        };
        Self::new(parts, expectations, SizeHint::default())
    }
}

impl Deref for RequestHead {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// Without the fields: they may hold credentials.
impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("uri", &self.uri)
            .field("version", &self.version)
            .field("expectations", &self.expectations)
            .field("size_hint", &self.size_hint)
            .finish_non_exhaustive()
    }
}

/// See [`RequestHead::content_length`].
pub(crate) fn content_length(headers: &HeaderMap) -> Result<Option<u64>, InvalidHeader> {
    if headers.contains_key(TRANSFER_ENCODING) {
        return Ok(None);
    }
    let Some(value) = single(headers, CONTENT_LENGTH)? else {
        return Ok(None);
    };
    let reason = "is not a decimal number that fits 64 bits";
    let invalid = || InvalidHeader::new(CONTENT_LENGTH, reason);
    decimal(value.as_bytes()).map(Some).ok_or_else(invalid)
}

/// The only field line of that name.
pub(crate) fn single(
    headers: &HeaderMap,
    name: HeaderName,
) -> Result<Option<&HeaderValue>, InvalidHeader> {
    let mut lines = headers.get_all(&name).iter();
    let first = lines.next();
    match lines.next() {
        None => Ok(first),
        Some(_) => Err(InvalidHeader::new(name, "occurs more than once")),
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    // `u64::from_str` also takes a sign.
    let add = |number: u64, &digit: &u8| {
        let digit = digit.checked_sub(b'0').filter(|&digit| digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    };
    (!digits.is_empty()).then(|| digits.iter().try_fold(0, add))?
}

/// A field of the request that is there but cannot be read as what it should be.
///
/// Its `Display` names the field and the reason; it never holds a byte of the value, so it is safe
/// in logs and responses.
#[derive(Clone, Debug)]
pub struct InvalidHeader {
    name: HeaderName,
    reason: &'static str,
}

impl InvalidHeader {
    fn new(name: HeaderName, reason: &'static str) -> Self {
        Self { name, reason }
    }

    /// The name of the field.
    #[must_use]
    pub fn name(&self) -> &HeaderName {
        &self.name
    }
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} field {}", self.name, self.reason)
    }
}

impl std::error::Error for InvalidHeader {}

#[cfg(test)]
mod tests;
