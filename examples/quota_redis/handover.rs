//! How the lease comes from the validator, which sees the request's head only, to the upload.

use std::sync::{atomic::Ordering, Arc, Mutex, PoisonError};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{header::RETRY_AFTER, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;

use super::lease::Lease;

/// In the extensions of the request: filled by the validator, emptied by [`charge`]. If the request is
/// dropped in between, so is the lease.
#[derive(Clone, Default)]
pub(crate) struct Handover(Arc<Mutex<Option<Lease>>>);

impl Handover {
    pub(crate) fn put(&self, lease: Lease) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease);
    }

    pub(crate) fn take(&self) -> Option<Lease> {
        let mut lease = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lease.take()
    }
}

/// Outside of the `ExpectLayer`.
pub(crate) fn attach<B>(mut request: http::Request<B>) -> http::Request<B> {
    request.extensions_mut().insert(Handover::default());
    request
}

/// Inside of the `ExpectLayer`: holds the lease while the upload runs, and settles it before the
/// client is told of success. After a failure, or if this is dropped, it is released.
pub(crate) async fn charge(mut request: Request, next: Next) -> Response {
    let handover = request.extensions_mut().remove::<Handover>();
    let Some(lease) = handover.and_then(|handover| handover.take()) else {
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
        lease.settle().await;
    }
    response
}
