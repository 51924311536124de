//! Tower middleware for `Expect: 100-continue`. Accepts or rejects a request before its body is read, and makes
//! sure that the client receives the response.
//!
//! [`ExpectLayer`] wraps any tower HTTP service: axum, hyper, tonic. There are three reasons to use the crate:
//!
//! 1. **Early responses arrive.** If a server responds to an upload before it has read the body, the
//!    connection is reset, and clients report "broken pipe" in place of the status. With
//!    [`ExpectLayer::default()`](ExpectLayer) outermost, they receive the application's own 401 or 413.
//! 2. **Uploads are rejected before they are sent.** A validator sees the head of each request. Clients that send
//!    `Expect: 100-continue` wait for its decision.
//! 3. **`100 Continue` where hyper sends none.** The feature `serve` sends it over HTTP/2, too, and the
//!    feature `client` waits for it.
//!
//! ```
//! use axum::{
//!     body::{Body, Bytes},
//!     http::{Request, StatusCode},
//!     routing::put,
//!     Router,
//! };
//! use tower::ServiceExt;
//! use tower_expect::{rules, ExpectLayer};
//!
//! # tokio_test::block_on(async {
//! let app = Router::new()
//!     .route("/picture", put(|body: Bytes| async move { format!("stored {} bytes", body.len()) }))
//!     .layer(ExpectLayer::new(
//!         rules::bearer_token("s3cr3t")
//!             .and(rules::content_type(["image/*"]))
//!             .and(rules::content_length(..=1 << 20)),
//!     ));
//!
//! let upload = |token, body: &'static [u8]| {
//!     Request::put("/picture")
//!         .header("authorization", token)
//!         .header("content-type", "image/png")
//!         .header("content-length", body.len())
//!         .header("expect", "100-continue")
//!         .body(Body::from(body))
//! };
//!
//! let response = app.clone().oneshot(upload("Bearer s3cr3t", b"PNG")?).await?;
//! assert_eq!(axum::body::to_bytes(response.into_body(), 100).await?, "stored 3 bytes");
//!
//! let response = app.oneshot(upload("Bearer wrong", b"PNG")?).await?;
//! assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
//! assert_eq!(response.headers()["www-authenticate"], "Bearer error=\"invalid_token\"");
//! assert_eq!(response.headers()["connection"], "close");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # Guide
//!
//! | page | explains |
//! |---|---|
//! | [Rejections that arrive](guide::rejections_that_arrive) | the layer without a validator: auth by middleware, body limits, timeouts, decompression, NTLM; what was measured |
//! | [Layer order](guide::layer_order) | where the layer belongs among those of axum, tower and tower-http, measured |
//! | [Validators](guide::validators) | the decision in order; users, errors and extractors of an application; git |
//! | [HTTP/2 and serve](guide::http2_and_serve) | who sends the 100, and how to send it over HTTP/2 |
//! | [`client`], [Other clients](guide::client), [Proxying](guide::proxying) | clients that wait for the 100; reqwest, the AWS SDK and object_store; passing it through a proxy |
//! | [Deployment](guide::deployment) | HAProxy, nginx, Apache, Caddy, Envoy and Google Cloud in front; bugs of clients |
//! | [Debugging a 417](guide::debugging_a_417) | where a 417, a stall or a broken pipe comes from |
//! | [Design notes](guide::design_notes) | why each default is what it is |
//!
//! # The decision
//!
//! The layer decides about each request in this order. [Validators](guide::validators#the-decision) has the
//! same list with every detail.
//!
//! 1. HTTP/1.0: the `Expect` header is ignored; go to 7.
//! 2. No `Expect` header: go to 7.
//! 3. `Expect` is malformed: 400.
//! 4. An expectation that is neither `100-continue` nor declared by [`support`](ExpectLayer::support): 417.
//! 5. `100-continue` without a body: no 100; go to 7.
//! 6. Expecting, and nothing below can send the 100: 417 on HTTP/1.1; on HTTP/2 and 3 as
//!    [`ContinueUnavailable`] says, by default go to 7.
//! 7. The validator returns `Err(rejection)`: that response. The inner service is not called, and the body
//!    is never polled.
//! 8. Otherwise the inner service is called. The first poll of its [`ExpectBody`] sends the 100.
//!
//! The validator runs for every request, whether or not it has an `Expect` header or a body; see
//! [`ValidateWhen`]. [`render`] makes the responses of rows 3 to 7.
//!
//! # Terms
//!
//! * A request *has a body* if its framing does not rule one out: see [`RequestHead::has_body`].
//! * It is *expecting* if it carries `100-continue`, is HTTP/1.1 or later, and has a body.
//! * Its client was *invited* if a 100 was sent or a part of the body has arrived. A client that expects and was
//!   not invited does not owe its body once it has the final response.
//! * To *drain* is to read and discard an unread body. To *linger* is the same at the socket, on raw bytes.
//!   [`Linger`] is the policy for both, and events and metrics of both are named after it.
//!
//! # Errors
//!
//! A rejection is a response, never an error: the layer's error is that of the inner service. The
//! [`Rejection`] is also in the extensions of the response, for outer layers. Reading an [`ExpectBody`]
//! beyond the limit of its request fails with [`LengthLimitError`](http_body_util::LengthLimitError) as the source.
//!
//! # Panics
//!
//! A validator, renderer or observer that panics does so in `Service::call` or in a poll. hyper closes that
//! connection; the server keeps running. [`decision_timeout`](ExpectLayer::decision_timeout) needs a tokio
//! runtime with its time driver.
//!
//! # Cancel safety
//!
//! Dropping the response future drops the validator's future or the inner future, and closes the
//! [`ContinueSignal`]. A body that the client owes is drained as after a response, so that the response of an
//! outer layer, such as the 408 of a timeout, arrives. A body that it does not owe is dropped. It is too late to
//! announce the close then, so the next bytes may be read as a request, as without this layer. An error of the inner service is treated like a response.
//!
//! * HTTP/1: hyper drops the future when it finds the connection closed, which it does not notice while a
//!   body is unread.
//! * HTTP/2: hyper drops the future when the stream is reset; other streams go on.
//!
//! # Observability
//!
//! [`ExpectLayer::observe`] calls an observer with each [`Event`]: accepted, rejected and why, continued
//! and after how long, never read, and what draining cost.
//!
//! # Features
//!
//! * `tokio` (default): [`Linger`] and [`LingerStream`]. Without it, rejections carry `Connection: close`,
//!   unread bodies are dropped at once, and the application's own responses are left alone.
//! * `axum`: [`LingerListener`], for `axum::serve` on sockets that linger.
//! * `http2`: the module [`http2`], which serves HTTP/2 connections and sends the 100 there.
//! * `serve`: the module [`serve`](mod@serve), a server for HTTP/1.1, by hyper, and HTTP/2, by `http2`.
//! * `client`: the module [`client`], a layer for clients that waits for the 100, and sockets on which early
//!   responses are seen.
//! * `tracing`: emits each [`Event`] as an event of `tracing`, in the span of the request, target
//!   `tower_expect`, level DEBUG, or WARN for accept errors, the limit of connections and connections
//!   cut at a shutdown, with fields named as OpenTelemetry names them. At that level, the span
//!   stays open until draining is over.
//! * `metrics`: [`Metrics`], an observer that counts, for Prometheus and others.

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
