//! The response body, on its way out.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::{rare::Rare, unread::Guard};

pin_project! {
    /// The response body that the server gets: the inner service's, or the content of a rejection.
    ///
    /// Frames, trailers, size hint and end are exactly those. It also keeps what is unread of the
    /// request's body until the response has gone out.
    pub struct ResponseBody<B> {
        // `None` for a rejection.
        #[pin]
        inner: Option<B>,
        // After the content: its drop begins the reading, which must not overtake the response.
        rest: Rare<Rest>,
    }
}

/// What an inner body does not have.
struct Rest {
    rejection: Bytes,
    guard: Option<Guard>,
}

impl<B> ResponseBody<B> {
    #[inline]
    pub(crate) fn plain(body: B) -> Self {
        Self {
            inner: Some(body),
            rest: Rare::from(None),
        }
    }

    pub(crate) fn guarded(body: B, guard: Option<Guard>) -> Self {
        let rejection = Bytes::new();
        Self {
            inner: Some(body),
            rest: guard
                .map(|guard| Rest {
                    rejection,
                    guard: Some(guard),
                })
                .into(),
        }
    }

    pub(crate) fn rejected(rejection: Bytes, guard: Option<Guard>) -> Self {
        Self {
            inner: None,
            rest: Some(Rest { rejection, guard }).into(),
        }
    }

    fn rejection(&self) -> &[u8] {
        self.rest.as_ref().map_or(&[], |rest| &rest.rejection)
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.as_mut().project();
        let polled = match (this.inner.as_pin_mut(), this.rest.as_mut()) {
            (Some(body), None) => return body.poll_frame(cx),
            (Some(body), Some(_)) => body.poll_frame(cx),
            (None, rest) => {
                let content = rest.map(|rest| std::mem::take(&mut rest.rejection));
                let content = content.filter(|content| !content.is_empty());
                Poll::Ready(content.map(|content| Ok(Frame::data(content.into()))))
            }
        };
        // The head is out by now. At the end of the content the server drops this body, which lets
        // the guard go; until then the client may already need to be read from.
        let ended = matches!(polled, Poll::Ready(None)) || self.is_end_stream();
        if !ended {
            if let Some(rest) = self.project().rest.as_mut() {
                drop(rest.guard.take());
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Some(body) => body.is_end_stream(),
            None => self.rejection().is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(self.rejection().len() as u64),
        }
    }
}

/// For outer layers that answer by themselves, such as tower-http's timeout.
impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::plain(B::default())
    }
}

impl<B: fmt::Debug> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ResponseBody");
        match &self.inner {
            Some(body) => debug.field("inner", body),
            None => debug.field("rejection", &self.rejection().len()),
        };
        debug.finish_non_exhaustive()
    }
}
