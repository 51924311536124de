//! A server for HTTP/1.1, with hyper, and HTTP/2, with [`http2`](crate::http2).
//!
//! It replaces `axum::serve` and tonic's transport. Use it to send `100 Continue` over HTTP/2, or for what
//! `axum::serve` has no setting for: TLS, timeouts, a limit of connections, a deadline for the shutdown. Each
//! HTTP/1 connection [lingers](crate::LingerStream), so that early responses arrive.
//!
//! ```
//! use std::{future::IntoFuture, net::SocketAddr, time::Duration};
//!
//! use axum::{extract::ConnectInfo, routing::put, Router};
//! use tokio::net::TcpListener;
//! use tower_expect::{rules, ExpectLayer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! async fn store(ConnectInfo(client): ConnectInfo<SocketAddr>, body: String) -> String {
//!     format!("stored {body} of {}", client.ip())
//! }
//!
//! let app = Router::new()
//!     .route("/", put(store))
//!     .layer(ExpectLayer::new(rules::content_length(..=1 << 20)));
//!
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let server = tower_expect::serve(listener, app)
//!     .with_connect_info(ConnectInfo)
//!     .graceful_timeout(Duration::from_secs(10));
//! let (address, handle) = (server.local_addr()?, server.handle());
//! let server = tokio::spawn(server.into_future());
//! # use http_body_util::{BodyExt, Full};
//! # use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//!
//! // Over HTTP/1.1 and over HTTP/2:
//! for http2_only in [false, true] {
//!     let client = Client::builder(TokioExecutor::new()).http2_only(http2_only).build_http();
//!     let request = http::Request::put(format!("http://{address}/"))
//!         .header("expect", "100-continue")
//!         .body(Full::<bytes::Bytes>::from("a picture"))?;
//!     let response = client.request(request).await?;
//!     let body = response.into_body().collect().await?.to_bytes();
//!     assert_eq!(body, "stored a picture of 127.0.0.1");
//! }
//!
//! handle.shutdown();
//! server.await??;
//! # Ok(())
//! # }
//! ```
//!
//! # From `axum::serve`
//!
//! | `axum::serve` | `tower_expect::serve` |
//! |---|---|
//! | `axum::serve(listener, app).await?` | `tower_expect::serve(listener, app).await?` |
//! | `axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())` | `tower_expect::serve(listener, app).with_connect_info(ConnectInfo)` |
//! | `.with_graceful_shutdown(signal)` | the same |
//! | a listener that implements axum's trait | `FromAxum::new(listener)` (feature `axum`) |
//! | `LingerListener::new(listener)` | `listener`: the server lingers by itself |
//! | no deadline for the shutdown | [`graceful_timeout`](Serve::graceful_timeout) |
//! | `.tap_io(\|tcp\| tcp.set_nodelay(true))` | nothing: it is on |
//! | `Connected` for a type of your own | [`with_stream_info`](Serve::with_stream_info) |
//!
//! A request's body is an [`IncomingBody`], which axum's and tonic's services take as it is. A layer of yours
//! that names `hyper::body::Incoming` must be generic over the body, or name that type.
//!
//! WebSockets work over HTTP/1.1. Over HTTP/2, an extended CONNECT (RFC 8441) is rejected, and browsers open
//! a separate HTTP/1.1 connection: over TLS, offer `http/1.1` by ALPN beside `h2`.
//!
//! [`comparison`] lists features and defaults beside those of axum, axum-server and Go.

mod accept;
mod activity;
mod body;
mod clocks;
#[doc = include_str!("serve/comparison.md")]
pub mod comparison {}
mod connection;
mod establish;
#[cfg(feature = "axum")]
mod from_axum;
mod handle;
mod http1;
mod http2;
mod listener;
mod preface;
mod server;
mod service;
mod settings;
mod socket;
mod write_timeout;

#[cfg(feature = "axum")]
pub use self::from_axum::FromAxum;
pub use self::{
    body::IncomingBody, handle::Handle, listener::Listener, server::Serve, service::HttpService,
};

/// Serves an axum `Router`, tonic's `Routes` or any other tower service on the connections of a listener.
///
/// Each connection runs in a tokio task of its own, with a clone of the service. Await the returned
/// [`Serve`], or spawn its `into_future()`.
///
/// See the [module](mod@crate::serve) for an example.
pub fn serve<L, S, Kind>(listener: L, service: S) -> Serve<L, S>
where
    L: Listener,
    S: HttpService<Kind>,
{
    Serve::new(listener, service)
}
