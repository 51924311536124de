//! Decides about a request from its head alone.

use http::{
    header::{GetAll, EXPECT},
    request::Parts,
    HeaderValue, Request, Version,
};
use http_body::{Body, SizeHint};

use crate::{
    expectation::{Expectations, MalformedExpect},
    head::may_follow,
    ContinueSignal, RejectReason, Rejection, RequestHead,
};

/// Which requests the validator runs for.
///
/// A request *has a body* if its framing does not rule one out, as [`RequestHead::has_body`] says.
///
/// [`RequestHead::has_body`]: crate::RequestHead::has_body
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValidateWhen {
    /// Every request, with or without a body, with or without `Expect`. The default.
    ///
    /// An empty PUT without a token must not truncate a file, and a GET must not be served without one.
    #[default]
    Always,
    /// Every request with a body, with or without `Expect`.
    ///
    /// Choose it if the validator limits uploads, and something else checks other requests.
    HasBody,
    /// Only requests that have a body and sent `Expect: 100-continue`. Others skip the validator.
    ///
    /// This protects nothing: a client bypasses the validator by omitting the header, as RFC 9110 §10.1.1
    /// tells it to do after a 417.
    Expecting,
}

/// What happens to an expecting request on HTTP/2 or HTTP/3 if nothing can send the 100.
///
/// On HTTP/1.1 such a request is always rejected with 417, since its client would wait in vain. On
/// HTTP/2, hyper never sends a 100. Clients were measured to react as follows:
///
/// | client, with `Expect` over HTTP/2 | `Forward` | `Reject` |
/// |---|---|---|
/// | curl 7.88 | sends the body at once, it does not wait | reports the 417 |
/// | Go 1.19, nghttp 1.52 | send the body after their timer, 1 s | report the 417 |
/// | Node.js 20 `http2` | waits forever | reports the 417 |
/// | Java 17 `HttpClient` | waits forever | waits forever, as on any rejection (JDK-8286171) |
///
/// None of them repeats the request without `Expect`, as RFC 9110 §10.1.1 advises. The default therefore
/// serves most clients, some of them after a second; `Reject` turns a hang into an error for Node.js
/// alone. A server that sends the 100, such as that of the feature `serve`, serves all of them at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContinueUnavailable {
    /// Goes on to the validator and the inner service, although no 100 will be sent. The default.
    #[default]
    Forward,
    /// Rejects the request with 417.
    Reject,
}

/// The settings that the decision depends on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    /// `None` if there is no validator that could reject.
    pub(crate) scope: Option<ValidateWhen>,
    pub(crate) supported: Vec<Box<str>>,
    pub(crate) continue_unavailable: ContinueUnavailable,
}

#[derive(Debug)]
pub(crate) enum Decision {
    /// The request needs no validation and no tracking.
    Pass,
    Reject(BadExpect),
    Accept(Acceptance),
}

/// Why a request is rejected before the validator runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadExpect {
    /// 400
    Malformed(MalformedExpect),
    /// 417
    Unsupported,
    /// 417
    ContinueUnavailable,
}

#[derive(Debug)]
pub(crate) struct Acceptance {
    /// Whether the validator runs first.
    pub(crate) validate: bool,
    /// Whether the first poll of the body sends a 100.
    pub(crate) expecting: bool,
    pub(crate) has_body: bool,
    /// Empty where the header is ignored (row 1).
    pub(crate) expectations: Expectations,
}

/// Takes the decision, in the order of the table in `guide/validators.md`.
#[inline]
pub(crate) fn decide<B: Body>(request: &Request<B>, policy: &Policy) -> Decision {
    if request.headers().contains_key(EXPECT) {
        return decide_asked(request, &request.headers().get_all(EXPECT), policy);
    }
    // Row 2, and most requests.
    let has_body = has_body(request, false);
    if !has_body && policy.scope != Some(ValidateWhen::Always) {
        return Decision::Pass;
    }
    policy.accept(has_body, false, Expectations::NONE)
}

