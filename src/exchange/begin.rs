//! The beginning of an exchange: a request is accepted, by a layer or by the server.

use std::{future::Future, sync::Arc};

#[cfg(feature = "serve")]
use http::Version;
use http::{header::EXPECT, HeaderMap, Request};
use http_body::Body;

#[cfg(feature = "serve")]
use super::marker::Turns;
use super::{
    body::ExpectBody,
    flight::Flight,
    marker,
    settle::{Outcome, ResponseFuture},
    state::{Exchange, Terms},
};
#[cfg(feature = "serve")]
use crate::linger::Linger;
use crate::{
    decision::{hyper_invites, Admission},
    head::content_length,
    observe::{Observers, Watch},
    settings::Options,
    ContinueSignal,
};

/// Calls the inner service with a request that is accepted.
#[inline]
pub(crate) fn accept<B, F>(
    mut request: Request<B>,
    admission: &Admission,
    options: &Options,
    limit: Option<u64>,
    call: impl FnOnce(Request<ExpectBody<B>>) -> F,
) -> ResponseFuture<F>
where
    B: Body + Send + Unpin + 'static,
    F: Future,
    F::Output: Outcome,
{
    let exchange = if admission.content {
        begin(&mut request, admission.expecting, options)
    } else {
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
    let sees_to_something = match terms.nested {
        true => terms.watch.is_some() || terms.keeps_returned(),
        false => expecting || terms.linger.is_some() || terms.watch.is_some(),
    };
    if !terms.nested && sees_to_something {
        join(request, expecting);
    }
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
    Terms {
        version,
        expecting,
        hyper_invites: expecting && hyper_invites(request),
        signal: match expecting {
            true => extensions.get::<ContinueSignal>().cloned(),
            false => None,
        },
        announced: announced(headers, request.body()),
        drops: linger.as_deref().map_or(true, |linger| linger.at_socket),
        linger,
        nested: marker::is_joined(extensions),
        turns: marker::turns(extensions),
        watch: watch(&options.observers, expecting, headers),
    }
}

/// What the head tells of a length that the body itself does not know.
pub(super) fn announced<B: Body>(headers: &HeaderMap, body: &B) -> Option<u64> {
    match body.size_hint().exact() {
        Some(_) => None,
        None => content_length(headers).ok().flatten(),
    }
}

/// `None` if nobody would be told.
#[inline]
pub(super) fn watch(
    observers: &Observers,
    expecting: bool,
    headers: &HeaderMap,
) -> Option<Arc<Watch>> {
    let announced = || content_length(headers).ok().flatten();
    observers.watch(expecting, announced)
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
        hyper_invites: expecting && hyper_invites(&request),
        signal: None,
        announced: None,
        linger: Some(Arc::clone(linger)),
        drops: true,
        nested: false,
        turns: Some(turns.clone()),
        watch: None,
    };
    marker::join(request.extensions_mut());
    request.extensions_mut().insert(turns.clone());
    lend(request, Some(Exchange::lent(terms)), None, call)
}
