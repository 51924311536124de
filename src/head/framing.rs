//! Whether a request has a body, and how long it is, from its head.

use http::{
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    HeaderMap, HeaderName, HeaderValue, Method,
};

use super::InvalidHeader;

/// Whether a body that is not at its end may follow this head; `expects` tells whether there is a member
/// in `Expect`.
///
/// HTTP/2 clients and proxies may end a request with a separate, empty DATA frame, so that the body
/// is not at its end yet although there is none. For methods that usually have no body, a head without a
/// length means none; for the others, only a length of 0 does.
pub(crate) fn may_follow(method: &Method, headers: &HeaderMap, expects: bool) -> bool {
    let usually = match *method {
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::DELETE => expects,
        Method::CONNECT => false,
        _ => true,
    };
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let follows = match lengths.next() {
        None => usually,
        // A malformed length does not rule a body out.
        Some(first) => !is_zero(first) || lengths.any(|length| !is_zero(length)),
    };
    follows || headers.contains_key(TRANSFER_ENCODING)
}

fn is_zero(length: &HeaderValue) -> bool {
    !length.is_empty() && length.as_bytes().iter().all(|&digit| digit == b'0')
}

/// See [`RequestHead::content_length`](super::RequestHead::content_length).
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

/// The only line of that header.
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
