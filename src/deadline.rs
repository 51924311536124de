//! When something must have happened: the decision of an asynchronous validator, above all.

use std::{
    future::Future,
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

    /// In ten milliseconds. `None` where there is no clock.
    pub(crate) fn soon() -> Option<Self> {
        let clock = Handle::try_current().is_ok();
        clock.then(|| Self::after(Some(Duration::from_millis(10))))
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Some(clock) => clock.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}
