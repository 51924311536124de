//! Client middleware that sends `Expect: 100-continue` and waits before it sends a body.
//!
//! [`ExpectContinueLayer`] wraps a tower client on hyper's connections, such as hyper-util's legacy `Client`. A
//! request with a long body gets `Expect: 100-continue`, and its body is withheld until the server sends a
//! 100. If the server rejects the request instead, the caller gets the response at once, and the body is not
//! sent.
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
//! How reqwest, the AWS SDK and object_store send expecting requests is described on [a page of its own](crate::guide::client).
//!
//! # Expecting requests
//!
//! The layer makes requests expecting that have a body of at least
//! [`min_length`](ExpectContinueLayer::min_length), by default 1 MiB, or of unknown length. Requests with an
//! `Expect: 100-continue` of their own, as in a proxy, are expecting, too; their `Expect` lines are merged into
//! one. To send one request without
//! waiting, set an *empty* `Expect` header, which is removed. Other expectations are left alone.
//!
//! A request is never expecting if it has no body, is HTTP/1.0, has an `Upgrade` header, or is a CONNECT
//! (RFC 9110 §10.1.1). An `Expect: 100-continue` on such a request is removed. Requests whose version is HTTP/2
//! or 3 are left alone; a proxy must set the version of forwarded requests to `HTTP_11`.
//!
//! # Outcomes
//!
//! The clock starts when the head is written: connecting, and waiting for a pooled connection, do not count.
//! The first event decides; a response takes precedence over a clock that has run out.
//!
//! | event | the body | the caller gets |
//! |---|---|---|
//! | 100 | is sent | the response to it |
//! | another interim response | still waits; more than 64 are an error | |
//! | the [`timeout`](ExpectContinueLayer::timeout), 1 second by default | is sent | the response to it |
//! | 417 | is sent with the request repeated without `Expect`, on another connection ([`retry_without_expect`](ExpectContinueLayer::retry_without_expect)) | the response to that |
//! | another final response, even a success | is not sent, and given back as [`Unsent`] | that response |
//! | the end of the connection | waits again, with the request repeated with `Expect`, if the method is idempotent ([`retry_dead_connection`](ExpectContinueLayer::retry_dead_connection)) | the response to that, or the error |
//! | hyper cannot report a 100, as on HTTP/2 | is sent at once | the response to it |
//!
//! A connection on which a body was withheld is closed when the response's body has ended or is dropped. It
//! is never used again: the server might take the next request for the body.
//!
//! hyper's client does not report a 100 on HTTP/2 (hyper 1.12): it drops the callback before it polls the body.
//! The layer notices that, so no request waits there, not even the first one. The same holds for any client
//! that builds a request of its own and drops the extensions.
//!
//! For a host that sent a 417, let the clock run out, or speaks HTTP/2, the layer makes no request expecting
//! for five minutes; see [`remember_for`](ExpectContinueLayer::remember_for) and
//! [`no_memory`](ExpectContinueLayer::no_memory).
//!
//! # The wrapped client
//!
//! It is a `Clone` service that takes a [`WaitingBody`]. It should read from the server while the body is
//! pending, and must be able to open another connection if requests are to be repeated. Put timeouts outside of
//! the layer: a timeout inside that fires while the body waits counts as a dead connection. Set a callback for
//! interim responses with [`on_informational`].
//!
//! Set `TCP_NODELAY` (`HttpConnector::set_nodelay`), which hyper-util does not do by default: head and body are
//! separate writes. With Nagle's algorithm, a short last segment of the body waits until the server has
//! acknowledged the earlier ones.
//!
//! # Early responses without `Expect`
//!
//! A server may respond and close during any upload. With [`PatientConnector`], the caller receives the
//! response: see [`PatientStream`]. It needs no layer, and no change in the server.
//!
//! # Observability
//!
//! [`ExpectContinueLayer::observe`] calls an observer with each [`Event`] of a request that waited. `Event::Rejected`
//! has the number of bytes that were not sent. A rejection that follows the 100 makes no such event.
//!
//! # Cancel safety
//!
//! Dropping the response future while the body waits drops the unsent body, and closes the connection
//! (HTTP/1.1) or resets the stream (HTTP/2). After that, it behaves as without the layer. Dropping the
//! response's body is safe at any time.
//!
//! # Panics
//!
//! The response future panics if the body waits outside of a tokio runtime with a time driver.
//!
//! # Cost
//!
//! A request that is not expecting costs no allocation.

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