/// The decision about a request that has an `Expect` header.
#[inline(never)]
fn decide_asked<B: Body>(
    request: &Request<B>,
    lines: &GetAll<'_, HeaderValue>,
    policy: &Policy,
) -> Decision {
    // Row 1.
    if request.version() < Version::HTTP_11 {
        return policy.accept(has_body(request, false), false, Expectations::NONE);
    }
    let expectations = match Expectations::parse_lines(lines) {
        Ok(expectations) => expectations,
        Err(error) => return Decision::Reject(BadExpect::Malformed(error)), // row 3
    };
    if !policy.supports_all(&expectations) {
        return Decision::Reject(BadExpect::Unsupported); // row 4
    }
    let has_body = has_body(request, !expectations.is_empty());
    let expecting = has_body && expectations.has_continue(); // row 5
    if expecting
        && !can_signal(request, &expectations)
        && policy.rejects_unavailable(request.version())
    {
        return Decision::Reject(BadExpect::ContinueUnavailable); // row 6
    }
    policy.accept(has_body, expecting, expectations)
}

impl Acceptance {
    /// The head that the validator sees. Takes the expectations: there is one head for a request.
    pub(crate) fn head(&mut self, parts: Parts, size_hint: SizeHint) -> RequestHead {
        let expectations = std::mem::take(&mut self.expectations);
        RequestHead::new(parts, expectations, self.has_body, size_hint)
    }
}

impl Policy {
    #[inline]
    fn accept(&self, has_body: bool, expecting: bool, expectations: Expectations) -> Decision {
        let validate = match self.scope {
            None => false,
            Some(ValidateWhen::HasBody) => has_body,
            Some(ValidateWhen::Expecting) => expecting,
            Some(ValidateWhen::Always) => true,
        };
        Decision::Accept(Acceptance {
            validate, // row 7
            expecting,
            has_body,
            expectations, // row 8
        })
    }

    /// How many bytes are delivered of a request that was accepted as having no body.
    ///
    /// Over HTTP/2 and 3 one may come all the same, and would get past what rules say of bodies.
    pub(crate) fn limit_without_body(&self) -> Option<u64> {
        match self.scope {
            Some(ValidateWhen::Always | ValidateWhen::HasBody) => Some(0),
            Some(ValidateWhen::Expecting) | None => None,
        }
    }

    fn supports_all(&self, expectations: &Expectations) -> bool {
        let supports = |name: &str| {
            let mut supported = self.supported.iter();
            supported.any(|known| known.eq_ignore_ascii_case(name))
        };
        expectations.is_usual()
            || expectations
                .iter()
                .all(|member| member.is_continue() || supports(member.name))
    }

    fn rejects_unavailable(&self, version: Version) -> bool {
        version == Version::HTTP_11 || self.continue_unavailable == ContinueUnavailable::Reject
    }
}

#[inline]
fn has_body<B: Body>(request: &Request<B>, expects: bool) -> bool {
    let body = request.body();
    !body.is_end_stream()
        && (body.size_hint().lower() > 0
            || may_follow(request.method(), request.headers(), expects))
}

/// Whether somebody below can send the 100 for an expecting request.
fn can_signal<B>(request: &Request<B>, expectations: &Expectations) -> bool {
    let by_hyper = match expectations.is_usual() {
        true => request.version() == Version::HTTP_11,
        false => hyper_invites(request),
    };
    by_hyper || request.extensions().get::<ContinueSignal>().is_some()
}

/// Whether hyper sends the 100 when the body is polled.
///
/// It recognises the last header line only, and only if all of it is `100-continue` (hyper 1.12.0,
/// `src/proto/h1/role.rs:332`); on HTTP/2 it never sends a 100.
pub(crate) fn hyper_invites<B>(request: &Request<B>) -> bool {
    let last = request.headers().get_all(EXPECT).iter().next_back();
    let is_usual = |line: &HeaderValue| line.as_bytes().eq_ignore_ascii_case(b"100-continue");
    request.version() == Version::HTTP_11 && last.is_some_and(is_usual)
}

impl BadExpect {
    pub(crate) fn reason(&self) -> RejectReason {
        match self {
            Self::Malformed(_) => RejectReason::Malformed,
            Self::Unsupported => RejectReason::Unsupported,
            Self::ContinueUnavailable => RejectReason::ContinueUnavailable,
        }
    }

    /// The rejection. Nothing of what the client sent is in it.
    pub(crate) fn rejection(&self) -> Rejection {
        match self {
            Self::Malformed(error) => Rejection::from(error.clone()),
            Self::Unsupported => Rejection::expectation_failed(
                "the server does not support this expectation; \
                 repeat the request without the Expect header",
            ),
            Self::ContinueUnavailable => Rejection::expectation_failed(
                "the server cannot send 100 Continue for this request; \
                 repeat the request without the Expect header",
            ),
        }
    }
}
