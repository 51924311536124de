//! Rejections: the response to a request that is not accepted, and what happens to its body.

use std::{future::Future, sync::Arc};

use http::{
    header::{CONNECTION, EXPECT, UPGRADE},
    HeaderMap, HeaderValue, Request, Version,
};
use http_body::Body;

use super::{
    begin::{announced, watch},
    flight::Flight,
    marker,
    outcome::Outcome,
    room::Room,
    settle::ResponseFuture,
    state::Exchange,
    terms::{Inviter, Terms},
};
use crate::{
    decision::BadExpect, linger::Linger, observe::RejectReason, render, settings::Options,
    ContinueSignal, Rejection, RequestHead,
};

/// Responds to a request that is not accepted. The body is not polled.
#[cold]
pub(crate) fn reject<B, F>(
    rejection: Rejection,
    reason: RejectReason,
    head: &RequestHead,
    body: B,
    options: &Options,
) -> ResponseFuture<F>
where
    B: Body + Send + Unpin + 'static,
    F: Future,
    F::Output: Outcome,
{
    if let Some(signal) = head.extensions.get::<ContinueSignal>() {
        signal.close();
    }
    let mut response = render::respond(&*options.renderer, &rejection, head);
    // Even a malformed or unknown expectation may keep its client waiting.
    let expecting = head.version > Version::HTTP_10 && has_member(&head.headers);
    let watch = watch(&options.observers, expecting, &head.headers);
    if let Some(watch) = &watch {
        watch.rejected(response.status(), reason, &rejection);
    }
    let headers = response.headers_mut();
    if head.version > Version::HTTP_11 {
        // These say something about a connection (RFC 9113 §8.2.2).
        headers.remove(CONNECTION);
        headers.remove(UPGRADE);
    } else if headers.contains_key(UPGRADE) && !headers.contains_key(CONNECTION) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    response.extensions_mut().insert(rejection);
    let linger = options.linger.clone();
    // An exchange outside sees to what is unread, but not before the response.
    let joined = marker::is_joined(&head.extensions);
    let drains_first = linger
        .as_deref()
        .is_some_and(Linger::drains_before_response)
        && !expecting;
    let unread = !body.is_end_stream() && (!joined || drains_first);
    let exchange = unread.then(|| {
        let terms = Terms {
            version: head.version,
            expecting,
            inviter: Inviter::Nobody,
            announced: announced(&head.headers, &body),
            drops: options.drops(),
            may_switch: false,
            linger,
            observes: joined,
            turns: None,
            room: head.extensions.get::<Room>().cloned(),
            watch,
        };
        Exchange::returned(body, terms) as Arc<dyn Flight>
    });
    ResponseFuture::rejected(response, exchange)
}

/// Responds to a request that is rejected before the validator runs.
#[cold]
pub(crate) fn reject_unasked<B, F>(
    bad: &BadExpect,
    request: Request<B>,
    options: &Options,
) -> ResponseFuture<F>
where
    B: Body + Send + Unpin + 'static,
    F: Future,
    F::Output: Outcome,
{
    let (parts, body) = request.into_parts();
    let head = RequestHead::unparsed(parts, body.is_end_stream(), body.size_hint());
    reject(bad.rejection(), bad.reason(), &head, body, options)
}

/// Whether the `Expect` header has a member, be it malformed.
fn has_member(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(EXPECT).iter();
    lines.any(|line| !line.as_bytes().iter().all(|byte| b" \t,".contains(byte)))
}
