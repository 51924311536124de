//! Limits how many streams of one HTTP/2 connection are open only to be drained.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

/// The room that the drained bodies of one connection have. The connection puts it into the extensions of
/// its requests.
///
/// A stream that is only drained counts as one of those that a client may open. Where many clients share a
/// connection, as behind a proxy, a client that sends slowly could otherwise block all others.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    size: usize,
    seats: Mutex<VecDeque<Arc<Mutex<Held>>>>,
}

#[derive(Debug)]
enum Held {
    Taken(Option<Waker>),
    Lost,
}

impl Room {
    #[cfg(feature = "http2")]
    pub(crate) fn new(size: usize) -> Self {
        Self(Arc::new(Inner {
            size: size.max(1),
            seats: Mutex::default(),
        }))
    }

    /// Takes a seat. Where there is none, the one who has sat for the longest loses theirs.
    pub(super) fn enter(self) -> Seat {
        let held = Arc::new(Mutex::new(Held::Taken(None)));
        let mut seats = lock(&self.0.seats);
        let loser = (seats.len() >= self.0.size).then(|| seats.pop_front());
        seats.push_back(Arc::clone(&held));
        drop(seats);
        if let Some(loser) = loser.flatten() {
            let former = std::mem::replace(&mut *lock(&loser), Held::Lost);
            if let Held::Taken(Some(waker)) = former {
                waker.wake();
            }
        }
        Seat { held, room: self }
    }
}

/// A seat in a [`Room`], until it is dropped or lost.
pub(super) struct Seat {
    held: Arc<Mutex<Held>>,
    room: Room,
}

impl Seat {
    /// Ready when the seat is lost.
    pub(super) fn poll_lost(&self, cx: &Context<'_>) -> Poll<()> {
        let mut held = lock(&self.held);
        match &mut *held {
            Held::Lost => Poll::Ready(()),
            Held::Taken(Some(waker)) if waker.will_wake(cx.waker()) => Poll::Pending,
            Held::Taken(waker) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.room.0.seats).retain(|held| !Arc::ptr_eq(held, &self.held));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
