//! When something must have happened: the decision of an asynchronous validator, above all.

use std::{
    future::Future,
    panic::catch_unwind,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    time::{sleep, Sleep},
};

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
