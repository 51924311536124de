//! The trait for services that can be served.

use std::{convert::Infallible, error::Error};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::IncomingBody;

/// Service that [`serve`](crate::serve()) accepts: an axum `Router`, tonic's `Routes`, or any tower service of
/// HTTP requests.
///
/// Implemented for each `S: Service<Request<IncomingBody>, Response = Response<B>> + Clone + Send`
/// whose future is `Send`, whose error and that of the body `B` can be boxed, and where `B::Data:
/// From<Bytes>`. `Kind` is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service that `tower_expect::serve` can serve",
    label = "not a cloneable service of HTTP requests",
    note = "pass the `Router` itself, without `into_make_service()`",
    note = "instead of `into_make_service_with_connect_info::<SocketAddr>()` write \
            `serve(listener, app).with_connect_info(axum::extract::ConnectInfo)`",
    note = "a `Router` that still lacks its state becomes a service by `with_state`",
    note = "any other service must be `Service<Request<IncomingBody>, Response = Response<B>> + Clone + \
            Send + 'static`, with a future that is `Send` and a response body whose data is `Bytes`"
)]
pub trait HttpService<Kind>: Clone + Send + 'static {}

impl<S, B> HttpService<(Bytes, B)> for S
where
    S: Service<Request<IncomingBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: From<Bytes> + Send,
    B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
{
}

/// No service: nothing but itself turns into an `Infallible`. With this second implementation the compiler
/// reports the message above; with the first alone it would report the bound of it that failed.
impl<S> HttpService<Infallible> for S
where
    S: Clone + Send + 'static,
    Infallible: From<S>,
{
}
