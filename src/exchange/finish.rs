//! Takes what is left of a body, if all of it has arrived.

use std::{
    panic::{catch_unwind, AssertUnwindSafe},
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll, Wake, Waker},
    thread,
};

use http_body::Body;

/// `Waker::noop` is of Rust 1.85.
static NOBODY: LazyLock<Waker> = LazyLock::new(|| Waker::from(Arc::new(Nobody)));

struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

/// Whether the body has come to its end. It is not waited for.
///
/// The application may have dropped it on a thread without a runtime, where the poll of a body that sets a
/// timer panics, or in a panic, during which another would abort the process.
pub(super) fn finish<B: Body + Unpin>(body: &mut B) -> bool {
    !thread::panicking() && catch_unwind(AssertUnwindSafe(|| ends(body))).unwrap_or(false)
}

fn ends<B: Body + Unpin>(body: &mut B) -> bool {
    let mut cx = Context::from_waker(&NOBODY);
    // So many frames of a short body do not come at once.
    for _ in 0..32 {
        match Pin::new(&mut *body).poll_frame(&mut cx) {
            Poll::Ready(None) => return true,
            Poll::Ready(Some(Ok(_))) if body.is_end_stream() => return true,
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(_))) | Poll::Pending => return false,
        }
    }
    false
}
