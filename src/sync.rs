//! The locks: the standard library's, or those by which `tests/interleavings` tries every order.

#[cfg(tower_expect_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};
#[cfg(not(tower_expect_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};
