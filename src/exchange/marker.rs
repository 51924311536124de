//! What one layer, or the server, leaves in the request's extensions for the layers inside of it.

#[cfg(feature = "serve")]
use std::sync::{
    atomic::{AtomicU64, Ordering},
    Arc,
};

use http::Extensions;

/// An exchange has begun outside: whoever finds this neither closes nor drains.
///
/// Zero-sized, so that the extensions need no allocation for it beyond their own.
#[derive(Clone, Copy)]
struct Joined;

/// Whether an exchange has begun outside.
#[inline]
pub(super) fn is_joined(extensions: &Extensions) -> bool {
    extensions.get::<Joined>().is_some()
}

/// The turns of the connection, if the server counts them.
#[inline]
pub(super) fn turns(extensions: &Extensions) -> Option<Turns> {
    extensions.get::<Turns>().cloned()
}

pub(super) fn join(extensions: &mut Extensions) {
    extensions.insert(Joined);
}

/// Counts the turns of a connection, that is, how often it was polled.
///
/// Each poll of a connection begins with reading (hyper 1.12.0, src/proto/h1/dispatch.rs:166), and reading
/// a body that was asked for sends its 100. So a turn that began after the body was polled proves that the
/// 100 was sent.
#[cfg(feature = "serve")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns(Arc<AtomicU64>);

#[cfg(feature = "serve")]
impl Turns {
    /// The connection is about to be polled.
    pub(crate) fn begin(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Without the crate's own server nobody counts.
#[cfg(not(feature = "serve"))]
#[derive(Clone, Debug)]
pub(crate) enum Turns {}

#[cfg(not(feature = "serve"))]
impl Turns {
    pub(super) fn count(&self) -> u64 {
        match *self {}
    }
}
