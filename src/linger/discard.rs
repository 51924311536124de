//! Discards what a client sends after the shutdown, within bounds.

use std::{
    future::Future,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    runtime::Handle,
    time::{sleep_until, Instant, Sleep},
};

use super::{Linger, Permit};

/// Bytes discarded at a time, on the stack.
const BUFFER: usize = 16 * 1024;

/// Reads in one poll, after which other tasks get their turn.
const READS: usize = 32;

/// The state of one client whose bytes are discarded.
pub(super) struct Discard {
    /// When lingering ends in any case. `None` is never, here and in the next.
    end: Option<Instant>,
    /// When the client has been silent for too long.
    patience: Option<Instant>,
    bytes: u64,
    /// From the first byte on.
    permit: Option<Permit>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Discard {
    pub(super) fn begin(bounds: &Linger, last_write: Option<Instant>) -> Self {
        let now = Instant::now();
        let first_byte = bounds.first_byte_on(true);
        Self {
            end: now.checked_add(bounds.total),
            patience: match last_write {
                Some(written) => written.checked_add(first_byte),
                None => Some(now),
            },
            bytes: 0,
            permit: None,
            timer: None,
        }
    }

    /// Ready when the client has closed, or a bound is reached.
    pub(super) fn poll<Io: AsyncRead>(
        &mut self,
        mut io: Pin<&mut Io>,
        bounds: &Linger,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        for _ in 0..READS {
            let mut read = ReadBuf::uninit(&mut buffer);
            let Poll::Ready(result) = io.as_mut().poll_read(cx, &mut read) else {
                return self.poll_silence(cx);
            };
            let len = read.filled().len();
            if result.is_err() || len == 0 || !self.goes_on(len, bounds) {
                return Poll::Ready(());
            }
        }
        // One that is always ready would otherwise keep the thread to itself.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Counts what has arrived. `false` if that reaches a bound.
    fn goes_on(&mut self, len: usize, bounds: &Linger) -> bool {
        let now = Instant::now();
        self.bytes += len as u64;
        self.patience = now.checked_add(bounds.idle);
        if self.bytes > bounds.max_bytes || self.end.is_some_and(|end| end <= now) {
            return false;
        }
        self.permit = self.permit.take().or_else(|| Permit::take(bounds));
        self.permit.is_some()
    }

    /// Ready when a bound of time is reached.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(until) = self.end.into_iter().chain(self.patience).min() else {
            return Poll::Pending;
        };
        if until <= Instant::now() || Handle::try_current().is_err() {
            return Poll::Ready(());
        }
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.deadline() != until {
            timer.as_mut().reset(until);
        }
        timer.as_mut().poll(cx)
    }
}
