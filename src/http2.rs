//! HTTP/2 with a `100 Continue`.
//!
//! hyper, and with it axum and tonic, never sends a 100 over HTTP/2: clients that wait for it wait
//! until their timers run out, or for ever. This serves any tower service on a connection of yours,
//! on the crate `h2`, and puts a [`ContinueSignal`](crate::ContinueSignal) into the extensions of
//! each request that has an `Expect` field and content, so that [`ExpectLayer`](crate::ExpectLayer)
//! can send the 100 when the body is first polled.
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
//!     let content = request.into_body().collect().await?.to_bytes();
//!     Ok(Response::new(format!("stored {} bytes", content.len()).into()))
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
//! let (mut response, mut content) = upload(5)?;
//! let interim = std::future::poll_fn(|cx| response.poll_informational(cx)).await;
//! assert_eq!(interim.unwrap()?.status(), StatusCode::CONTINUE);
//! content.send_data(Bytes::from_static(b"hello"), true)?;
//! assert_eq!(response.await?.status(), StatusCode::OK);
//!
//! let (response, _content) = upload(6)?;
//! assert_eq!(response.await?.status(), StatusCode::PAYLOAD_TOO_LARGE);
//! # Ok(())
//! # }
//! ```
//!
//! For a whole server, HTTP/1.1 included, see `tower_expect::serve` (feature `serve`).
//!
//! # What it does
//!
//! * Each request runs in a tokio task of its own. A panic resets its stream with `INTERNAL_ERROR`
//!   and touches no other. So do an error of the service or of the response's body, and a 1xx as the
//!   response.
//! * A stream that the client resets, and a connection that is gone, drop the service's future and
//!   the bodies.
//! * The 100 is sent in the moment in which the signal is fired, from whatever task. The signal is
//!   closed before the response's head is sent; firing it later does nothing.
//! * The response gets a `date`, and a `content-length` if its body knows its length. The fields that
//!   belong to an HTTP/1 connection are removed. HEAD, 204 and 304 are answered without content.
//! * Content that is not read to its end, and is dropped after the response, is refused by
//!   RST_STREAM with `NO_ERROR` (RFC 9113 §8.1). With [`ExpectLayer`](crate::ExpectLayer) around the
//!   service that is when the lingering is over, so that clients such as curl see the response. Only
//!   if the client itself sends less or more than its `Content-Length` does h2 reset the stream with
//!   `PROTOCOL_ERROR`.
//! * CONNECT is answered with 501: a service has no way to take over the stream as a tunnel.
//! * There is no server push.
//!
//! # What it costs
//!
//! As much as hyper's HTTP/2, measured beside it on one machine in release builds:
//!
//! | | this | hyper |
//! |---|---|---|
//! | GET, requests/s | 0.98 | 1 |
//! | uploads of 64 KiB, requests/s | 1.00 | 1 |
//! | uploads of 8 MiB, requests/s | 1.00 | 1 |
//! | an idle connection, bytes of memory | 14,975 | 15,114 |
//! | one with an expecting upload that waits, bytes of memory | 20,218 | 20,447 |
//!
//! The rates are h2load's, medians of 9 alternating rounds; the bytes are what a server's resident
//! memory grows by with 500 connections, divided by them, medians of 5 rounds. To measure again:
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
