//! When something must have happened: the decision of an asynchronous validator, above all.

#[cfg(feature = "http2")]
use std::task::ready;
use std::{
    future::Future,
    panic::catch_unwind,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

#[cfg(feature = "http2")]
use tokio::time::sleep_until;
use tokio::{
    runtime::Handle,
    time::{sleep, Instant, Sleep},
};

/// The time so long from now; one that is too far away to be told is in thirty years.
pub(crate) fn after(duration: Duration) -> Instant {
    later(Instant::now(), duration)
}

pub(crate) fn later(since: Instant, duration: Duration) -> Instant {
    since
        .checked_add(duration)
        .unwrap_or_else(|| since + Duration::from_secs(30 * 365 * 24 * 60 * 60))
}

/// Never, without a timeout.
pub(crate) struct Deadline(Option<Pin<Box<Sleep>>>);

impl Deadline {
    pub(crate) fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.map(|timeout| Box::pin(sleep(timeout))))
    }

    /// In ten milliseconds. `None` where there is no clock, which tokio tells by a panic only.
    pub(crate) fn soon() -> Option<Self> {
        Handle::try_current().ok()?;
        catch_unwind(|| Self::after(Some(Duration::from_millis(10)))).ok()
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Some(clock) => clock.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

/// Watches a deadline that comes, moves and goes often. Its clock is not set anew each time: it looks when it
/// rings, at the latest after each `period`.
#[cfg(feature = "http2")]
pub(crate) struct Watchdog {
    period: Duration,
    clock: Pin<Box<Sleep>>,
}

#[cfg(feature = "http2")]
impl Watchdog {
    /// `period` is the shortest time in which something that begins now can be overdue.
    pub(crate) fn new(period: Duration) -> Self {
        Self {
            period,
            clock: Box::pin(sleep_until(after(period))),
        }
    }

    /// Ready when the deadline is over. It is `None` while nothing is waited for.
    pub(crate) fn poll(
        &mut self,
        deadline: impl Fn() -> Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            ready!(self.clock.as_mut().poll(cx));
            let (now, latest) = (Instant::now(), after(self.period));
            let next = deadline().map_or(latest, |deadline| deadline.min(latest));
            if next <= now {
                return Poll::Ready(());
            }
            self.clock.as_mut().reset(next);
        }
    }
}
