//! In place of `drain` without the feature `tokio`: there is no task and no clock, so bodies are dropped.

use std::{sync::Arc, time::Duration};

use super::room::Room;
use crate::{
    linger::Linger,
    observe::{LingerEnd, Watch},
};

#[allow(dead_code, reason = "as with a runtime")]
pub(super) struct Drain {
    pub(super) linger: Arc<Linger>,
    pub(super) waits: bool,
    pub(super) http1: bool,
    pub(super) permit: Option<Permit>,
    pub(super) runtime: Runtime,
    pub(super) watch: Option<Arc<Watch>>,
    pub(super) room: Option<Room>,
}

#[derive(Default)]
pub(super) struct Runtime(());

impl Runtime {
    pub(super) fn current() -> Self {
        Self(())
    }
}

pub(super) struct Permit;

impl Permit {
    pub(super) fn take(_: &Linger) -> Option<Self> {
        None
    }
}

pub(super) fn drain<B>(body: B, _: Drain) {
    drop(body);
}

pub(crate) struct Bounds;

impl Bounds {
    pub(super) fn of(_: &Linger, _: bool, _: bool) -> Self {
        Self
    }

    pub(super) fn before_response(_: &Linger, _: u64, _: Duration) -> Self {
        Self
    }
}

#[allow(clippy::unused_async, reason = "as with a clock")]
pub(super) async fn read_within<B>(
    _: &mut B,
    _: &Bounds,
    _: impl FnMut() -> bool,
) -> (LingerEnd, u64) {
    (LingerEnd::Cancelled, 0)
}
