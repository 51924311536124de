//! How long a client is waited for.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Instant;

use super::{builder::Config, frames::Owed};
use crate::deadline::Patience;

/// What a client did not do in time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Overdue {
    Handshake,
    Frame,
    /// It has not sent a request.
    Idle,
}

pub(super) struct Patiences {
    handshake: Option<Patience>,
    frame: Option<Patience>,
    idle: Option<Patience>,
}

/// A client that knows that the connection is being closed must say so within this time (Go's
/// `net/http` waits for one second).
const CLOSING: Duration = Duration::from_secs(1);

impl Patiences {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            handshake: config.handshake_timeout.map(Patience::new),
            frame: config.header_read_timeout.map(Patience::new),
            idle: config.idle_timeout.map(Patience::new),
        }
    }

    /// Without a stream, the connection is not waited for any more.
    pub(super) fn close(&mut self) {
        self.idle = Some(Patience::new(CLOSING));
    }

    /// `idle_since` is `None` while there is a stream.
    pub(super) fn poll(
        &mut self,
        owed: &Owed,
        idle_since: Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Poll<Overdue> {
        let (patience, overdue) = match owed.is_settled() {
            true => {
                self.handshake = None;
                (&mut self.frame, Overdue::Frame)
            }
            false => (&mut self.handshake, Overdue::Handshake),
        };
        if is_over(patience, || owed.since(), cx) {
            return Poll::Ready(overdue);
        }
        if is_over(&mut self.idle, || idle_since, cx) {
            return Poll::Ready(Overdue::Idle);
        }
        Poll::Pending
    }
}

fn is_over(
    patience: &mut Option<Patience>,
    since: impl Fn() -> Option<Instant>,
    cx: &mut Context<'_>,
) -> bool {
    let patience = patience.as_mut();
    patience.is_some_and(|patience| patience.poll(since, cx).is_ready())
}
