//! The client's half: requests that ask before they send their body.
//!
//! [`ExpectContinueLayer`] wraps a tower client that runs on hyper's connections, such as hyper-util's
//! legacy `Client`. A request with a long body gets `Expect: 100-continue`, and its body is withheld until the
//! server asks for it. Where the server rejects instead, the caller has the response at once, and the
//! body was never sent.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, StatusCode};
//! use http_body_util::{BodyExt, Full};
//! use hyper_util::{
//!     client::legacy::{connect::HttpConnector, Client},
//!     rt::TokioExecutor,
//! };
//! use tower::{Layer, ServiceExt};
//! use tower_expect::client::{ExpectContinueLayer, PatientConnector, Unsent};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use axum::{routing::put, Router};
//! # use tower_expect::{rules, ExpectLayer};
//! // The server wants a token.
//! let app = Router::new()
//!     .route("/", put(|body: Bytes| async move { body.len().to_string() }))
//!     .layer(ExpectLayer::new(rules::bearer_token("s3cr3t")));
//! # let app = app.layer(axum::extract::DefaultBodyLimit::disable());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let uri = format!("http://{}/", listener.local_addr()?);
//! tokio::spawn(async move { axum::serve(listener, app).await });
//!
//! let mut connector = HttpConnector::new();
//! connector.set_nodelay(true);
//! let client = Client::builder(TokioExecutor::new()).build(PatientConnector::new(connector));
//! let client = ExpectContinueLayer::new().layer(client);
//!
//! // Four mebibytes, of which not a byte is sent.
//! let request = Request::put(&uri).body(Full::<Bytes>::from(vec![0; 4 << 20]))?;
//! let response = client.clone().oneshot(request).await?;
//! assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
//!
//! // The very same, with the token.
//! let unsent = response.extensions().get::<Unsent<Full<Bytes>>>();
//! let body = unsent.and_then(Unsent::take).expect("not sent");
//! let request = Request::put(&uri).header("authorization", "Bearer s3cr3t").body(body)?;
//! let response = client.oneshot(request).await?;
//! assert_eq!(response.into_body().collect().await?.to_bytes(), "4194304");
//! # Ok(())
//! # }
//! ```
//!
//! # Which requests ask
//!
//! Those with a body of at least [`min_length`](ExpectContinueLayer::min_length), by default 1 MiB, or of
//! unknown length, and those with an `Expect: 100-continue` of their own, as through a proxy. Its lines are
//! made one. An *empty* `Expect` header forbids it, and is removed. Other expectations are left alone.
//!
//! None asks that must not (RFC 9110 §10.1.1): without a body, as HTTP/1.0, with `Upgrade`, or CONNECT. An
//! `Expect: 100-continue` on such a request is removed. A proxy sets the version of what it forwards to
//! `HTTP_11`: requests that say HTTP/2 or 3 are left alone.
//!
//! # What happens then
//!
//! The clock starts when the head is written: connecting, and waiting for a connection of the pool, do not
//! count. The first of these counts; a response that is there counts before a clock that has run out.
//!
//! | what comes | the body | the caller gets |
//! |---|---|---|
//! | 100 | is sent | the response to it |
//! | another interim response | goes on waiting; more than 64 are an error | |
//! | nothing until the [`timeout`](ExpectContinueLayer::timeout), 1 second by default | is sent | the response to it |
//! | 417 | is sent again without `Expect`, on another connection ([`retry_without_expect`](ExpectContinueLayer::retry_without_expect)) | the response to that |
//! | another final response, be it a success | is not sent, and given back as [`Unsent`] | that response, whole |
//! | the end of the connection | is sent again with `Expect`, if the method is idempotent ([`retry_dead_connection`](ExpectContinueLayer::retry_dead_connection)) | the response to that, or the error |
//! | a sign that no 100 can be heard, as on HTTP/2 | is sent at once | the response to it |
//!
//! A connection on which a body was withheld is closed when the response's body has ended or is dropped. It
//! is never used again: the server might take the next request for the body.
//!
//! hyper's client tells of no 100 on HTTP/2 (hyper 1.12), and says so: it drops the callback by which it would,
//! before it asks for the body. So nothing waits there, from the first request on, however HTTP/2 was agreed
//! upon. The same holds for any client that builds a request of its own and forgets the extensions.
//!
//! A host that sent a 417, that let the clock run out, or that speaks HTTP/2 is not asked again for five
//! minutes; see [`remember_for`](ExpectContinueLayer::remember_for) and
//! [`no_memory`](ExpectContinueLayer::no_memory).
//!
//! # The wrapped client
//!
//! It is a `Clone` service that takes a [`WaitingBody`]. It should read from the server while the body is
//! pending, and must be able to open another connection where requests are repeated. Put timeouts outside of
//! the layer: one inside that runs out while the body waits is an error like that of a dead connection. The
//! caller's callback for interim responses is set by [`on_informational`].
//!
//! Set `TCP_NODELAY` (`HttpConnector::set_nodelay`), which hyper-util does not by default: the head and the
//! body are two writes now. With Nagle's algorithm, a short last segment of the body waits until the server
//! has acknowledged what came before.
//!
//! # Early responses without asking
//!
//! A server may respond and close in the midst of any upload. [`PatientConnector`] makes the response seen: see
//! [`PatientStream`]. It needs no layer, and no help from the server.
//!
//! # Cancel safety
//!
//! Dropping the response future while the body waits drops the body, unsent, and closes the connection
//! (HTTP/1.1) or resets the stream (HTTP/2). Afterwards it is as without the layer. Dropping the response's body
//! is safe at any time.
//!
//! # Panics
//!
//! The response future panics outside of a tokio runtime with a time driver, if the body waits.
//!
//! # Cost
//!
//! A request that does not ask costs no allocation.

mod error;
mod exchange;
mod future;
mod gate;
mod informational;
mod layer;
mod memory;
mod observe;
mod patient;
mod plan;
mod request_body;
mod response_body;
mod service;
mod settings;
mod unsent;

#[cfg(feature = "metrics")]
pub use self::observe::metrics::Metrics;
pub use self::{
    error::WithheldError,
    future::ResponseFuture,
    informational::on_informational,
    layer::ExpectContinueLayer,
    observe::{Event, Observe, RepeatReason},
    patient::{PatientConnector, PatientConnectorFuture, PatientStream},
    request_body::WaitingBody,
    response_body::ResponseBody,
    service::ExpectContinue,
    settings::Retry,
    unsent::Unsent,
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
