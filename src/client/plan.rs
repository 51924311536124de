//! Whether a request asks for a 100, and what becomes of its `Expect` header.

use http::{
    header::{CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING, UPGRADE},
    request::Parts,
    HeaderMap, HeaderValue, Method, Version,
};
use http_body::Body;

use crate::expectation::Expectations;

/// What the request's `Expect` header is, if it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// None yet.
    Absent,
    /// `100-continue` and nothing else.
    Continue,
    /// `100-continue` among others.
    Among,
}

impl Expect {
    /// Makes one line of the header, with `100-continue` in it.
    pub(super) fn write(self, headers: &mut HeaderMap) {
        let value = match self {
            Self::Absent | Self::Continue => HeaderValue::from_static("100-continue"),
            Self::Among => {
                let lines: Vec<_> = headers.get_all(EXPECT).iter().collect();
                if lines.len() == 1 {
                    return;
                }
                let bytes: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
                match HeaderValue::from_bytes(&bytes.join(&b", "[..])) {
                    Ok(value) => value,
                    Err(_) => return,
                }
            }
        };
        headers.insert(EXPECT, value);
    }

    /// Removes `100-continue`; where others stand beside it, the header stays as it is.
    pub(super) fn remove(self, headers: &mut HeaderMap) {
        if self != Self::Among {
            headers.remove(EXPECT);
        }
    }
}

/// Decides about a request, and removes an `Expect` header that it must not have. `None`: it does
/// not ask.
pub(super) fn plan<B: Body>(head: &mut Parts, body: &B, min_length: u64) -> Option<Expect> {
    let length = length(head, body);
    let own = match own(&head.headers) {
        Own::Expect(own) => own,
        Own::Forbidden => {
            head.headers.remove(EXPECT);
            return None;
        }
        Own::Other => return None,
    };
    let possible = head.version == Version::HTTP_11
        && head.method != Method::CONNECT
        && !head.headers.contains_key(UPGRADE)
        && has_body(head, body, length);
    let wanted = own != Expect::Absent || length.is_none_or(|length| length >= min_length);
    if possible && wanted {
        return Some(own);
    }
    if !possible && head.version <= Version::HTTP_11 {
        own.remove(&mut head.headers);
    }
    None
}

/// What the caller's header says.
enum Own {
    Expect(Expect),
    /// Nothing, in so many lines.
    Forbidden,
    /// Malformed, or for somebody else.
    Other,
}

fn own(headers: &HeaderMap) -> Own {
    if !headers.contains_key(EXPECT) {
        return Own::Expect(Expect::Absent);
    }
    match Expectations::parse(headers) {
        Ok(members) if members.is_empty() => Own::Forbidden,
        Ok(members) if !members.has_continue() => Own::Other,
        Ok(members) if members.iter().all(|member| member.is_continue()) => {
            Own::Expect(Expect::Continue)
        }
        Ok(_) => Own::Expect(Expect::Among),
        Err(_) => Own::Other,
    }
}

/// In bytes, if it is known.
pub(super) fn length<B: Body>(head: &Parts, body: &B) -> Option<u64> {
    let announced = || {
        let length = head.headers.get(CONTENT_LENGTH)?;
        length.to_str().ok()?.parse().ok()
    };
    body.size_hint().exact().or_else(announced)
}

fn has_body<B: Body>(head: &Parts, body: &B, length: Option<u64>) -> bool {
    // hyper sends no body of unknown length with these (hyper 1.12, `proto/h1/role.rs:1416`).
    let dropped = matches!(head.method, Method::GET | Method::HEAD)
        && length.is_none()
        && !head.headers.contains_key(TRANSFER_ENCODING);
    !body.is_end_stream() && length != Some(0) && !dropped
}
