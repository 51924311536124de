//! What the response future and the response body ask of an exchange.

use std::{future::Future, pin::Pin, sync::Arc};

use http::{StatusCode, Version};
use http_body::Body;

use super::{
    drain::{read_within, Bounds, Permit, Runtime},
    state::{Asked, Exchange, Inviter, Place},
};
use crate::observe::{LingerEnd, Report};

/// What is to be done before the response may leave.
pub(crate) enum Before {
    Nothing,
    /// Let the server's connection run once: be pending, and woken at once.
    Turn,
    /// Poll the response body, which may be what polls the request body.
    Prime,
    /// Read the unread body first.
    Drain(Bounds),
    /// The body would be read as the new protocol of a 101. Respond 500.
    Fail,
}

/// What has been done already.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(super) turn: bool,
    pub(super) prime: bool,
    pub(super) drain: bool,
}

/// What a response means for its connection.
pub(crate) struct Response {
    /// It must announce the close.
    pub(super) closes: bool,
    /// Something is left to be done behind the head, by [`Flight::head_is_out`].
    pub(super) goes_on: bool,
}

/// An [`Exchange`] without the type of its body.
pub(crate) trait Flight: Send + Sync {
    /// Asked again after each step until there is nothing to do. The status is `None` for an error.
    fn before(&self, status: Option<StatusCode>, done: Done) -> Before;

    /// Reads the unread body within the bounds. What is left comes back.
    fn drain_first(self: Arc<Self>, bounds: Bounds) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// There is a response, of known length or not: no 100 from now on.
    fn responds(&self, status: StatusCode, is_sized: bool) -> Response;

    fn head_is_out(&self);

    /// There will be no response from here.
    fn abandon(&self);
}

impl<B: Body + Send + Unpin + 'static> Flight for Exchange<B> {
    fn before(&self, status: Option<StatusCode>, done: Done) -> Before {
        let terms = &self.terms;
        let switches = status == Some(StatusCode::SWITCHING_PROTOCOLS) && terms.is_http1();
        let mut state = self.lock();
        match &state.place {
            Place::Returned(body) => {
                let rest = body.size_hint().exact();
                if !done.drain {
                    if let Some(bounds) = terms.bounds_first(switches, rest) {
                        return Before::Drain(bounds);
                    }
                }
                if switches && !terms.observes {
                    return Before::Fail;
                }
                if !terms.observes && !terms.drops_first(state.asked, rest) {
                    return Before::Nothing;
                }
                let unread = std::mem::replace(&mut state.place, Place::Gone);
                // The body outside of the lock, as its drop may run any code.
                drop(state);
                drop(unread);
                if terms.observes {
                    return Before::Nothing;
                }
                terms.report_closed();
                match done.turn {
                    false => Before::Turn,
                    true => Before::Nothing,
                }
            }
            Place::Lent if switches && !terms.observes => Before::Fail,
            Place::Gone if switches && state.broken && !terms.observes => Before::Fail,
            Place::Lent if terms.expecting && !switches && !state.broken => match state.asked {
                // An error has no body to be polled.
                Asked::Never if !done.prime && terms.can_invite() && !terms.observes => {
                    match status {
                        Some(_) => Before::Prime,
                        None => Before::Nothing,
                    }
                }
                Asked::Polled if matches!(terms.inviter, Inviter::Hyper) => {
                    if terms
                        .turns
                        .as_ref()
                        .is_some_and(|turns| turns.count() > state.asked_in)
                    {
                        state.asked = Asked::Invited;
                        drop(state);
                        self.tell_invited();
                        return Before::Nothing;
                    }
                    match done.turn || terms.observes && terms.turns.is_none() {
                        false => Before::Turn,
                        true => Before::Nothing,
                    }
                }
                _ => Before::Nothing,
            },
            _ => Before::Nothing,
        }
    }

    fn drain_first(self: Arc<Self>, bounds: Bounds) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let place = std::mem::replace(&mut self.lock().place, Place::Gone);
            let Place::Returned(mut body) = place else {
                return;
            };
            self.begin_asking();
            let mut report = Report::begin(self.terms.watch.clone());
            let (end, bytes) = read_within(&mut body, &bounds, || {
                self.note(Asked::Invited);
                true
            })
            .await;
            report.bytes = bytes;
            report.end = end;
            match end {
                LingerEnd::Complete => self.note(Asked::Invited),
                LingerEnd::Gone => self.lock().broken = true,
                _ => self.lock().place = Place::Returned(body),
            }
        })
    }

    fn responds(&self, status: StatusCode, is_sized: bool) -> Response {
        let terms = &self.terms;
        terms.close_signal();
        let mut state = self.lock();
        state.responded = true;
        let owes_nothing = terms.owes_nothing(state.asked);
        let mut unread = None;
        let mut closes = owes_nothing || state.broken;
        if let Place::Returned(body) = &state.place {
            let rest = body.size_hint().exact().or(terms.announced);
            closes = owes_nothing || !self.keeps_alive(&mut state.permit, status, rest);
            if !is_sized && terms.version < Version::HTTP_11 {
                // The response ends where the connection does, which draining would put off.
                unread = Some(std::mem::replace(&mut state.place, Place::Gone));
            }
        }
        let goes_on = !matches!(state.place, Place::Gone);
        if goes_on && !(terms.drops && terms.is_http1()) {
            // The body may be dropped on a thread without one.
            state.runtime = Runtime::current();
        }
        drop(state);
        drop(unread);
        if let Some(watch) = &terms.watch {
            watch.responded(status);
        }
        Response {
            closes: closes && terms.is_http1() && !terms.observes,
            goes_on,
        }
    }

    fn head_is_out(&self) {
        let mut state = self.lock();
        match std::mem::replace(&mut state.place, Place::Gone) {
            Place::Lent => state.place = Place::Late,
            Place::Returned(body) => self.start_drain(body, state),
            place @ (Place::Late | Place::Gone) => state.place = place,
        }
    }

    fn abandon(&self) {
        self.terms.close_signal();
        let mut state = self.lock();
        match std::mem::replace(&mut state.place, Place::Gone) {
            Place::Lent => {
                state.runtime = Runtime::current();
                state.place = Place::Late;
            }
            Place::Returned(body) if self.terms.drops_late(state.asked) || self.terms.observes => {
                drop(state);
                drop(body);
            }
            Place::Returned(body) => self.start_drain(body, state),
            place @ (Place::Late | Place::Gone) => state.place = place,
        }
    }
}

impl<B> Exchange<B> {
    /// Whether the connection may go on after an unread body that the client owes.
    fn keeps_alive(
        &self,
        permit: &mut Option<Permit>,
        status: StatusCode,
        rest: Option<u64>,
    ) -> bool {
        let Some(linger) = &self.terms.linger else {
            return false;
        };
        let keeps = match rest {
            Some(rest) => rest <= linger.keep_alive_up_to,
            // Such as the end of a chunked form behind its last part.
            None if status.is_success() => {
                *permit = Permit::take(linger);
                permit.is_some()
            }
            None => false,
        };
        keeps && self.terms.version == Version::HTTP_11
    }
}
