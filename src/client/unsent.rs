//! A body that was not sent.

use std::{
    fmt,
    sync::{Arc, PoisonError},
};

use crate::sync::Mutex;

/// The unsent body of a rejected request, in the extensions of the response.
///
/// It is there if the body was never polled. Clones share one body.
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response, StatusCode};
/// use http_body_util::Full;
/// use tower_expect::client::Unsent;
///
/// /// The request again, with credentials.
/// fn authorized<R>(response: &Response<R>) -> Option<Request<Full<Bytes>>> {
///     if response.status() != StatusCode::UNAUTHORIZED {
///         return None;
///     }
///     let body = response.extensions().get::<Unsent<Full<Bytes>>>()?.take()?;
///     Request::put("http://example.com/").header("authorization", "Bearer s3cr3t").body(body).ok()
/// }
/// # assert!(authorized(&Response::new(())).is_none());
/// ```
pub struct Unsent<B>(Arc<Mutex<Option<B>>>);

impl<B> Unsent<B> {
    pub(super) fn new(body: B) -> Self {
        Self(Arc::new(Mutex::new(Some(body))))
    }

    /// Takes the body. Returns `None` if it was taken before, also from a clone.
    #[must_use]
    pub fn take(&self) -> Option<B> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<B> Clone for Unsent<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B> fmt::Debug for Unsent<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsent").finish_non_exhaustive()
    }
}
