//! In place of `deadline` without the feature `tokio`: there is no clock.

use std::{
    task::{Context, Poll},
    time::Duration,
};

pub(crate) struct Deadline;

impl Deadline {
    pub(crate) fn after(_: Option<Duration>) -> Self {
        Self
    }

    pub(crate) fn soon() -> Option<Self> {
        None
    }

    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        reason = "as with a clock"
    )]
    pub(crate) fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}
