//! The body of a request.

use std::{
    fmt,
    pin::Pin,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    task::{ready, Context, Poll},
};

use bytes::Bytes;
use h2::RecvStream;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::Error;
use crate::head::content_length;

/// Body of a request over HTTP/2.
///
/// The client may send as much as fits the stream's window
/// ([`initial_stream_window_size`](super::Builder::initial_stream_window_size)); each frame that is
/// read from the body allows it to send as much again. An unread body stops its client, but no other
/// stream, as long as the connection's window is larger.
///
/// # Errors
///
/// An error means that the body is incomplete: the client has reset the stream, has violated its
/// `Content-Length`, or the connection has ended. After an error the body is at its end. hyper treats a
/// stream that was reset with `CANCEL` as ended; this type does not.
///
/// # Cancel safety
///
/// No data is lost if a pending poll is not repeated. Dropping the body gives the window of its unread part
/// back to the connection. RST_STREAM with `NO_ERROR` then tells the client to stop sending (RFC 9113 §8.1),
/// once the response is complete.
pub struct RequestBody {
    stream: RecvStream,
    /// The remainder of the `Content-Length`, which h2 enforces.
    remaining: Option<u64>,
    reading: Reading,
    faults: Faults,
}

#[derive(Clone, Copy, Debug)]
enum Reading {
    Data,
    Trailers,
    Ended,
}

impl RequestBody {
    pub(super) fn new(stream: RecvStream, headers: &HeaderMap, faults: Faults) -> Self {
        let remaining = content_length(headers).ok().flatten();
        Self {
            stream,
            remaining,
            reading: Reading::Data,
            faults,
        }
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            let data = match ready!(self.stream.poll_data(cx)) {
                Some(Ok(data)) => data,
                Some(Err(error)) => return Poll::Ready(Some(Err(self.fail(error)))),
                None => return Poll::Ready(None),
            };
            // Bodies often end with an empty frame.
            if data.is_empty() {
                continue;
            }
            // Cannot fail: it is what has just been received.
            let _ = self.stream.flow_control().release_capacity(data.len());
            if let Some(remaining) = &mut self.remaining {
                *remaining = remaining.saturating_sub(data.len() as u64);
            }
            return Poll::Ready(Some(Ok(data)));
        }
    }

    fn fail(&mut self, error: h2::Error) -> Error {
        self.reading = Reading::Ended;
        if error.is_reset() && error.is_library() {
            self.faults.add();
        }
        Error::of_h2(error)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Reading::Data = self.reading {
            match ready!(self.poll_data(cx)) {
                Some(data) => return Poll::Ready(Some(data.map(Frame::data))),
                None => self.reading = Reading::Trailers,
            }
        }
        if let Reading::Ended = self.reading {
            return Poll::Ready(None);
        }
        let trailers = ready!(self.stream.poll_trailers(cx));
        self.reading = Reading::Ended;
        Poll::Ready(match trailers {
            Ok(trailers) => trailers.map(|trailers| Ok(Frame::trailers(trailers))),
            Err(error) => Some(Err(self.fail(error))),
        })
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.reading, Reading::Ended) || self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.remaining {
            _ if self.is_end_stream() => SizeHint::with_exact(0),
            Some(remaining) => SizeHint::with_exact(remaining),
            None => SizeHint::default(),
        }
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody")
            .field("remaining", &self.remaining)
            .field("reading", &self.reading)
            .finish_non_exhaustive()
    }
}

/// The number of streams of a connection that h2 has reset because of client errors, as far as their
/// bodies have seen it.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Arc<AtomicUsize>);

impl Faults {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
