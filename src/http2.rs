//! HTTP/2 server connections that send `100 Continue`.
//!
//! hyper, and with it axum and tonic, never sends a 100 over HTTP/2: expecting clients wait until their
//! timers fire, or forever. This module serves any tower service on a connection that you have accepted,
//! with the crate `h2`. It puts a [`ContinueSignal`](crate::ContinueSignal) into the extensions of each request
//! that has an `Expect` header and a body, so that [`ExpectLayer`](crate::ExpectLayer) can send the 100 when
//! the body is first polled.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode};
//! use http_body_util::{BodyExt, Full};
//! use tower::ServiceBuilder;
//! use tower_expect::{http2::RequestBody, rules, ExpectBody, ExpectLayer};
//!
//! async fn store(
//!     request: Request<ExpectBody<RequestBody>>,
//! ) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
//!     let body = request.into_body().collect().await?.to_bytes();
//!     Ok(Response::new(format!("stored {} bytes", body.len()).into()))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = ServiceBuilder::new()
//!     .layer(ExpectLayer::new(rules::content_length(..=5)))
//!     .service_fn(store);
//! let (near, far) = tokio::io::duplex(4096); // or a TCP or TLS stream
//! let server = tower_expect::http2::Builder::new().serve_connection(near, service);
//! tokio::spawn(server);
//!
//! let (mut client, connection) = h2::client::handshake(far).await?;
//! tokio::spawn(connection);
//! let mut upload = |length| {
//!     let request = Request::put("http://localhost/")
//!         .header("content-length", length)
//!         .header("expect", "100-continue");
//!     client.send_request(request.body(()).unwrap(), false)
//! };
//!
//! let (mut response, mut body) = upload(5)?;
//! let interim = std::future::poll_fn(|cx| response.poll_informational(cx)).await;
//! assert_eq!(interim.unwrap()?.status(), StatusCode::CONTINUE);
//! body.send_data(Bytes::from_static(b"hello"), true)?;
//! assert_eq!(response.await?.status(), StatusCode::OK);
//!
//! let (response, _body) = upload(6)?;
//! assert_eq!(response.await?.status(), StatusCode::PAYLOAD_TOO_LARGE);
//! # Ok(())
//! # }
//! ```
//!
//! For a whole server, HTTP/1.1 included, see `tower_expect::serve` (feature `serve`).
//!
//! # Behavior
//!
//! * Each request runs in a tokio task of its own. A panic resets its stream with `INTERNAL_ERROR`, and no
//!   other stream. So do an error of the service or of the response's body, and a 1xx as the response.
//! * If the client resets a stream or the connection ends, the service's future and the bodies are
//!   dropped.
//! * The 100 is sent at once when the signal is fired, from any task. The signal is closed before the
//!   response's head is sent; firing it later does nothing.
//! * The response gets a `date` header, and a `content-length` header if its body knows its length. Headers
//!   that belong to an HTTP/1 connection are removed. Responses to HEAD, and 204 and 304, have no body.
//! * If the request's body is dropped before its end and after the response, the stream is reset with
//!   `NO_ERROR` (RFC 9113 §8.1). With [`ExpectLayer`](crate::ExpectLayer) around the service, this happens after
//!   draining, so that clients such as curl receive the response. If the client sends less or more than its
//!   `Content-Length`, h2 resets the stream with `PROTOCOL_ERROR`.
//! * The response to CONNECT is 501: a service cannot take over the stream as a tunnel.
//! * There is no server push.
//!
//! # Cost
//!
//! The same as hyper's HTTP/2, measured on one machine in release builds:
//!
//! | | this | hyper |
//! |---|---|---|
//! | GET, requests/s | 0.98 | 1 |
//! | uploads of 64 KiB, requests/s | 1.00 | 1 |
//! | uploads of 8 MiB, requests/s | 1.00 | 1 |
//! | an idle connection, bytes of memory | 14,975 | 15,114 |
//! | one with an expecting request that waits, bytes of memory | 20,218 | 20,447 |
//!
//! The rates are medians of 9 alternating rounds of h2load; the memory is the growth of the server's resident
//! memory with 500 connections, per connection, median of 5 rounds. To measure again:
//! `cargo test --release --features serve --test http2 -- --ignored --nocapture`

mod body;
mod builder;
mod connection;
mod error;
mod fields;
mod frames;
mod keep_alive;
mod patience;
mod reply;
mod stream;

pub use self::{body::RequestBody, builder::Builder, connection::Connection, error::Error};
