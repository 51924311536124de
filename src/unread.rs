//! What happens to a request body that nobody has read to its end.
//!
//! [`ExpectBody`](crate::ExpectBody) gives the rest back to a [`Slot`] when it is dropped. The
//! [`Guard`] in the response body lets it go to the [`Linger`] once the head of the response is out.

use std::sync::{Arc, PoisonError};

use http::Version;
use http_body::Body;

use crate::{
    layer::Options,
    linger::Linger,
    observe::Watch,
    sync::{Mutex, MutexGuard},
};

/// How to read on, for one request.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "tokio"), allow(dead_code, reason = "nothing reads on"))]
pub(crate) struct Terms {
    pub(crate) linger: Arc<Linger>,
    /// Whether the client may be waiting for a 100.
    pub(crate) expecting: bool,
    pub(crate) http1: bool,
    pub(crate) watch: Option<Arc<Watch>>,
}

impl Terms {
    /// `None` without lingering.
    pub(crate) fn new(
        options: &Options,
        version: Version,
        expecting: bool,
        watch: Option<&Arc<Watch>>,
    ) -> Option<Self> {
        let linger = options.linger.clone()?;
        let http1 = version <= Version::HTTP_11;
        Some(Self {
            linger,
            expecting,
            http1,
            watch: watch.cloned(),
        })
    }

    /// Whether so short a content is read to its end, for the connection to go on.
    pub(crate) fn keeps_alive(&self, version: Version, length: Option<u64>) -> bool {
        !self.expecting
            && version == Version::HTTP_11
            && length.is_some_and(|length| length <= self.linger.keep_alive_limit())
    }
}

/// Where an unread body comes back to.
pub(crate) struct Slot<B> {
    stage: Mutex<Stage<B>>,
    terms: Terms,
    /// Here, because `Drop` cannot name the bounds on `B` that the linger needs.
    read_on: fn(B, &Terms, bool),
}

enum Stage<B> {
    /// The application has it.
    Lent { polled: bool },
    /// The application has dropped it; the response is not out yet.
    Returned { body: B, polled: bool },
    /// The response is out; the application still has it.
    Late { polled: bool },
    /// It ended in an error before the response was out. What is left, if anything is, cannot be read.
    Broken,
    /// Read to its end, or being read on.
    Settled,
}

impl<B: Body + Send + Unpin + 'static> Slot<B> {
    pub(crate) fn lent(terms: Terms) -> Self {
        Self::at(Stage::Lent { polled: false }, terms)
    }

    pub(crate) fn returned(terms: Terms, body: B) -> Self {
        let polled = false;
        Self::at(Stage::Returned { body, polled }, terms)
    }

    fn at(stage: Stage<B>, terms: Terms) -> Self {
        Self {
            stage: Mutex::new(stage),
            terms,
            read_on: |body, terms, polled| terms.linger.read_on(body, terms, polled),
        }
    }
}

impl<B> Slot<B> {
    pub(crate) fn polled(&self) {
        if !self.terms.expecting {
            // Matters only where a 100 does.
            return;
        }
        if let Stage::Lent { polled } | Stage::Late { polled } = &mut *self.lock() {
            *polled = true;
        }
    }

    pub(crate) fn give_back(&self, body: B, end: End) {
        let mut stage = self.lock();
        match (std::mem::replace(&mut *stage, Stage::Settled), end) {
            (Stage::Lent { polled }, End::NotYet) => {
                *stage = Stage::Returned { body, polled };
                return;
            }
            (Stage::Late { polled }, End::NotYet) => {
                drop(stage);
                return (self.read_on)(body, &self.terms, polled);
            }
            (Stage::Lent { .. }, End::Broken) => *stage = Stage::Broken,
            _ => {}
        }
        // The body outside the lock, as its drop may run any code.
        drop(stage);
        drop(body);
    }

    fn lock(&self) -> MutexGuard<'_, Stage<B>> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A [`Slot`] without the type of its body.
pub(crate) trait Unread: Send + Sync {
    fn fate(&self) -> Fate;

    /// The response is out.
    fn let_go(&self);
}

/// How far a body was read when it came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    NotYet,
    Reached,
    Broken,
}

/// What has become of the body when the response is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Read,
    Returned,
    Broken,
    Held { polled: bool },
}

impl<B: Send> Unread for Slot<B> {
    fn fate(&self) -> Fate {
        match *self.lock() {
            Stage::Lent { polled } | Stage::Late { polled } => Fate::Held { polled },
            Stage::Returned { .. } => Fate::Returned,
            Stage::Broken => Fate::Broken,
            Stage::Settled => Fate::Read,
        }
    }

    fn let_go(&self) {
        let mut stage = self.lock();
        match std::mem::replace(&mut *stage, Stage::Settled) {
            Stage::Lent { polled } => *stage = Stage::Late { polled },
            Stage::Returned { body, polled } => {
                drop(stage);
                (self.read_on)(body, &self.terms, polled);
            }
            other @ (Stage::Late { .. } | Stage::Broken | Stage::Settled) => *stage = other,
        }
    }
}

/// Lets the unread body go when it is dropped: after the head of the response has been written.
pub(crate) struct Guard(Arc<dyn Unread>);

impl Guard {
    pub(crate) fn new(unread: Arc<dyn Unread>) -> Self {
        Self(unread)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.let_go();
    }
}
