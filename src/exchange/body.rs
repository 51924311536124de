//! The request body, on its way in.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Full, LengthLimitError, Limited};

use super::{
    state::{End, Exchange},
    terms::Asked,
};

/// Request body that the inner service receives.
///
/// Forwards frames, trailers, `size_hint` and `is_end_stream` of the wrapped body unchanged. The first poll of
/// an expecting request's body sends the 100: hyper does so by itself on HTTP/1.1; elsewhere the
/// [`ContinueSignal`](crate::ContinueSignal) is fired.
///
/// If it is dropped before its end, the unread remainder goes back to the layer, which drains it so that the
/// client receives the response. The wrapped body must therefore be `Unpin`, as those of hyper, axum and
/// tonic are. Wrap others in `Box::pin`.
///
/// # Errors
///
/// The errors of the wrapped body, boxed. Beyond the limit in bytes that this layer's or an outer layer's
/// validator has set, the error is [`http_body_util::LengthLimitError`]: axum's extractors turn it into a 413,
/// and it is the source of the `axum::Error` that handlers get.
///
/// # Cancel safety
///
/// No data is lost if a pending poll is not repeated.
pub struct ExpectBody<B> {
    /// `None` only when dropped.
    body: Option<B>,
    /// `None` if nobody cares how far the body is read.
    exchange: Option<Arc<Exchange<B>>>,
    /// How many bytes may still come, if that is limited.
    allowed: Option<u64>,
    asked: Asked,
    end: End,
}

impl<B> ExpectBody<B> {
    #[inline]
    pub(crate) fn new(body: B, exchange: Option<Arc<Exchange<B>>>, limit: Option<u64>) -> Self {
        Self {
            body: Some(body),
            exchange,
            allowed: limit,
            asked: Asked::Never,
            end: End::NotYet,
        }
    }
}

impl<B: Body> ExpectBody<B> {
    /// Notes that the client was asked. After the poll: before it, a turn could pass before hyper wants the
    /// body.
    #[inline]
    fn note(&mut self, asked: Asked) {
        if asked > self.asked {
            self.asked = asked;
            if let Some(exchange) = &self.exchange {
                exchange.note(asked);
            }
        }
    }

    /// Counts what has come against the limit.
    #[inline]
    fn count(
        &mut self,
        frame: Frame<B::Data>,
        cx: &mut Context<'_>,
    ) -> Result<Frame<B::Data>, Box<dyn Error + Send + Sync>> {
        if let Some(allowed) = &mut self.allowed {
            let len = frame.data_ref().map_or(0, |data| data.remaining() as u64);
            let rest = allowed.checked_sub(len);
            *allowed = rest.unwrap_or(0);
            if rest.is_none() {
                return Err(length_limit_error(cx));
            }
        }
        Ok(frame)
    }
}

impl<B> Body for ExpectBody<B>
where
    B: Body + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = B::Data;
    type Error = Box<dyn Error + Send + Sync>;

    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, Self::Error>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else {
            return Poll::Ready(None);
        };
        if let (Some(exchange), Asked::Never) = (&this.exchange, this.asked) {
            exchange.begin_asking();
        }
        match Pin::new(&mut *body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                if body.is_end_stream() {
                    this.end = End::Reached;
                }
                this.note(Asked::Invited);
                Poll::Ready(Some(this.count(frame, cx)))
            }
            Poll::Ready(None) => {
                this.end = End::Reached;
                this.note(Asked::Invited);
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                this.end = End::Reached;
                // Does not prove that the client was invited.
                this.note(Asked::Polled);
                if let Some(exchange) = &this.exchange {
                    exchange.note_broken();
                }
                Poll::Ready(Some(Err(unwrapped(error.into(), cx))))
            }
            Poll::Pending => {
                this.note(Asked::Polled);
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let Some(body) = &self.body else {
            return SizeHint::with_exact(0);
        };
        let mut hint = body.size_hint();
        if let Some(allowed) = self.allowed {
            if hint.lower() >= allowed {
                hint = SizeHint::with_exact(allowed);
            } else if hint.upper().is_none_or(|upper| upper > allowed) {
                hint.set_upper(allowed);
            }
        }
        hint
    }
}

/// An error of the limit of an outer layer as if it were this one's: axum's body wraps it at each
/// layer, and its extractors look for it at fixed depths only (axum-core 0.5.6,
/// src/extract/rejection.rs:25).
#[cold]
fn unwrapped(
    error: Box<dyn Error + Send + Sync>,
    cx: &mut Context<'_>,
) -> Box<dyn Error + Send + Sync> {
    let mut source: Option<&(dyn Error + 'static)> = Some(&*error);
    while let Some(cause) = source {
        if cause.is::<LengthLimitError>() {
            return length_limit_error(cx);
        }
        source = cause.source();
    }
    error
}

/// Only `Limited` can make one.
#[cold]
fn length_limit_error(cx: &mut Context<'_>) -> Box<dyn Error + Send + Sync> {
    let mut limited = Limited::new(Full::new(Bytes::from_static(b"1")), 0);
    match Pin::new(&mut limited).poll_frame(cx) {
        Poll::Ready(Some(Err(error))) => error,
        _ => "length limit exceeded".into(),
    }
}

impl<B> Drop for ExpectBody<B> {
    #[inline]
    fn drop(&mut self) {
        if let Some(exchange) = self.exchange.take() {
            give_back(&exchange, self.body.take(), self.end);
        }
    }
}

/// Apart from `drop`, so that this can be inlined where there is nothing to do.
#[inline(never)]
fn give_back<B>(exchange: &Exchange<B>, body: Option<B>, end: End) {
    if let Some(body) = body {
        exchange.give_back(body, end);
    }
}

impl<B> fmt::Debug for ExpectBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpectBody")
            .field("asked", &self.asked)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
