//! `Expect: 100-continue` done right: [`ExpectLayer`] decides about a request before its body is
//! read, and its rejections arrive.
//!
//! A client that is about to send much may ask first: `Expect: 100-continue`. The server says
//! `100 Continue`, or rejects with a final status before a byte is uploaded. Wrapped around any tower
//! service (axum, hyper, tonic), the layer asks a validator of yours, which sees everything of the
//! request but its body, and then answers at once, or lets the request in. The 100 goes out when, and
//! if, the application first polls the body.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode};
//! use http_body_util::{BodyExt, Full};
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_expect::{rules, ExpectBody, ExpectLayer};
//!
//! async fn store(
//!     request: Request<ExpectBody<Full<Bytes>>>,
//! ) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
//!     let content = request.into_body().collect().await.expect("in memory").to_bytes();
//!     Ok(Response::new(format!("stored {} bytes", content.len()).into()))
//! }
//!
//! # tokio_test::block_on(async {
//! let service = ServiceBuilder::new()
//!     .layer(ExpectLayer::new(
//!         rules::bearer_token("s3cr3t")
//!             .and(rules::content_type(["image/*"]))
//!             .and(rules::content_length(..=1 << 20)),
//!     ))
//!     .service_fn(store);
//!
//! let upload = |token, content: &'static [u8]| {
//!     Request::put("/picture")
//!         .header("authorization", token)
//!         .header("content-type", "image/png")
//!         .header("content-length", content.len())
//!         .header("expect", "100-continue")
//!         .body(Full::from(content))
//! };
//!
//! let response = service.clone().oneshot(upload("Bearer s3cr3t", b"PNG")?).await?;
//! assert_eq!(response.into_body().collect().await?.to_bytes(), "stored 3 bytes");
//!
//! let response = service.oneshot(upload("Bearer wrong", b"PNG")?).await?;
//! assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
//! assert_eq!(response.headers()["www-authenticate"], "Bearer error=\"invalid_token\"");
//! assert_eq!(response.headers()["connection"], "close");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # The decision
//!
//! A request *has a body* if its framing does not rule one out, as [`RequestHead::has_body`] says. It is
//! *expecting* if it carries `100-continue`, is HTTP/1.1 or later, and has a body.
//!
//! | # | the request | what happens |
//! |---|---|---|
//! | 1 | HTTP/1.0 (or 0.9) | the `Expect` field is ignored whole, as if absent; never a 1xx; go to 7 |
//! | 2 | no `Expect` field, or only empty list members | go to 7 |
//! | 3 | `Expect` does not match its grammar | 400, inner service not called, value never echoed |
//! | 4 | a member is neither `100-continue` nor a declared extension ([`support`]); `100-continue=x` and `100-continue;q=1` are such other members | 417, inner service not called |
//! | 5 | `100-continue`, but no body (also HTTP/2 with `content-length: 0` and no END_STREAM yet) | the expectation is moot: no 100, never a 417; go to 7 |
//! | 6 | expecting, and nothing below can send the 100 | HTTP/1.1: 417 at once, rather than a stall; HTTP/2 and 3: as [`ContinueUnavailable`] says: accepted (the default; go to 7) or 417 |
//! | 7 | the validator applies ([`ValidateWhen`]; by default to every request) and returns `Err(rejection)` | that response; inner service not called, body never polled |
//! | 8 | otherwise | inner service called with `Request<ExpectBody<B>>`; the first poll of the body sends the 100 |
//!
//! The validator of row 7 is asked with and without `Expect`, with and without a body: an empty PUT
//! without a token must not truncate a file. What it has found out, the user, say, reaches the application
//! by [`Accepted::with`].
//!
//! Whoever has met a 417 finds in [*Debugging a 417*](guide::debugging_a_417) where it may come from.
//!
//! What a rejection looks like is up to [`render`]. A rejection is a response, never an error: the layer's
//! error is that of the inner service. The [`Rejection`] is also in the response's extensions, for outer layers to see.
//!
//! # Rejections arrive
//!
//! A client that is in the midst of sending loses the response if the server closes with the body unread:
//! the connection is reset, and the reset overtakes the response. The layer sees to it that the client
//! gets to see the response, its own or one of your *application*: a handler's own 401, an extractor's
//! rejection, `RequestBodyLimitLayer`'s 413. That alone is a reason to add `ExpectLayer::default()` to a
//! server that validates nothing.
//!
//! What happens on HTTP/1 depends on whether the client owes its body. It does not if it is expecting and
//! was not *invited*, that is, if no 100 was sent and nothing of the body has arrived. Then what comes next
//! may be its next request, and must never be read as a body.
//!
//! | the body when the response is ready | the client owes it | it does not |
//! |---|---|---|
//! | read to its end | nothing to do | |
//! | dropped unread or half-read | drained behind the response; closes if the rest is long, or unknown and the status is no 2xx | dropped before the response leaves, which then closes |
//! | still held | drained when it is dropped | the response's body is polled first, since that may be what asks for it; closes unless a frame has come |
//! | ended in an error | closes | |
//!
//! * *Drained* means read and discarded, within the bounds of [`Linger`]; *closes* means that the response
//!   says `Connection: close`. A rest is long from [`Linger::keep_alive_up_to`] on. A rejected request
//!   without a body keeps its connection.
//! * hyper notices that the body was dropped, and says `Connection: close` in whatever response leaves. So
//!   the close holds also where a layer outside has put another response in place of this one. A body that is
//!   kept (see the next point) is not announced so, but never read to its end.
//! * Expecting clients that do not wait, or have stopped waiting, may lose the response to a body that is
//!   dropped: the connection is reset while they send. That is why a body of more than 816 KiB is kept
//!   instead; see [`Linger`]. Up to 500 KiB nothing
//!   was lost over loopback. From 600 to 816 KiB, `axum::serve` lost 30 of 180 rejections to Python's
//!   `http.client` sending at once, and all 180 to one that sent 50 ms later; none to curl, and none with
//!   `LingerListener` or `serve` (`tests/interop/run --hasty`).
//! * A client that is invited but slow, and is given up by a timeout before its first byte, counts as one that
//!   was not. Where uploads have such a timeout, let the socket linger.
//! * A client that expects, sends all at once and half-closes its connection may lose the response: for hyper
//!   the end of its half is the end of the connection. `serve` needs no turn, and does not lose it.
//! * Where the socket is yours, linger there: `axum::serve(LingerListener::new(listener), app)`, or
//!   [`LingerStream`]. Nothing is lost then, nothing is drained, and what comes after the close is never
//!   parsed. `serve` does so by itself.
//! * On HTTP/2 and 3 each request has its stream, and there is nothing to close: unread bodies are drained
//!   behind the response.
//! * A success of an expecting request leaves 10 ms later if the application still holds the body and has
//!   not asked for it: another task may be about to. Each layer that is observed waits so, and `serve` too.
//! * A 101 to a request whose body is unread leaves only when the body has been drained, so that no byte of
//!   it is read as the new protocol (RFC 9110 §7.8). If that takes longer than the bounds allow, or the
//!   application keeps the body, the response is a 500.
//!
//! # Who sends the 100
//!
//! * HTTP/1.1 on hyper (and so axum and tonic): hyper itself, at the first poll of its body, provided
//!   that the *last* `Expect` field line is exactly `100-continue`, in any case. It compares no lists and
//!   leaves other clients to stall; hence row 6.
//! * Any server that can send interim responses puts a [`ContinueSignal`] into the request's extensions.
//!   [`ExpectBody`] fires it at the first poll, at most once, never after the response.
//! * HTTP/2 or 3 without a `ContinueSignal`: nobody. hyper has never sent a 100 over HTTP/2
//!   (hyperium/hyper#2743). The server in `http2` does (feature `http2`), and `serve` is one for both
//!   versions (feature `serve`), in the place of `axum::serve` and tonic's transport.
//!
//! # How this differs from its neighbours
//!
//! * axum's `DefaultBodyLimit` counts while it reads: it invites 100 MiB with a 100 and then rejects them.
//!   [`rules::content_length`] rejects before.
//! * tower-http's `RequestBodyLimitLayer` rejects by `Content-Length` before the 100, and counts chunked
//!   bodies while they are read, as [`rules::content_length`] does. It adds no `Connection: close` and
//!   drains nothing, so that its 413 is mostly lost; with this layer outside it is not.
//! * tower-http's `ValidateRequestHeaderLayer` decides by the head as well, but on every request with or
//!   without content, knows nothing of `Expect`, and loses its rejections likewise.
//!
//! # Layer order
//!
//! Put this layer outside of everything that drops futures or responds by itself (`CatchPanicLayer`,
//! timeouts, `LoadShedLayer`, authentication) and of everything that reads or limits the body. Put it inside
//! of what only watches (`TraceLayer`, metrics) or adds headers (`CorsLayer`: a browser sees a rejection only
//! if its headers are on it):
//!
//! ```
//! # use axum::{body::Bytes, routing::put, Router};
//! # use tower::ServiceBuilder;
//! # use tower_expect::{rules, ExpectLayer};
//! # use tower_http::{
//! #     catch_panic::CatchPanicLayer, cors::CorsLayer, limit::RequestBodyLimitLayer, trace::TraceLayer,
//! # };
//! let layers = ServiceBuilder::new()
//!     .layer(TraceLayer::new_for_http())
//!     .layer(CorsLayer::permissive())
//!     .layer(ExpectLayer::new(rules::content_length(..=1 << 20)))
//!     .layer(CatchPanicLayer::new())
//!     .layer(RequestBodyLimitLayer::new(1 << 20));
//! let app: Router = Router::new()
//!     .route("/upload", put(|content: Bytes| async move { content.len().to_string() }))
//!     .layer(layers);
//! ```
//!
//! With `Router::layer`, the layer that is added last is the outermost; in a `ServiceBuilder`, the first is.
//! The page [*Layer order*](guide::layer_order) has the order for each layer of axum, tower and tower-http,
//! measured.
//!
//! * A page of another origin reads a rejection only with `CorsLayer` outside; inside, `fetch` reports a
//!   network error in place of the status. Chromium showed 480 of 480 rejections in this order
//!   (`tests/interop/run --browser`), and none of 240 in the other.
//! * An outer layer that waits for the request body before calling on has sent the 100 already.
//! * An outer layer that takes the response body apart and waits before it answers may have up to 20 ms
//!   for that; after it, reading on begins, and hyper sends the 100 first. That is legal, but invites.
//! * `CorsLayer` outside also responds to preflights, which carry no credentials, by itself.
//! * Layers nest: one for the application, a stricter one for a route. Each decides; the 100 is still
//!   sent once. The `Expect` field stays in the head for that, unless [`strip_expect`] removes it.
//!
//! axum's `Router::layer` and `MethodRouter::layer` take the layer as it is. In a `ServiceBuilder`, what
//! stands inside of it gets requests with an [`ExpectBody`], which axum's `from_fn` does not take:
//!
//! ```text
//! error[E0277]: the trait bound `FromFn<…>: Service<http::Request<ExpectBody<axum::body::Body>>>` is not satisfied
//! ```
//!
//! One line between the two mends that:
//!
//! ```
//! # use axum::{body::Body, middleware::{from_fn, Next}, response::Response, Router};
//! # use http::Request;
//! # use tower::ServiceBuilder;
//! # use tower_expect::{ExpectBody, ExpectLayer};
//! # async fn log(request: Request<Body>, next: Next) -> Response { next.run(request).await }
//! let layers = ServiceBuilder::new()
//!     .layer(ExpectLayer::default())
//!     .map_request(|request: Request<ExpectBody<Body>>| request.map(Body::new))
//!     .layer(from_fn(log));
//! let app: Router = Router::new().layer(layers);
//! ```
//!
//! # Cancel safety
//!
//! Dropping the response future drops the validator's future and the inner future, whichever there is,
//! and closes the [`ContinueSignal`]. A body that the client owes is drained then as behind a response, so
//! that a response which a layer outside makes instead, such as the 408 of a timeout, is seen. One that it
//! does not owe is dropped: the server's connection has no turn any more in which it could announce the
//! close, so that what is sent next may be read as it is without this layer. An error of the inner service
//! is treated as a response is, body first.
//!
//! * HTTP/1: hyper drops the future when it finds the connection closed, which it does not while a
//!   body is unread.
//! * HTTP/2: hyper drops the future when the stream is reset; other streams go on.
//!
#![doc = include_str!("guide/deployment.md")]
//!
//! # Why…
//!
//! * **…is the validator asked without `Expect`, too, and without a body?** A rule for expecting requests
//!   only would be bypassed by leaving the header out, one for uploads only by an empty one. See
//!   [`ValidateWhen`].
//! * **…`Connection: close` after a rejection?** Clients disagree on whether they still owe the content
//!   (curl repeats on the same connection without it, Go always sends it). Whatever the server assumes,
//!   for some client the next request is read as content, or content as a request: request smuggling.
//! * **…417 and not the request as it is, where hyper cannot send the 100?** The client would wait for
//!   it, in vain, for as long as its own timer says, if it has one.
//! * **…400 for a malformed and 417 for an unknown expectation?** Values such as `y 100-continue` mean a
//!   100 to some servers and nothing to others, which is how desynchronising attacks begin; they are
//!   rejected by all means. An unknown expectation is well-formed: 417 tells to repeat without.
//! * **…plain text, and nothing over HTTP/2?** Text is read by people who run curl; browsers and programs
//!   get theirs by [`render::Negotiate`]. Over HTTP/2, content can cost curl the rejection itself: see
//!   [`render::Standard`].
//! * **…must the request body be `Unpin`?** It is handed back when dropped unread, and what is pinned
//!   cannot be. The bodies of hyper, axum and tonic are `Unpin`. Where the compiler says
//!   `` `PhantomPinned` cannot be unpinned `` or the like, a line outside of the layer boxes the body:
//!   `.map_request(|request: Request<_>| request.map(Box::pin))`.
//!
//! # Observing
//!
//! [`ExpectLayer::observe`] has a closure told of each [`Event`]: accepted, rejected and why, continued
//! and after how long, never read, and what the reading behind an answer cost. The features `tracing` and
//! `metrics` do so in the usual ways.
//!
//! # Features
//!
//! * `tokio` (default): [`Linger`] and [`LingerStream`]. Without it, rejections carry `Connection: close`,
//!   unread bodies are dropped at once, and the application's own responses are left alone.
//! * `http2`: the module `http2`, which serves HTTP/2 connections and sends the 100 there.
//! * `tracing`: each [`Event`] also as one of `tracing`, in the span of the request, target
//!   `tower_expect`, level DEBUG, with fields named as OpenTelemetry names them. At that level, the span
//!   stays open until the reading behind the answer is over.
//! * `metrics`: `Metrics`, an observer that counts, for Prometheus and others.
//! * `axum`: `LingerListener`, for `axum::serve` on sockets that linger.
//! * `serve`: the module `serve`, an accept loop for HTTP/1.1, by hyper, and HTTP/2, by `http2`.
//! * `client`: the module `client`, a layer for clients that waits for the 100, and sockets on which early
//!   responses are seen.
//!
//! [`support`]: ExpectLayer::support
//! [`strip_expect`]: ExpectLayer::strip_expect

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)
)]

