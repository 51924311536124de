//! What the response future and the response body ask of an exchange.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{StatusCode, Version};
use http_body::Body;

use super::{
    drain::{read_within, Bounds, Permit, Runtime},
    marker::Turns,
    state::{Exchange, Place, State},
    terms::{Asked, Inviter, Rest},
};
use crate::{
    observe::{LingerEnd, Report},
    sync::MutexGuard,
};

/// What is to be done before the response may leave.
pub(crate) enum Before {
    Nothing,
    /// Let the server's connection run once, and write the 100: be pending, and woken at once.
    TurnOfAsked,
    /// The same, for it to notice that the body is dropped.
    TurnOfDropped,
    /// Wait a moment for another task to ask for the body.
    AwaitAsking,
    /// Poll the response body, which may be what polls the request body.
    Prime,
    /// Read the unread body first.
    Drain(Bounds),
    /// The body would be read as the new protocol of a 101. Respond 500.
    Fail,
}

/// What has been done already.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each stands for itself")]
pub(crate) struct Done {
    pub(super) turn_of_asked: bool,
    pub(super) turn_of_dropped: bool,
    pub(super) prime: bool,
    pub(super) wait: bool,
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

    /// Ready once the body was asked for, or is back.
    fn poll_asked(&self, cx: &mut Context<'_>) -> Poll<()>;

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
        if let Place::Returned(body) = &state.place {
            let rest = body.size_hint().exact();
            let first = terms.bounds_first(switches, rest).filter(|_| !done.drain);
            if let Some(bounds) = first {
                return Before::Drain(bounds);
            }
            if switches && !terms.observes {
                return Before::Fail;
            }
            if !terms.observes && !terms.drops_first(state.asked, rest) {
                return Before::Nothing;
            }
            if let Place::Returned(unread) = std::mem::replace(&mut state.place, Place::Gone) {
                if terms.observes {
                    drop(state);
                    drop(unread);
                } else {
                    self.drop_unread(unread, rest, state);
                }
            }
            state = self.lock();
        }
        let fails = switches && !terms.observes;
        match &state.place {
            Place::Lent if fails => Before::Fail,
            Place::Gone if fails && (state.broken || state.dropped.is_some()) => Before::Fail,
            Place::Gone if state.dropped.is_some() && !terms.observes => {
                match terms.drop_needs_turn(state.asked) && !done.turn_of_dropped {
                    true => Before::TurnOfDropped,
                    false => Before::Nothing,
                }
            }
            Place::Lent if terms.expecting && !state.broken => {
                self.before_with_held_body(state, status, done)
            }
            _ => Before::Nothing,
        }
    }

    fn poll_asked(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        match (&state.place, state.asked) {
            (Place::Lent, Asked::Never) => {
                let former = state.waker.replace(cx.waker().clone());
                // Outside of the lock, as its drop may run any code.
                drop(state);
                drop(former);
                Poll::Pending
            }
            _ => Poll::Ready(()),
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
        state.asked_in_time = Some(state.asked);
        let waker = state.waker.take();
        let mut unread = None;
        if let Place::Returned(body) = &state.place {
            let rest = body.size_hint().exact();
            // It may have come back just now. And over HTTP/1.0 a response of unknown length ends where the
            // connection does, which draining would put off.
            if terms.drops_first(state.asked, rest) || !is_sized && terms.version < Version::HTTP_11
            {
                state.dropped = Some(rest);
                unread = Some(std::mem::replace(&mut state.place, Place::Gone));
            }
        }
        let closes = terms.owes_nothing(state.asked)
            || state.broken
            || match (&state.place, state.dropped) {
                (Place::Returned(body), _) => {
                    let rest = body.size_hint().exact();
                    !self.keeps_alive(status, rest, || {
                        let permit = terms.linger.as_deref().and_then(Permit::take);
                        state.permit = permit;
                        state.permit.is_some()
                    })
                }
                // hyper reads what has arrived of it, which may be all of what a form has at its end.
                (_, Some(rest)) => rest.is_some() || !self.keeps_alive(status, rest, || true),
                _ => false,
            };
        let goes_on = !matches!(state.place, Place::Gone);
        if goes_on && !(terms.drops && terms.is_http1()) {
            // The body may be dropped on a thread without one.
            state.runtime = Runtime::current();
        }
        drop(state);
        drop((unread, waker));
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
    /// What there is to do while the application holds the body of a client that expects.
    fn before_with_held_body(
        &self,
        mut state: MutexGuard<'_, State<B>>,
        status: Option<StatusCode>,
        done: Done,
    ) -> Before {
        let terms = &self.terms;
        match state.asked {
            // Others may have fired the signal.
            Asked::Never if !terms.can_invite() || !terms.owes_nothing(state.asked) => {
                Before::Nothing
            }
            // An error has no body to be polled.
            Asked::Never if !done.prime && status.is_some() => Before::Prime,
            Asked::Never if !done.wait && status.is_some_and(|status| status.is_success()) => {
                Before::AwaitAsking
            }
            Asked::Polled if matches!(terms.inviter, Inviter::Hyper) => {
                let proven = |turns: &Turns| turns.count() > state.asked_in;
                if terms.turns.as_ref().is_some_and(proven) {
                    state.asked = Asked::Invited;
                    drop(state);
                    self.tell_invited();
                    return Before::Nothing;
                }
                match done.turn_of_asked || terms.observes && terms.turns.is_none() {
                    false => Before::TurnOfAsked,
                    true => Before::Nothing,
                }
            }
            _ => Before::Nothing,
        }
    }

    /// Whether the connection may go on after an unread body that the client owes.
    fn keeps_alive(&self, status: StatusCode, rest: Rest, may_read: impl FnOnce() -> bool) -> bool {
        let Some(linger) = &self.terms.linger else {
            return false;
        };
        let keeps = match rest.or(self.terms.announced) {
            Some(rest) => rest <= linger.keep_alive_up_to,
            // Such as the end of a chunked form behind its last part.
            None => status.is_success() && may_read(),
        };
        keeps && self.terms.version == Version::HTTP_11
    }
}
