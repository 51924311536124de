//! How long the head of an HTTP/1 request is waited for.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::rt;
use tokio::time::{sleep, Sleep};

use super::activity::Activity;

/// hyper's clock for the head of a request, which begins with the first byte of that head.
///
/// By itself hyper counts from the end of the last response (1.12.0, src/proto/h1/conn.rs:224), so that
/// a connection could not be idle for longer than a head may take.
#[derive(Clone)]
pub(super) struct HeadTimer(pub(super) Activity);

impl rt::Timer for HeadTimer {
    fn sleep(&self, timeout: Duration) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(HeadSleep {
            activity: self.0.clone(),
            timeout,
            running: None,
        })
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn rt::Sleep>> {
        self.sleep(deadline.saturating_duration_since(std::time::Instant::now()))
    }
}

struct HeadSleep {
    activity: Activity,
    timeout: Duration,
    running: Option<Pin<Box<Sleep>>>,
}

impl rt::Sleep for HeadSleep {}

impl Future for HeadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // hyper polls again whenever bytes arrive.
        if !self.activity.has_begun_head() {
            return Poll::Pending;
        }
        let timeout = self.timeout;
        let running = self.running.get_or_insert_with(|| Box::pin(sleep(timeout)));
        running.as_mut().poll(cx)
    }
}
