//! The handle by which the layer has the server send a `100 Continue`.

use std::{
    fmt,
    sync::{Arc, PoisonError},
};

use crate::sync::{Mutex, MutexGuard};

/// Sends the `100 Continue` of one request, at most once.
///
/// A server that can send interim responses puts one into the extensions of each expecting request.
/// [`ExpectBody`](crate::ExpectBody) fires it when the body is first polled. On HTTP/1.1, hyper
/// sends the 100 by itself and needs none.
///
/// Clones share this one use. The signal stays in the extensions, so that nested layers see it.
///
/// # For servers
///
/// A 100 must not follow the final response (RFC 9110 §15.2). [`close`](Self::close) the signal
/// before you send the head of the final response: when it has returned, the closure has either run
/// to its end or never will. [`Expect`](crate::Expect) also closes it as soon as the inner
/// service has responded.
///
/// The closure runs under a lock, on the task that polls the body. It must be quick and must not use
/// the signal. If sending is asynchronous, let the closure put a message into a channel of the task that
/// owns the stream, and let that task empty the channel after `close`.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::sync::Arc;
/// use tower_expect::ContinueSignal;
///
/// let sent = Arc::new(AtomicUsize::new(0));
/// let counter = Arc::clone(&sent);
/// let signal = ContinueSignal::new(move || {
///     counter.fetch_add(1, Ordering::Relaxed);
/// });
///
/// let clone = signal.clone();
/// assert!(signal.fire());
/// assert!(!clone.fire());
/// assert_eq!(sent.load(Ordering::Relaxed), 1);
/// ```
#[derive(Clone)]
pub struct ContinueSignal(Arc<Mutex<State>>);

enum State {
    Ready(Box<dyn FnOnce() + Send>),
    Fired,
    Closed,
}

impl ContinueSignal {
    /// Creates a signal that calls `send` when it is fired.
    pub fn new(send: impl FnOnce() + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(State::Ready(Box::new(send)))))
    }

    /// Sends the 100, unless it was sent before or the signal is closed. Returns whether it did.
    ///
    /// # Panics
    ///
    /// If the closure panics. The signal then counts as fired.
    #[allow(
        clippy::must_use_candidate,
        reason = "firing is what it is for; the result is rarely needed"
    )]
    pub fn fire(&self) -> bool {
        let mut state = self.lock();
        match std::mem::replace(&mut *state, State::Fired) {
            State::Ready(send) => {
                send();
                true
            }
            State::Fired => false,
            State::Closed => {
                *state = State::Closed;
                false
            }
        }
    }

    /// Closes the signal: every later [`fire`](Self::fire) does nothing.
    ///
    /// Blocks until a concurrent `fire` has returned. Drops the closure if it has not run.
    pub fn close(&self) {
        let mut state = self.lock();
        if let State::Ready(_) = *state {
            let unused = std::mem::replace(&mut *state, State::Closed);
            // Outside the lock: the closure's captures may run code of their own when dropped.
            drop(state);
            drop(unused);
        }
    }

    /// Returns whether the 100 was sent.
    #[must_use]
    pub fn has_fired(&self) -> bool {
        matches!(*self.lock(), State::Fired)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the signal when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct CloseOnDrop(pub(crate) Option<ContinueSignal>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        if let Some(signal) = &self.0 {
            signal.close();
        }
    }
}

impl fmt::Debug for ContinueSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `try_lock`: a closure that prints its own signal would wait for itself.
        let state = match self.0.try_lock().as_deref() {
            Ok(State::Ready(_)) => "ready",
            Ok(State::Fired) => "fired",
            Ok(State::Closed) => "closed",
            Err(_) => "busy",
        };
        f.debug_tuple("ContinueSignal").field(&state).finish()
    }
}
