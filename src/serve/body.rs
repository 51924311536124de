//! The request body, of one type for both versions of HTTP.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::activity::Part;
use crate::{exchange::ExpectBody, http2::RequestBody};

/// Body of a request that [`serve`](crate::serve()) has received: hyper's on HTTP/1, a [`RequestBody`] on
/// HTTP/2.
///
/// Cancel safety and back-pressure are those of the wrapped body.
pub struct IncomingBody(Version);

enum Version {
    Http1 {
        body: ExpectBody<Incoming>,
        /// Until the body is at its end; `None` if it has been so from the beginning.
        part: Option<Part>,
    },
    Http2(RequestBody),
}

impl IncomingBody {
    pub(super) fn http1(body: ExpectBody<Incoming>, part: Option<Part>) -> Self {
        Self(Version::Http1 { body, part })
    }

    pub(super) fn http2(body: RequestBody) -> Self {
        Self(Version::Http2(body))
    }
}

impl Body for IncomingBody {
    type Data = Bytes;
    /// A `hyper::Error` or an [`http2::Error`](crate::http2::Error).
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.0 {
            Version::Http1 { body, part } => {
                let polled = poll(body, cx);
                let is_over = matches!(polled, Poll::Ready(None | Some(Err(_))));
                if polled.is_ready() && (is_over || body.is_end_stream()) {
                    *part = None;
                }
                polled
            }
            Version::Http2(body) => poll(body, cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Version::Http1 { body, .. } => body.is_end_stream(),
            Version::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Version::Http1 { body, .. } => body.size_hint(),
            Version::Http2(body) => body.size_hint(),
        }
    }
}

type Polled<E> = Poll<Option<Result<Frame<Bytes>, E>>>;

fn poll<B>(body: &mut B, cx: &mut Context<'_>) -> Polled<Box<dyn Error + Send + Sync>>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let polled = Pin::new(body).poll_frame(cx);
    polled.map(|frame| frame.map(|frame| frame.map_err(Into::into)))
}

impl fmt::Debug for IncomingBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("IncomingBody");
        match &self.0 {
            Version::Http1 { body, .. } => debug.field(body),
            Version::Http2(body) => debug.field(body),
        };
        debug.finish()
    }
}
