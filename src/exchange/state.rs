//! The state of one exchange, and what follows from it.

use std::{
    sync::{Arc, PoisonError},
    task::Waker,
};

use http::Version;
use http_body::Body;

use super::{
    drain::{drain, Bounds, Drain, Permit, Runtime},
    finish::finish,
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
    /// These are here because `Drop` cannot name the bounds on `B` that they need.
    drain: fn(B, Drain),
    rest: fn(&B) -> Rest,
    pub(super) finish: fn(&mut B) -> bool,
}

/// What is known of the request from the beginning.
#[allow(clippy::struct_excessive_bools, reason = "each stands for itself")]
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
    /// A 101 may come, before which the body is read.
    pub(super) may_switch: bool,
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

/// How many bytes of a body are left, if that is known.
pub(super) type Rest = Option<u64>;

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
    pub(super) fn drops_first(&self, asked: Asked, rest: Rest) -> bool {
        let is_short = || match (&self.linger, rest) {
            (Some(linger), Some(rest)) => rest <= linger.completable(asked > Asked::Never),
            _ => true,
        };
        self.is_http1() && (self.drops || self.owes_nothing(asked) && is_short())
    }

    /// Whether a body that comes back before the response is dropped at once, rather than kept until then:
    /// only so does the server go on to look whether the client is still there.
    fn drops_early(&self, asked: Asked, rest: Rest) -> bool {
        !self.observes
            && !self.may_switch
            && self.drops_first(asked, rest)
            && self.bounds_first(false, rest).is_none()
    }

    /// Whether dropping the body needs a turn of the connection. The crate's own server adds the close to
    /// whatever leaves, and a client that owes its body is in no doubt about it.
    pub(super) fn drop_needs_turn(&self, asked: Asked) -> bool {
        self.owes_nothing(asked) && self.turns.is_none()
    }

    /// Whether a body that comes back behind the head is dropped rather than drained.
    pub(super) fn drops_late(&self, asked: Asked) -> bool {
        self.is_http1() && (self.drops || self.owes_nothing(asked))
    }

    /// How much of the body is read before the response leaves, if any.
    pub(super) fn bounds_first(&self, switches: bool, rest: Rest) -> Option<Bounds> {
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
        let waker = self.lock().waker.take();
        self.take_back(body, end);
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
                if terms.turns.is_some() {
                    // By the server outside.
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
        let is_short =
            |linger: &Arc<Linger>| rest.is_some_and(|rest| rest <= linger.keep_alive_up_to);
        let may_finish =
            !terms.owes_nothing(state.asked) && terms.linger.as_ref().is_some_and(is_short);
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
            },
        );
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
