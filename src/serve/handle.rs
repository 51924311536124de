//! A handle that shuts servers down and counts their connections.

use std::{
    fmt,
    future::{poll_fn, Future},
    pin::pin,
    sync::{
        atomic::{AtomicU8, AtomicUsize, Ordering},
        Arc,
    },
    task::Poll,
};

use tokio::sync::{watch, Notify};

/// How far a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Serving,
    /// Nothing is accepted any more; connections finish what they have begun.
    Closing,
    /// Connections are closed at once.
    Aborting,
}

/// A handle to a server, or to several: returned by [`Serve::handle`](super::Serve::handle), or given to
/// them by [`Serve::with_handle`](super::Serve::with_handle).
///
/// Clones refer to the same servers. Dropping a handle does nothing.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

struct Shared {
    /// Each connection holds a receiver for as long as it is open.
    phase: watch::Sender<Phase>,
    /// The same phase, to look at without a lock. Set before the receivers are told.
    reached: AtomicU8,
    connections: AtomicUsize,
    /// For the accept loops.
    closing: Notify,
}

impl Handle {
    /// Creates a handle for servers that are shut down together.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            phase: watch::Sender::new(Phase::Serving),
            reached: AtomicU8::new(Phase::Serving as u8),
            connections: AtomicUsize::new(0),
            closing: Notify::new(),
        }))
    }

    /// Starts a graceful shutdown, as the signal of
    /// [`with_graceful_shutdown`](super::Serve::with_graceful_shutdown) does.
    ///
    /// It returns at once; the server's future is ready when the shutdown is complete. A server that does
    /// not run yet ends as soon as it is awaited.
    pub fn shutdown(&self) {
        self.enter(Phase::Closing);
    }

    /// Shuts the server down at once: responses that are being sent are cut off.
    ///
    /// It may follow [`shutdown`](Self::shutdown), for example at a second Ctrl-C.
    pub fn abort(&self) {
        self.enter(Phase::Aborting);
    }

    /// Returns the number of open connections, including those in a handshake.
    ///
    /// An upgraded connection, such as that of a WebSocket, does not count.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.connections.load(Ordering::Relaxed)
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.0.reached.fetch_max(phase as u8, Ordering::SeqCst);
        self.0.phase.send_if_modified(|now| {
            let is_later = *now < phase;
            *now = phase.max(*now);
            is_later
        });
        self.0.closing.notify_waiters();
    }

    /// Waits until the shutdown begins.
    pub(super) async fn closing(&self) {
        let mut notified = pin!(self.0.closing.notified());
        // From here on, and so before the look at the phase, it is woken.
        notified.as_mut().enable();
        if *self.0.phase.borrow() < Phase::Closing {
            notified.await;
        }
    }

    /// Waits until no connection is open.
    pub(super) async fn emptied(&self) {
        self.0.phase.closed().await;
    }

    pub(super) fn connect(&self) -> Membership {
        self.0.connections.fetch_add(1, Ordering::Relaxed);
        Membership {
            phase: self.0.phase.subscribe(),
            server: self.clone(),
        }
    }
}

/// Stands for a connection for as long as it is held.
pub(super) struct Membership {
    phase: watch::Receiver<Phase>,
    server: Handle,
}

impl Membership {
    /// Waits until the server is in that phase. To be polled by one task only.
    ///
    /// A connection polls it in each of its turns: all but the first look at the phase alone, rather than at
    /// the lock by which a task is registered to be woken.
    pub(super) fn reached(&self, phase: Phase) -> impl Future<Output = ()> + Send {
        let mut phases = self.phase.clone();
        let seen = Arc::clone(&self.server.0);
        let mut looked_at = None;
        async move {
            let mut changed = pin!(phases.wait_for(|now| *now >= phase));
            poll_fn(|cx| {
                if looked_at == Some(seen.reached.load(Ordering::SeqCst)) {
                    return Poll::Pending;
                }
                // Before the poll, so that a change that comes between the two is looked at again.
                looked_at = Some(*seen.phase.borrow() as u8);
                // An error would mean that the server's handles are gone, of which this is one.
                changed.as_mut().poll(cx).map(drop)
            })
            .await;
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.server.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Handle {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}
