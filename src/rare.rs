//! What is nearly always absent, and should cost nothing then.

use std::{
    fmt,
    mem::ManuallyDrop,
    ops::{Deref, DerefMut},
};

/// An option whose drop is out of line only if there is something to drop.
///
/// The compiler makes a call of dropping an `Option` of something large, and a request without
/// content, in which all of these are `None`, would pay for three: a tenth of what it costs.
pub(crate) struct Rare<T>(ManuallyDrop<Option<T>>);

impl<T> From<Option<T>> for Rare<T> {
    #[inline]
    fn from(value: Option<T>) -> Self {
        Self(ManuallyDrop::new(value))
    }
}

impl<T> Deref for Rare<T> {
    type Target = Option<T>;

    #[inline]
    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<T> DerefMut for Rare<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Option<T> {
        &mut self.0
    }
}

impl<T> Drop for Rare<T> {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            drop_value(&mut self.0);
        }
    }
}

#[inline(never)]
fn drop_value<T>(value: &mut Option<T>) {
    *value = None;
}

impl<T: fmt::Debug> fmt::Debug for Rare<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
