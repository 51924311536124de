//! One exchange from the layer's side: the request on its way in, the response on its way out.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    header::{CONNECTION, CONTENT_LENGTH, EXPECT, UPGRADE},
    HeaderMap, HeaderValue, Request, Response, StatusCode, Version,
};
use http_body::Body;

use crate::{
    body::{ExpectBody, Loan, ResponseBody},
    decision::{Admission, Refusal},
    future::ResponseFuture,
    head::content_length,
    layer::Options,
    observe::{RejectReason, Watch},
    render,
    signal::CloseOnDrop,
    unread::{Fate, Guard, Slot, Terms, Unread},
    ContinueSignal, Rejection, RequestHead,
};

/// What must be known of a request with content when its response comes.
pub(crate) struct Exchange {
    unread: Option<Arc<dyn Unread>>,
    /// There will be no more 100 once this is dropped.
    signal: CloseOnDrop,
    watch: Option<Arc<Watch>>,
    version: Version,
    expecting: bool,
    /// Whether an unread rest is small enough to be read, so that the connection can go on.
    keep_alive: bool,
}

/// Lets a request in to the inner service, and remembers what matters for its response.
#[inline]
pub(crate) fn admit<B, F>(
    mut request: Request<B>,
    admission: &Admission,
    options: &Options,
    call: impl FnOnce(Request<ExpectBody<B>>) -> F,
) -> ResponseFuture<F>
where
    B: Body + Send + Unpin + 'static,
{
    if options.strip_expect {
        request.headers_mut().remove(EXPECT);
    }
    if !admission.content {
        if let Some(watch) = watch(options, request.version(), false, request.headers()) {
            watch.accepted();
        }
        return ResponseFuture::passed(call(request.map(ExpectBody::plain)));
    }
    let (exchange, loan) = lend(&request, admission, options);
    let request = request.map(|body| ExpectBody::lent(body, loan));
    ResponseFuture::admitted(call(request), exchange)
}

/// What the request's body needs on its way in, and its counterpart for the way out.
fn lend<B>(
    request: &Request<B>,
    admission: &Admission,
    options: &Options,
) -> (Exchange, Option<Loan<B>>)
where
    B: Body + Send + Unpin + 'static,
{
    let expecting = admission.expecting;
    let signal = match expecting {
        true => request.extensions().get::<ContinueSignal>().cloned(),
        false => None,
    };
    let version = request.version();
    let watch = watch(options, version, expecting, request.headers());
    if let Some(watch) = &watch {
        watch.accepted();
    }
    let terms = Terms::new(options, version, expecting, watch.as_ref());
    let is_short =
        |terms: &Terms| terms.keeps_alive(version, length(request.headers(), request.body()));
    let keep_alive = terms.as_ref().is_some_and(is_short);
    let slot = terms.map(|terms| Arc::new(Slot::lent(terms)));
    let exchange = Exchange {
        unread: slot.clone().map(|slot| slot as Arc<dyn Unread>),
        signal: CloseOnDrop(signal.clone()),
        watch: watch.clone(),
        version,
        expecting,
        keep_alive,
    };
    (exchange, Loan::new(signal, slot, watch))
}

/// `None` if nobody would be told.
#[inline]
fn watch(
    options: &Options,
    version: Version,
    expecting: bool,
    headers: &HeaderMap,
) -> Option<Arc<Watch>> {
    let announced = || content_length(headers).ok().flatten();
    options.observers.watch(version, expecting, announced)
}

impl Exchange {
    /// Adds what the response must say, and gives what must stay with its body. Nothing of the inner
    /// service is running any more.
    pub(crate) fn finish<R: Body>(self, response: &mut Response<R>) -> Option<Guard> {
        drop(self.signal);
        if let Some(watch) = &self.watch {
            watch.answered(response.status());
        }
        let unread = self.unread?;
        if hands_over(response) || is_close_delimited(self.version, response) {
            return None;
        }
        let owes_close = match unread.fate() {
            Fate::Read => return None,
            Fate::Returned => !self.keep_alive,
            Fate::Broken => true,
            // Nobody can tell whether this client will still send the content.
            Fate::Held { polled } => self.expecting && !polled,
        };
        if owes_close && self.version <= Version::HTTP_11 {
            close(response.headers_mut());
        }
        Some(Guard::new(unread))
    }
}

