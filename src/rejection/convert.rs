//! Conversions into a rejection.

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::Rejection;
use crate::{expectation::MalformedExpect, head::InvalidHeader};

impl From<StatusCode> for Rejection {
    fn from(status: StatusCode) -> Self {
        Self::new(status)
    }
}

/// 400, with a message that names the header and the problem. [`or`](crate::rules::Rule::or) and
/// [`any`](crate::rules::any) reject at once, without running other rules.
impl From<InvalidHeader> for Rejection {
    fn from(error: InvalidHeader) -> Self {
        Self::new(StatusCode::BAD_REQUEST)
            .with_message(format!("{error}; correct it or leave it out"))
            .malformed()
    }
}

/// 400, with a message that names the malformed member by its place, and the problem.
impl From<MalformedExpect> for Rejection {
    fn from(error: MalformedExpect) -> Self {
        Self::new(StatusCode::BAD_REQUEST)
            .with_message(format!("{error}; correct the header or leave it out"))
            .malformed()
    }
}

/// A complete response of yours. It is sent as it is, except for `Connection`, and without its body where a
/// response cannot have one; no renderer sees it. A 1xx status makes it a plain 500 rejection.
///
/// An async validator can convert any type that implements axum's `IntoResponse`:
///
/// ```
/// use axum::{body::to_bytes, http::StatusCode, response::IntoResponse, Json};
/// use tower_expect::Rejection;
///
/// async fn reject(response: impl IntoResponse) -> Rejection {
///     let (parts, body) = response.into_response().into_parts();
///     http::Response::from_parts(parts, to_bytes(body, 1 << 20).await.unwrap_or_default()).into()
/// }
///
/// # tokio_test::block_on(async {
/// let rejection = reject((StatusCode::PAYMENT_REQUIRED, Json("top up"))).await;
/// assert_eq!(rejection.status(), 402);
/// assert_eq!(rejection.headers()["content-type"], "application/json");
/// assert_eq!(rejection.into_response().into_body(), "\"top up\"");
/// # });
/// ```
impl From<Response<Bytes>> for Rejection {
    fn from(response: Response<Bytes>) -> Self {
        let mut rejection = Self::new(response.status());
        if !response.status().is_informational() {
            rejection.more.get_or_insert_with(Box::default).whole = Some(response);
        }
        rejection
    }
}

/// The message.
impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Rejection {}
