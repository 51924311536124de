//! In place of `linger` without the feature `tokio`: there is none, and no code that could use one.

use std::sync::Arc;

use crate::unread::Terms;

#[derive(Debug)]
pub(crate) enum Linger {}

impl Linger {
    pub(crate) fn on_by_default() -> Option<Arc<Self>> {
        None
    }

    pub(crate) fn keep_alive_limit(&self) -> u64 {
        match *self {}
    }

    pub(crate) fn read_on<B>(&self, _: B, _: &Terms, _: bool) {
        match *self {}
    }
}
