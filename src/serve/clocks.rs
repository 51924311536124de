//! How long an HTTP/1 client is waited for.

use std::{
    task::{ready, Context, Poll},
    time::Duration,
};

use tokio::time::Instant;

use super::{activity::Activity, settings::Settings};
use crate::deadline::{later, Watchdog};

/// What a client did not do in time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Overdue {
    /// It has not sent the rest of a head.
    Head,
    /// It has not sent a request.
    Idle,
}

/// The clocks of one connection.
///
/// hyper has one for the head of a request, but that begins with the end of the last response (1.12.0,
/// src/proto/h1/conn.rs:224), so that it limits idle connections, too, and it makes each request cost one
/// turn more (line 1156).
pub(super) struct Clocks {
    head: Option<Duration>,
    idle: Option<Duration>,
    /// How many requests and reads there were.
    seen: (usize, usize),
    head_since: Option<Instant>,
    idle_since: Option<Instant>,
    watchdog: Option<Watchdog>,
}

impl Clocks {
    pub(super) fn new(settings: &Settings) -> Self {
        let limits = [settings.header_read_timeout, settings.idle_timeout];
        Self {
            head: settings.header_read_timeout,
            idle: settings.idle_timeout,
            seen: (0, 0),
            head_since: None,
            idle_since: None,
            watchdog: limits.into_iter().flatten().min().map(Watchdog::new),
        }
    }

    /// Idle connections are being closed already.
    pub(super) fn close(&mut self) {
        self.idle = None;
    }

    /// To be polled after the connection.
    pub(super) fn poll(&mut self, activity: &Activity, cx: &mut Context<'_>) -> Poll<Overdue> {
        let Some(watchdog) = &mut self.watchdog else {
            return Poll::Pending;
        };
        let seen = (activity.requests(), activity.reads());
        if seen != self.seen {
            // A request may have come and gone in one turn.
            self.idle_since = None;
            if seen.0 != self.seen.0 {
                self.head_since = None;
            }
            self.seen = seen;
        }
        let begun = activity.has_begun_head();
        let is_idle = !begun && !activity.is_responding() && !activity.is_writing();
        keep(&mut self.head_since, begun);
        keep(&mut self.idle_since, is_idle);
        let (since, limit, overdue) = match begun {
            true => (self.head_since, self.head, Overdue::Head),
            false => (self.idle_since, self.idle, Overdue::Idle),
        };
        let deadline = || Some(later(since?, limit?));
        ready!(watchdog.poll(deadline, cx));
        Poll::Ready(overdue)
    }
}

/// Notes when it began.
fn keep(since: &mut Option<Instant>, goes_on: bool) {
    match since {
        _ if !goes_on => *since = None,
        None => *since = Some(Instant::now()),
        Some(_) => {}
    }
}