/// A refusal and what keeps the unread body.
pub(crate) struct Refused {
    response: Response<Bytes>,
    /// Dropped with the body if there will be no head to linger behind.
    unread: Option<Arc<dyn Unread>>,
}

/// The answer to a request that is not let in. The body is not polled.
pub(crate) fn refuse<B>(
    rejection: Rejection,
    reason: RejectReason,
    head: &RequestHead,
    body: B,
    options: &Options,
) -> Box<Refused>
where
    B: Body + Send + Unpin + 'static,
{
    if let Some(signal) = head.extensions.get::<ContinueSignal>() {
        signal.close();
    }
    let mut response = render::respond(&*options.renderer, &rejection, head);
    // Even a malformed or unknown expectation may keep its client waiting.
    let expects = head.version > Version::HTTP_10 && has_member(&head.headers);
    let watch = watch(options, head.version, expects, &head.headers);
    if let Some(watch) = &watch {
        watch.rejected(response.status(), reason, &rejection);
    }
    let terms = Terms::new(options, head.version, expects, watch.as_ref());
    let is_short = |terms: &Terms| terms.keeps_alive(head.version, length(&head.headers, &body));
    let keep_alive = !expects && body.is_end_stream() || terms.as_ref().is_some_and(is_short);
    let unread = terms
        .filter(|_| !body.is_end_stream())
        .map(|terms| Arc::new(Slot::returned(terms, body)) as Arc<dyn Unread>);
    let headers = response.headers_mut();
    headers.remove(CONNECTION);
    if head.version > Version::HTTP_11 {
        // Says something about a connection, as `Connection` does (RFC 9113 §8.2.2).
        headers.remove(UPGRADE);
    } else if !keep_alive {
        close(headers);
    } else if headers.contains_key(UPGRADE) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    response.extensions_mut().insert(rejection);
    Box::new(Refused { response, unread })
}

/// The answer to a request that is refused before the validator is asked.
#[cold]
pub(crate) fn refuse_unasked<B>(
    refusal: &Refusal,
    request: Request<B>,
    options: &Options,
) -> Box<Refused>
where
    B: Body + Send + Unpin + 'static,
{
    let (parts, body) = request.into_parts();
    let head = RequestHead::unparsed(parts, body.is_end_stream(), body.size_hint());
    refuse(refusal.rejection(), refusal.reason(), &head, body, options)
}

impl Refused {
    pub(crate) fn into_response<R>(self) -> Response<ResponseBody<R>> {
        let Self { response, unread } = self;
        let guard = unread.map(Guard::new);
        response.map(|content| ResponseBody::rejected(content, guard))
    }
}

/// Whether the `Expect` field has a member, be it malformed.
fn has_member(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(EXPECT).iter();
    lines.any(|line| !line.as_bytes().iter().all(|byte| b" \t,".contains(byte)))
}

/// The length of the content, as the body knows it or else as the head tells it beyond doubt.
fn length<B: Body>(headers: &HeaderMap, body: &B) -> Option<u64> {
    let announced = || content_length(headers).ok().flatten();
    body.size_hint().exact().or_else(announced)
}

fn close(headers: &mut HeaderMap) {
    // An `Upgrade` field, as of a 426, must be named (RFC 9110 §7.8).
    let options = match headers.contains_key(UPGRADE) {
        true => "close, upgrade",
        false => "close",
    };
    headers.insert(CONNECTION, HeaderValue::from_static(options));
}

/// After a 101 the connection belongs to another protocol.
fn hands_over<R>(response: &Response<R>) -> bool {
    response.status() == StatusCode::SWITCHING_PROTOCOLS
}

/// Whether the response ends where the connection does: it would not end until the drain does.
fn is_close_delimited<R: Body>(version: Version, response: &Response<R>) -> bool {
    version < Version::HTTP_11
        && response.body().size_hint().exact().is_none()
        && !response.headers().contains_key(CONTENT_LENGTH)
}