// The README's examples are tests, which need these features.
#[cfg(all(doctest, feature = "axum", feature = "serve"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod accepted;
#[cfg(feature = "client")]
pub mod client;
mod credentials;
mod decision;
mod exchange;
pub mod expectation;
mod future;
#[cfg(doc)]
pub mod guide;
mod head;
#[cfg(feature = "http2")]
pub mod http2;
mod layer;
#[cfg_attr(
    not(feature = "tokio"),
    allow(dead_code, unreachable_pub, reason = "nothing drains")
)]
mod linger;
mod media_range;
mod observe;
mod rejection;
pub mod render;
pub mod rules;
#[cfg(feature = "serve")]
pub mod serve;
mod service;
mod settings;
mod signal;
mod sync;
mod validator;

#[cfg(feature = "tokio")]
mod deadline;
#[cfg(not(feature = "tokio"))]
#[path = "deadline/off.rs"]
mod deadline;

#[cfg(feature = "axum")]
pub use self::linger::LingerListener;
#[cfg(feature = "tokio")]
pub use self::linger::{Linger, LingerStream};
#[cfg(feature = "metrics")]
pub use self::observe::metrics::Metrics;
#[cfg(feature = "serve")]
pub use self::serve::serve;
pub use self::{
    accepted::Accepted,
    credentials::{Authorization, Basic},
    decision::{ContinueUnavailable, ValidateWhen},
    exchange::{ExpectBody, ResponseBody, ResponseFuture},
    future::AsyncResponseFuture,
    head::{InvalidHeader, RequestHead},
    layer::ExpectLayer,
    observe::{ConnectionEnd, Event, LingerEnd, Observe, RejectReason},
    rejection::Rejection,
    render::Render,
    service::Expect,
    signal::ContinueSignal,
    validator::{AcceptedFuture, Async, AsyncValidator, BoxAsyncValidator, Validator},
};
