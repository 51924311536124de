//! How long a client is waited for.

use std::{
    task::{ready, Context, Poll},
    time::Duration,
};

use tokio::time::Instant;

use super::{builder::Config, frames::Owed};
use crate::deadline::{later, Watchdog};

/// What a client did not do in time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Overdue {
    Handshake,
    Frame,
    /// It has not sent a request.
    Idle,
}

pub(super) struct Patience {
    handshake: Option<Duration>,
    frame: Option<Duration>,
    idle: Option<Duration>,
    watchdog: Option<Watchdog>,
}

/// A client that knows that the connection is being closed must say so within this time (Go's
/// `net/http` waits for one second).
const CLOSING: Duration = Duration::from_secs(1);

impl Patience {
    /// Of a connection that is `closing`, which is not waited for without a stream, or of any other.
    pub(super) fn new(config: &Config, closing: bool) -> Self {
        let idle = match closing {
            true => Some(CLOSING),
            false => config.idle_timeout,
        };
        let (handshake, frame) = (config.handshake_timeout, config.header_read_timeout);
        let limits = [handshake, frame, idle];
        Self {
            handshake,
            frame,
            idle,
            watchdog: limits.into_iter().flatten().min().map(Watchdog::new),
        }
    }

    /// `idle_since` is `None` while there is a stream.
    pub(super) fn poll(
        &mut self,
        owed: &Owed,
        idle_since: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Poll<Overdue> {
        let Some(watchdog) = &mut self.watchdog else {
            return Poll::Pending;
        };
        let (limit, overdue) = match owed.is_settled() {
            true => (self.frame, Overdue::Frame),
            false => (self.handshake, Overdue::Handshake),
        };
        let owed = || owed.since().zip(limit).map(ends);
        let idle = || idle_since.zip(self.idle).map(ends);
        ready!(watchdog.poll(|| owed().into_iter().chain(idle()).min(), cx));
        match owed() {
            Some(end) if idle().is_none_or(|idle| end <= idle) => Poll::Ready(overdue),
            _ => Poll::Ready(Overdue::Idle),
        }
    }
}

fn ends((since, limit): (Instant, Duration)) -> Instant {
    later(since, limit)
}
