//! The beginning of an exchange: a request is accepted, by a layer or by the server.

use std::{future::Future, sync::Arc};

#[cfg(feature = "serve")]
use http::Version;
use http::{
    header::{EXPECT, UPGRADE},
    HeaderMap, Request,
};
use http_body::Body;

#[cfg(feature = "serve")]
use super::marker::Turns;
use super::{
    body::ExpectBody,
    flight::Flight,
    marker,
    outcome::Outcome,
    room::Room,
    settle::ResponseFuture,
    state::Exchange,
    terms::{Inviter, Terms},
};
#[cfg(feature = "serve")]
use crate::linger::Linger;
use crate::{
    decision::{hyper_invites, Acceptance},
    head::content_length,
    observe::{Observers, Watch},
    settings::Options,
    ContinueSignal,
};

/// Calls the inner service with a request that is accepted.
#[inline]
pub(crate) fn accept<B, F>(
    mut request: Request<B>,
    acceptance: &Acceptance,
    options: &Options,
    mut limit: Option<u64>,
    call: impl FnOnce(Request<ExpectBody<B>>) -> F,
) -> ResponseFuture<F>
where
    B: Body + Send + Unpin + 'static,
    F: Future,
    F::Output: Outcome,
{
    let exchange = if acceptance.has_body {
        begin(&mut request, acceptance.expecting, options)
    } else {
        limit = options.policy.limit_without_body();
        if let Some(watch) = watch(&options.observers, false, request.headers()) {
            watch.accepted();
        }
        None
    };
    if options.strip_expect {
        request.headers_mut().remove(EXPECT);
    }
    lend(request, exchange, limit, call)
}

/// Has the exchange under way while the inner service has the body.
#[inline]
fn lend<B, F>(
    request: Request<B>,
    exchange: Option<Arc<Exchange<B>>>,
    limit: Option<u64>,
    call: impl FnOnce(Request<ExpectBody<B>>) -> F,
) -> ResponseFuture<F>
where
    B: Body + Send + Unpin + 'static,
    F: Future,
    F::Output: Outcome,
{
    let flight = exchange.clone().map(|exchange| exchange as Arc<dyn Flight>);
    let request = request.map(|body| ExpectBody::new(body, exchange, limit));
    ResponseFuture::accepted(call(request), flight)
}

/// `None` if there is nothing to see to.
#[inline(never)]
fn begin<B>(
    request: &mut Request<B>,
    expecting: bool,
    options: &Options,
) -> Option<Arc<Exchange<B>>>
where
    B: Body + Send + Unpin + 'static,
{
    let terms = terms(request, expecting, options);
    if let Some(watch) = &terms.watch {
        watch.accepted();
    }
    if !terms.observes {
        join(request, expecting);
    }
    let sees_to_something = !terms.observes || terms.watch.is_some() || terms.keeps_returned();
    sees_to_something.then(|| Exchange::lent(terms))
}

/// Where nothing is in the extensions yet, a first entry would cost two allocations: there only requests
/// pay it for which closing twice, or draining what is not owed, would matter.
fn join<B>(request: &mut Request<B>, expecting: bool) {
    if expecting || !request.extensions().is_empty() {
        marker::join(request.extensions_mut());
    }
}

pub(super) fn terms<B: Body>(request: &Request<B>, expecting: bool, options: &Options) -> Terms {
    let (headers, extensions) = (request.headers(), request.extensions());
    let version = request.version();
    let linger = options.linger.clone();
    let drops = options.drops();
    Terms {
        version,
        expecting,
        inviter: inviter(request, expecting),
        announced: announced(headers, request.body()),
        drops,
        may_switch: (drops || expecting) && headers.contains_key(UPGRADE),
        observes: marker::is_joined(extensions) || linger.is_none() && !expecting,
        linger,
        turns: marker::turns(extensions),
        room: extensions.get::<Room>().cloned(),
        watch: watch(&options.observers, expecting, headers),
    }
}

fn inviter<B>(request: &Request<B>, expecting: bool) -> Inviter {
    if !expecting {
        return Inviter::Nobody;
    }
    match request.extensions().get::<ContinueSignal>() {
        Some(signal) => Inviter::Signal(signal.clone()),
        None if hyper_invites(request) => Inviter::Hyper,
        None => Inviter::Nobody,
    }
}

/// What the head tells of a length that the body itself does not know.
pub(super) fn announced<B: Body>(headers: &HeaderMap, body: &B) -> Option<u64> {
    match body.size_hint().exact() {
        Some(_) => None,
        None => announced_length(headers),
    }
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    content_length(headers).ok().flatten()
}

/// `None` if nobody would be told.
#[inline]
pub(super) fn watch(
    observers: &Observers,
    expecting: bool,
    headers: &HeaderMap,
) -> Option<Arc<Watch>> {
    observers.watch(expecting, || announced_length(headers))
}

/// Calls the service of an HTTP/1 connection whose socket lingers: what comes after the close is never
/// parsed, so nothing is drained, and the close is announced whatever layer makes the response.
#[cfg(feature = "serve")]
pub(crate) fn accept_under_server<B, F>(
    mut request: Request<B>,
    turns: &Turns,
    linger: &Arc<Linger>,
    call: impl FnOnce(Request<ExpectBody<B>>) -> F,
) -> ResponseFuture<F>
where
    B: Body + Send + Unpin + 'static,
    F: Future,
    F::Output: Outcome,
{
    if request.body().is_end_stream() {
        return lend(request, None, None, call);
    }
    let expecting = request.version() == Version::HTTP_11 && request.headers().contains_key(EXPECT);
    let terms = Terms {
        version: request.version(),
        expecting,
        inviter: inviter(&request, expecting),
        announced: None,
        linger: Some(Arc::clone(linger)),
        drops: true,
        may_switch: request.headers().contains_key(UPGRADE),
        observes: false,
        turns: Some(turns.clone()),
        room: None,
        watch: None,
    };
    marker::join(request.extensions_mut());
    request.extensions_mut().insert(turns.clone());
    lend(request, Some(Exchange::lent(terms)), None, call)
}
