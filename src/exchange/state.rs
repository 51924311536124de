//! The state of one exchange, and what follows from it.

use std::{
    sync::{Arc, PoisonError},
    task::Waker,
};

use http_body::Body;

use super::{
    drain::{drain, Drain, Permit, Runtime},
    finish::finish,
    terms::{Asked, Inviter, Rest, Terms},
};
use crate::sync::{Mutex, MutexGuard};

/// One request with a body, shared by its body, its response future and its response body.
pub(crate) struct Exchange<B> {
    state: Mutex<State<B>>,
    pub(super) terms: Terms,
    /// These are here because `Drop` cannot name the bounds on `B` that they need.
    drain: fn(B, Drain),
    rest: fn(&B) -> Rest,
    pub(super) finish: fn(&mut B) -> bool,
}

pub(super) struct State<B> {
    pub(super) place: Place<B>,
    pub(super) asked: Asked,
    /// In which turn of the connection the body was asked for.
    pub(super) asked_in: u64,
    /// It ended in an error.
    pub(super) broken: bool,
    /// It was dropped unread, with so much left.
    pub(super) dropped: Option<Rest>,
    /// How far the client was asked by the time of the response, which has then said what it says of the
    /// connection.
    pub(super) asked_in_time: Option<Asked>,
    /// Who waits for the body to be asked for.
    pub(super) waker: Option<Waker>,
    /// Taken before keep-alive was promised.
    pub(super) permit: Option<Permit>,
    pub(super) runtime: Runtime,
}

/// Where the request body is.
pub(super) enum Place<B> {
    Lent,
    Returned(B),
    Late,
    Gone,
}

/// How far a body was read when it came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    NotYet,
    /// Or it has ended in an error.
    Reached,
}

impl<B: Body + Send + Unpin + 'static> Exchange<B> {
    pub(super) fn lent(terms: Terms) -> Arc<Self> {
        Self::at(Place::Lent, terms)
    }

    pub(super) fn returned(body: B, terms: Terms) -> Arc<Self> {
        Self::at(Place::Returned(body), terms)
    }

    fn at(place: Place<B>, terms: Terms) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                place,
                asked: Asked::Never,
                asked_in: 0,
                broken: false,
                dropped: None,
                asked_in_time: None,
                waker: None,
                permit: None,
                runtime: Runtime::default(),
            }),
            terms,
            drain,
            rest: |body| body.size_hint().exact(),
            finish,
        })
    }
}

impl<B> Exchange<B> {
    /// The body is about to be polled for the first time. Sends the 100, where a signal does.
    pub(super) fn begin_asking(&self) {
        if let Inviter::Signal(signal) = &self.terms.inviter {
            signal.fire();
            if signal.has_fired() {
                self.note(Asked::Invited);
            }
        }
        if let Some(watch) = &self.terms.watch {
            watch.asked();
        }
    }

    /// Notes how far the client was asked.
    pub(super) fn note(&self, asked: Asked) {
        if !self.terms.expecting {
            return;
        }
        let mut state = self.lock();
        if asked <= state.asked {
            return;
        }
        state.asked = asked;
        if let Some(turns) = &self.terms.turns {
            state.asked_in = turns.count();
        }
        // After the response the 100 is out only if it was asked for before.
        let in_time = state.asked_in_time.unwrap_or(Asked::Polled);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        if asked == Asked::Invited && in_time == Asked::Polled {
            self.tell_invited();
        }
    }

    /// The body has ended in an error.
    pub(super) fn note_broken(&self) {
        self.lock().broken = true;
    }

    pub(super) fn tell_invited(&self) {
        if let (Some(watch), true) = (&self.terms.watch, self.terms.can_invite()) {
            watch.continued();
        }
    }

    /// The application has dropped the body.
    pub(super) fn give_back(&self, body: B, end: End) {
        self.take_back(body, end);
        // Only now: a future that looks earlier finds the body lent.
        let waker = self.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn take_back(&self, body: B, end: End) {
        let mut state = self.lock();
        let place = std::mem::replace(&mut state.place, Place::Gone);
        let (terms, asked) = (&self.terms, state.asked);
        let responded = state.asked_in_time.is_some();
        match (place, end) {
            (Place::Lent, End::NotYet) if !responded => {
                let rest = (self.rest)(&body);
                if terms.drops_early(asked, rest) {
                    return self.drop_unread(body, rest, state);
                }
                if terms.keeps_returned() {
                    state.place = Place::Returned(body);
                    return;
                }
                drop(state);
                drop(body);
                // By the server outside, unless that has taken the rest.
                if terms.turns.is_some() && !terms.may_finish(asked, rest) {
                    terms.report_closed();
                }
                return;
            }
            // It could not be dropped before the response any more.
            (Place::Lent, End::NotYet) if !terms.observes && !terms.drops_late(asked) => {
                state.place = Place::Returned(body);
                return;
            }
            (Place::Late, End::NotYet) if !terms.observes && !terms.drops_late(asked) => {
                return self.start_drain(body, state);
            }
            _ => {}
        }
        // The body outside of the lock, as its drop may run any code.
        drop(state);
        drop(body);
    }

    /// Drops a body before the response leaves, or takes the rest that has arrived if that is all.
    pub(super) fn drop_unread(&self, mut body: B, rest: Rest, mut state: MutexGuard<'_, State<B>>) {
        let terms = &self.terms;
        let may_finish = terms.may_finish(state.asked, rest);
        state.dropped = Some(rest);
        // The body outside of the lock, as it may run any code.
        drop(state);
        if may_finish && (self.finish)(&mut body) {
            self.lock().dropped = None;
            return;
        }
        drop(body);
        terms.report_closed();
    }

    pub(super) fn start_drain(&self, body: B, mut state: MutexGuard<'_, State<B>>) {
        let waits = self.terms.owes_nothing(state.asked);
        let (permit, runtime) = (state.permit.take(), std::mem::take(&mut state.runtime));
        drop(state);
        let Some(linger) = &self.terms.linger else {
            return;
        };
        (self.drain)(
            body,
            Drain {
                linger: Arc::clone(linger),
                waits,
                http1: self.terms.is_http1(),
                permit,
                runtime,
                watch: self.terms.watch.clone(),
                room: self.terms.room.clone(),
            },
        );
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
