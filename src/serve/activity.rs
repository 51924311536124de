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
#[derive(Clone, Default)]
pub(super) struct Activity(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// The number of the last request.
    request: AtomicUsize,
    /// Its response has not been handed over whole yet.
    responding: AtomicBool,
    /// Its body has not been taken to its end yet.
    receiving: AtomicBool,
    /// A part of the next head has arrived.
    head_begun: AtomicBool,
    /// How often bytes have arrived.
    reads: AtomicUsize,
    /// Bytes wait for the client to take them.
    writing: AtomicBool,
    /// The connection belongs to the application.
    upgraded: AtomicBool,
}

impl Activity {
    /// Bytes have arrived.
    pub(super) fn received(&self) {
        self.0.reads.fetch_add(1, Ordering::Relaxed);
        if !self.is_responding() && !self.is_receiving() {
            self.0.head_begun.store(true, Ordering::Relaxed);
        }
    }

    /// A write is over, or waits.
    pub(super) fn wrote(&self, waits: bool) {
        self.0.writing.store(waits, Ordering::Relaxed);
    }

    /// The response to a request that has arrived.
    pub(super) fn respond(&self) -> Part {
        self.0.head_begun.store(false, Ordering::Relaxed);
        self.0.request.fetch_add(1, Ordering::Relaxed);
        self.0.receiving.store(false, Ordering::Relaxed);
        self.part(false)
    }

    /// The body of that request.
    pub(super) fn receive(&self) -> Part {
        self.part(true)
    }

    fn part(&self, is_request_body: bool) -> Part {
        let part = Part {
            activity: self.clone(),
            request: self.requests(),
            is_request_body,
        };
        part.flag().store(true, Ordering::Relaxed);
        part
    }

    /// Neither the server nor a limit of it has a say any more.
    pub(super) fn upgrade(&self) {
        self.0.upgraded.store(true, Ordering::Relaxed);
    }

    pub(super) fn requests(&self) -> usize {
        self.0.request.load(Ordering::Relaxed)
    }

    pub(super) fn reads(&self) -> usize {
        self.0.reads.load(Ordering::Relaxed)
    }

    pub(super) fn is_responding(&self) -> bool {
        self.0.responding.load(Ordering::Relaxed)
    }

    pub(super) fn is_receiving(&self) -> bool {
        self.0.receiving.load(Ordering::Relaxed)
    }

    pub(super) fn is_writing(&self) -> bool {
        self.0.writing.load(Ordering::Relaxed)
    }

    pub(super) fn has_begun_head(&self) -> bool {
        self.0.head_begun.load(Ordering::Relaxed)
    }

    pub(super) fn is_upgraded(&self) -> bool {
        self.0.upgraded.load(Ordering::Relaxed)
    }
}

/// A part of a request that is under way until this is dropped.
pub(super) struct Part {
    activity: Activity,
    request: usize,
    is_request_body: bool,
}

impl Part {
    fn flag(&self) -> &AtomicBool {
        match self.is_request_body {
            true => &self.activity.0.receiving,
            false => &self.activity.0.responding,
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // The application may keep a body beyond its request.
        if self.request == self.activity.requests() {
            self.flag().store(false, Ordering::Relaxed);
        }
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
