//! What the request's body, the connection and the response future have in common: whether the body
//! may be sent.
//!
//! ```text
//!              100, timer, nobody can hear a 100
//!    Waiting ────────────────────────────────────> Open      the body is sent
//!       │
//!       │ final response              its body has ended or is dropped
//!       ├────────────────> Withheld ──────────────────────> Ended
//!       │                                                     ^
//!       └─────────────────────────────────────────────────────┘
//!         a repeat, an error, too many interim responses without a final one
//! ```
//!
//! While `Withheld`, the body is pending. An error right then would make hyper end the connection, and
//! the body of the response with it (hyper 1.12, `proto/h1/dispatch.rs:123`). Left pending for good, it
//! would keep the connection open for good. It is never ended by `None`: hyper would send the last
//! chunk, and so a complete, empty body (`proto/h1/dispatch.rs:441`).

use std::{
    sync::{Arc, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use http::StatusCode;
use tokio::time::Instant;

use super::error::WithheldError;
use crate::sync::{Mutex, MutexGuard};

/// How many interim responses other than a 100 are heard while the body waits.
pub(super) const MAX_INTERIM: u8 = 64;

pub(super) struct Gate(Mutex<State>);

struct State {
    stage: Stage,
    /// When the body was first polled, which hyper does right after it has written the head.
    begun: Option<Instant>,
    /// Nobody is left who could tell of a 100.
    deaf: bool,
    /// That was so when the body was first polled. Later, it is the sign of a final response only.
    unheard: bool,
    continued: Option<Duration>,
    interim: u8,
    /// There were more of them than are heard. A final response that is there already counts nevertheless.
    flooded: bool,
    body: Option<Waker>,
    call: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Waiting,
    Open,
    Withheld,
    Ended(WithheldError),
}

/// What the response future sees.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) waiting: bool,
    pub(super) begun: Option<Instant>,
    /// A 100 would not be heard.
    pub(super) unheard: bool,
    pub(super) flooded: bool,
}

impl Gate {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            stage: Stage::Waiting,
            begun: None,
            deaf: false,
            unheard: false,
            continued: None,
            interim: 0,
            flooded: false,
            body: None,
            call: None,
        })))
    }

    /// For the body: ready once it may be sent.
    pub(super) fn poll_open(&self, cx: &Context<'_>) -> Poll<Result<(), WithheldError>> {
        let mut state = self.lock();
        match state.stage {
            Stage::Open => return Poll::Ready(Ok(())),
            Stage::Ended(error) => return Poll::Ready(Err(error)),
            Stage::Waiting | Stage::Withheld => {}
        }
        state.body = Some(cx.waker().clone());
        if state.begun.is_none() {
            state.begun = Some(Instant::now());
            state.unheard = state.deaf;
            let caller = state.call.take();
            drop(state);
            wake(caller);
        }
        Poll::Pending
    }

    /// For the response future, which is woken when any of it changes.
    pub(super) fn look(&self, cx: &Context<'_>) -> Look {
        let mut state = self.lock();
        let waiting = state.stage == Stage::Waiting;
        if waiting {
            state.call = Some(cx.waker().clone());
        }
        Look {
            waiting,
            begun: state.begun,
            unheard: waiting && state.unheard,
            flooded: waiting && state.flooded,
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.lock().begun.is_some()
    }

    /// How long ago the head was written.
    pub(super) fn waited(&self) -> Duration {
        let begun = self.lock().begun;
        begun.map_or(Duration::ZERO, |begun| begun.elapsed())
    }

    /// How long after the head the 100 came.
    pub(super) fn continued(&self) -> Option<Duration> {
        self.lock().continued
    }

    /// An interim response has come.
    pub(super) fn heard(&self, status: StatusCode) {
        let mut state = self.lock();
        if state.stage != Stage::Waiting || state.flooded {
            return;
        }
        if status == StatusCode::CONTINUE {
            state.continued = Some(state.begun.map_or(Duration::ZERO, |begun| begun.elapsed()));
            state.stage = Stage::Open;
        } else if state.interim < MAX_INTERIM {
            state.interim += 1;
            return;
        } else {
            state.flooded = true;
        }
        wake_all(state);
    }

    /// Ends the body, as there were too many interim responses and no final one.
    pub(super) fn end_flooded(&self) {
        self.change(
            Stage::Waiting,
            Stage::Ended(WithheldError::too_many_interim()),
        );
    }

    /// Nobody will call `heard` any more.
    pub(super) fn deafen(&self) {
        self.lock().deaf = true;
    }

    /// Sends the body without a 100. Returns whether it was still waiting.
    pub(super) fn open(&self) -> bool {
        self.change(Stage::Waiting, Stage::Open)
    }

    /// Takes note of a final response. Returns whether the body was still waiting, and now never
    /// leaves.
    pub(super) fn withhold(&self) -> bool {
        self.change(Stage::Waiting, Stage::Withheld)
    }

    /// Ends the body, which is withheld, and so the connection.
    pub(super) fn end(&self) {
        self.change(Stage::Withheld, Stage::Ended(WithheldError::over()));
    }

    /// Ends the body if it is still waiting: nobody is left to open the gate.
    pub(super) fn abandon(&self) {
        self.change(Stage::Waiting, Stage::Ended(WithheldError::over()));
    }

    fn change(&self, from: Stage, to: Stage) -> bool {
        let mut state = self.lock();
        let changes = state.stage == from;
        if changes {
            state.stage = to;
            wake_all(state);
        }
        changes
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Outside of the lock: a waker may poll at once.
fn wake_all(mut state: MutexGuard<'_, State>) {
    let (body, call) = (state.body.take(), state.call.take());
    drop(state);
    wake(body);
    wake(call);
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
