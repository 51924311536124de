//! The settings of a layer.

use std::{sync::Arc, time::Duration};

use http::request::Parts;

use super::{
    memory::{Host, Memory},
    observe::Observers,
};

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) min_length: u64,
    pub(super) timeout: Duration,
    pub(super) retry_without_expect: bool,
    pub(super) retry_dead_connection: Retry,
    pub(super) remember_for: Duration,
    pub(super) max_hosts: usize,
    memory: Arc<Memory>,
    pub(super) observers: Observers,
}

/// Which requests are repeated; see
/// [`retry_dead_connection`](super::ExpectContinueLayer::retry_dead_connection).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// No requests.
    Never,
    /// Requests whose method is idempotent (RFC 9110 §9.2.2), such as PUT.
    #[default]
    Idempotent,
    /// All requests. Use it only if a second execution does no harm.
    Always,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_length: 1 << 20,
            timeout: Duration::from_secs(1),
            retry_without_expect: true,
            retry_dead_connection: Retry::default(),
            remember_for: Duration::from_secs(5 * 60),
            max_hosts: 1024,
            memory: Arc::new(Memory::new()),
            observers: Observers::default(),
        }
    }
}

impl Settings {
    pub(super) fn repeats_dead(&self, head: &Parts) -> bool {
        match self.retry_dead_connection {
            Retry::Never => false,
            Retry::Idempotent => head.method.is_idempotent(),
            Retry::Always => true,
        }
    }

    pub(super) fn may_repeat(&self, head: &Parts) -> bool {
        self.retry_without_expect || self.repeats_dead(head)
    }

    /// The host, if it is to be remembered.
    pub(super) fn host(&self, head: &Parts) -> Option<Host> {
        (self.max_hosts > 0).then(|| Host::of(head)).flatten()
    }

    pub(super) fn knows(&self, host: &Host) -> bool {
        self.memory.holds(host)
    }

    pub(super) fn note(&self, host: &Host) {
        self.memory.note(host, self.remember_for, self.max_hosts);
    }
}
