//! The settings that a layer shares with its services.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    decision::Policy,
    linger::Linger,
    observe::Observers,
    render::{Render, Standard},
};

#[derive(Debug)]
pub(crate) struct Settings<V> {
    pub(crate) validator: Arc<V>,
    /// Apart from the validator, so that futures can hold them without its type.
    pub(crate) options: Arc<Options>,
}

/// Not derived: the validator need not be `Clone`.
impl<V> Clone for Settings<V> {
    fn clone(&self) -> Self {
        Self {
            validator: Arc::clone(&self.validator),
            options: Arc::clone(&self.options),
        }
    }
}

#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) policy: Policy,
    pub(crate) renderer: Arc<dyn Render>,
    pub(crate) strip_expect: bool,
    pub(crate) linger: Option<Arc<Linger>>,
    pub(crate) decision_timeout: Option<Duration>,
    pub(crate) observers: Observers,
}

impl Options {
    /// Whether unread bodies are dropped on HTTP/1 before the response leaves, rather than drained.
    pub(crate) fn drops(&self) -> bool {
        self.linger.as_deref().is_none_or(|linger| linger.at_socket)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            renderer: Arc::new(Standard),
            strip_expect: false,
            // Draining needs tokio's tasks and clock.
            linger: cfg!(feature = "tokio").then(Arc::default),
            decision_timeout: None,
            observers: Observers::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("policy", &self.policy)
            .field("strip_expect", &self.strip_expect)
            .field("linger", &self.linger)
            .field("decision_timeout", &self.decision_timeout)
            .finish_non_exhaustive()
    }
}
