//! What happens to the lease while the upload runs.

use std::sync::{atomic::Ordering, Arc};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{header::RETRY_AFTER, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;

use super::lease::Lease;

/// Inside of the `ExpectLayer`: holds the lease that the validator has taken while the upload runs, and
/// settles it before the client is told of success. After a failure, or if this is dropped, it is
/// released.
pub(crate) async fn charge(mut request: Request, next: Next) -> Response {
    let Some(lease) = request.extensions_mut().remove::<Arc<Lease>>() else {
        return next.run(request).await;
    };
    let meter = lease.meter();
    let request = request.map(|body| {
        Body::new(body.inspect_frame(move |frame| {
            let read = frame.data_ref().map_or(0, Bytes::len);
            meter.fetch_add(read as u64, Ordering::Relaxed);
        }))
    });
    let Ok(response) = lease.hold(next.run(request)).await else {
        let retry_after = [(RETRY_AFTER, lease.time().as_secs())];
        let message = "the upload stood still and has lost its place in the quota\n";
        return (StatusCode::TOO_MANY_REQUESTS, retry_after, message).into_response();
    };
    if response.status().is_success() {
        let lease = Arc::into_inner(lease).expect("taken from the request");
        lease.settle().await;
    }
    response
}
