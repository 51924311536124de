//! The types that the future of an HTTP service stands for.

use http::Response;
use http_body::Body;

/// What the future of an HTTP service gives.
///
/// Implemented for `Result<Response<R>, E>`; it only lets [`ResponseFuture`] name `R` and `E`.
#[allow(unnameable_types, reason = "nobody else is to implement it")]
pub trait Outcome {
    #[doc(hidden)]
    type Body: Body;
    #[doc(hidden)]
    type Error;
}

impl<R: Body, E> Outcome for Result<Response<R>, E> {
    type Body = R;
    type Error = E;
}
