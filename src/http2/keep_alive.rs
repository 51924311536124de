//! Whether the client is still there.

use std::{
    future::Future,
    pin::Pin,
    task::{ready, Context, Poll},
    time::Duration,
};

use h2::{Ping, PingPong};
use tokio::time::{sleep, Sleep};

use crate::deadline::after;

/// Pings a client in intervals, whether or not it sends something else.
pub(super) struct KeepAlive {
    ping_pong: PingPong,
    interval: Duration,
    timeout: Duration,
    clock: Pin<Box<Sleep>>,
    /// Whether the clock is that of the pong, not that of the next ping.
    waiting: bool,
}

impl KeepAlive {
    pub(super) fn new(ping_pong: PingPong, interval: Duration, timeout: Duration) -> Self {
        Self {
            ping_pong,
            interval,
            timeout,
            clock: Box::pin(sleep(interval)),
            waiting: false,
        }
    }

    /// Ready when no pong came in time.
    pub(super) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.waiting {
                match self.ping_pong.poll_pong(cx) {
                    Poll::Ready(Ok(_)) => self.wait_for(false),
                    // The connection has failed; it says so itself.
                    Poll::Ready(Err(_)) => return Poll::Pending,
                    Poll::Pending => return self.clock.as_mut().poll(cx),
                }
            } else {
                ready!(self.clock.as_mut().poll(cx));
                if self.ping_pong.send_ping(Ping::opaque()).is_err() {
                    return Poll::Pending;
                }
                self.wait_for(true);
            }
        }
    }

    fn wait_for(&mut self, pong: bool) {
        self.waiting = pong;
        let duration = if pong { self.timeout } else { self.interval };
        self.clock.as_mut().reset(after(duration));
    }
}
