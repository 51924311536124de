//! What an HTTP/1 connection is busy with.

use std::{
    pin::Pin,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc,
    },
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// Shared by the socket, the service and the clocks of one connection, all in one task but for bodies that
/// the application has taken elsewhere.
#[derive(Clone)]
pub(super) struct Activity(Arc<Shared>);

struct Shared {
    /// How many requests there have been.
    requests: AtomicUsize,
    /// The parts of a request that are under way: its body, its response.
    parts: AtomicUsize,
    /// The body of a request is not at its end yet.
    receiving: AtomicBool,
    /// A part of the next head has arrived.
    head_begun: AtomicBool,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared {
            requests: AtomicUsize::new(0),
            parts: AtomicUsize::new(0),
            receiving: AtomicBool::new(false),
            head_begun: AtomicBool::new(false),
        }))
    }

    /// Bytes have arrived.
    pub(super) fn received(&self) {
        if !self.is_busy() {
            self.0.head_begun.store(true, Ordering::Relaxed);
        }
    }

    /// A request has arrived.
    pub(super) fn begin(&self) -> Part {
        self.0.head_begun.store(false, Ordering::Relaxed);
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        self.part(false)
    }

    /// The request has a body.
    pub(super) fn receive(&self) -> Part {
        self.0.receiving.store(true, Ordering::Relaxed);
        self.part(true)
    }

    fn part(&self, is_request_body: bool) -> Part {
        self.0.parts.fetch_add(1, Ordering::Relaxed);
        Part {
            activity: self.clone(),
            is_request_body,
        }
    }

    pub(super) fn requests(&self) -> usize {
        self.0.requests.load(Ordering::Relaxed)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.0.parts.load(Ordering::Relaxed) > 0
    }

    /// Whether the request has arrived whole, and its response has not been sent yet.
    pub(super) fn is_responding(&self) -> bool {
        self.is_busy() && !self.0.receiving.load(Ordering::Relaxed)
    }

    pub(super) fn has_begun_head(&self) -> bool {
        self.0.head_begun.load(Ordering::Relaxed)
    }
}

/// A part of a request that is under way until this is dropped.
pub(super) struct Part {
    activity: Activity,
    is_request_body: bool,
}

impl Drop for Part {
    fn drop(&mut self) {
        let shared = &self.activity.0;
        if self.is_request_body {
            shared.receiving.store(false, Ordering::Relaxed);
        }
        shared.parts.fetch_sub(1, Ordering::Relaxed);
    }
}

pin_project! {
    /// A response body that is a part of its request.
    pub(super) struct Sending<B> {
        #[pin]
        body: B,
        part: Part,
    }
}

impl<B> Sending<B> {
    pub(super) fn new(body: B, part: Part) -> Self {
        Self { body, part }
    }
}

impl<B: Body> Body for Sending<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
