//! The state of one exchange, and what follows from it.

use std::sync::{Arc, PoisonError};

use http::Version;
use http_body::Body;

use super::{
    drain::{drain, Bounds, Drain, Permit, Runtime},
    marker::Turns,
};
use crate::{
    linger::Linger,
    observe::{LingerEnd, Report, Watch},
    sync::{Mutex, MutexGuard},
    ContinueSignal,
};

/// One request with a body, shared by its body, its response future and its response body.
pub(crate) struct Exchange<B> {
    state: Mutex<State<B>>,
    pub(super) terms: Terms,
    /// Here, because `Drop` cannot name the bounds on `B` that draining needs.
    drain: fn(B, Drain),
}

/// What is known of the request from the beginning.
pub(super) struct Terms {
    pub(super) version: Version,
    /// Carries `100-continue`, or perhaps something that its client takes for it.
    pub(super) expecting: bool,
    pub(super) inviter: Inviter,
    /// The length of the body that the head announces, in bytes.
    pub(super) announced: Option<u64>,
    pub(super) linger: Option<Arc<Linger>>,
    /// On HTTP/1, unread bodies are dropped before the response leaves, not drained behind it.
    pub(super) drops: bool,
    /// There is nothing to do, as an exchange outside closes and drains, but somebody observes.
    pub(super) observes: bool,
    pub(super) turns: Option<Turns>,
    pub(super) watch: Option<Arc<Watch>>,
}

/// Who sends the 100.
pub(super) enum Inviter {
    Nobody,
    /// hyper, by itself, when the body is polled.
    Hyper,
    Signal(ContinueSignal),
}

pub(super) struct State<B> {
    pub(super) place: Place<B>,
    pub(super) asked: Asked,
    /// In which turn of the connection the body was asked for.
    pub(super) asked_in: u64,
    /// It ended in an error.
    pub(super) broken: bool,
    /// The response is ready, and what it says of the connection is said.
    pub(super) responded: bool,
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

/// How far the client was asked for the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    Never,
    Polled,
    Invited,
}

/// How far a body was read when it came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    NotYet,
    /// Or it has ended in an error.
    Reached,
}

impl Terms {
    pub(super) fn is_http1(&self) -> bool {
        self.version <= Version::HTTP_11
    }

    /// Whether a poll of the body can send a 100.
    pub(super) fn can_invite(&self) -> bool {
        !matches!(self.inviter, Inviter::Nobody)
    }

    /// No 100 from now on.
    pub(super) fn close_signal(&self) {
        if let Inviter::Signal(signal) = &self.inviter {
            signal.close();
        }
    }

    /// Whether the client does not owe its body, so that it must not be read as one.
    pub(super) fn owes_nothing(&self, asked: Asked) -> bool {
        // Others may have fired it.
        let invited = || matches!(&self.inviter, Inviter::Signal(signal) if signal.has_fired());
        self.expecting && asked < Asked::Invited && !invited()
    }

    /// Whether a returned body is dropped before the response leaves.
    ///
    /// hyper then closes its reading side, and so announces the close in whatever response leaves
    /// (hyper 1.12.0, src/proto/h1/conn.rs:876 and 709).
    pub(super) fn drops_first(&self, asked: Asked, rest: Option<u64>) -> bool {
        let is_short = || match (&self.linger, rest) {
            (Some(linger), Some(rest)) => rest <= linger.completable(asked > Asked::Never),
            _ => true,
        };
        self.is_http1() && (self.drops || self.owes_nothing(asked) && is_short())
    }

    /// Whether a body that comes back behind the head is dropped rather than drained.
    pub(super) fn drops_late(&self, asked: Asked) -> bool {
        self.is_http1() && (self.drops || self.owes_nothing(asked))
    }

    /// How much of the body is read before the response leaves, if any.
    pub(super) fn bounds_first(&self, switches: bool, rest: Option<u64>) -> Option<Bounds> {
        let linger = self.linger.as_deref()?;
        if switches {
            return (!self.observes).then(|| Bounds::of(linger, self.expecting, true));
        }
        let (bytes, total) = linger.before_response.filter(|_| !self.expecting)?;
        let fits = rest.map_or(true, |rest| rest <= bytes);
        fits.then(|| Bounds::before_response(linger, bytes, total))
    }

    /// An inner exchange that has something to read hands the body out only after that.
    pub(super) fn keeps_returned(&self) -> bool {
        !self.observes || self.bounds_first(false, None).is_some()
    }

    /// The body was dropped with nothing of it read.
    pub(super) fn report_closed(&self) {
        let mut report = Report::begin(self.watch.clone());
        report.end = LingerEnd::Closed;
    }
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
                responded: false,
                permit: None,
                runtime: Runtime::default(),
            }),
            terms,
            drain,
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
        let responded = state.responded;
        drop(state);
        if asked == Asked::Invited && !responded {
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
        let mut state = self.lock();
        let place = std::mem::replace(&mut state.place, Place::Gone);
        let drops_late = self.terms.drops_late(state.asked);
        match (place, end) {
            // Not once the response is ready: it could not be dropped before the response any more.
            (Place::Lent, End::NotYet)
                if self.terms.keeps_returned() && !(state.responded && drops_late) =>
            {
                state.place = Place::Returned(body);
                return;
            }
            (Place::Lent, End::NotYet) if self.terms.observes && self.terms.turns.is_some() => {
                // The server outside drops it at once.
                drop(state);
                self.terms.report_closed();
                return;
            }
            (Place::Late, End::NotYet) if !self.terms.observes && !drops_late => {
                return self.start_drain(body, state);
            }
            _ => {}
        }
        // The body outside of the lock, as its drop may run any code.
        drop(state);
        drop(body);
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
            },
        );
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
