//! One request that asks, from its head to what it settles on.

mod begin;

use std::{
    future::Future as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{request::Parts, Response, StatusCode, Version};
use http_body::Body;
use tokio::time::{sleep_until, Sleep};

pub(super) use self::begin::{passing, Begun};
use super::{
    gate::Gate,
    memory::Host,
    observe::{Event, RepeatReason},
    plan::Expect,
    response_body::ResponseBody,
    settings::Settings,
    unsent::Unsent,
};

pub(super) struct Exchange<S, B> {
    gate: Arc<Gate>,
    body: Unsent<B>,
    expect: Expect,
    length: Option<u64>,
    settings: Arc<Settings>,
    host: Option<Host>,
    /// What a repeat needs.
    spare: Option<Spare<S>>,
    again: Option<Again<S, B>>,
    /// The connection of an earlier one turned out dead.
    is_repeat: bool,
    asked: bool,
    decided: bool,
    timer: Option<Pin<Box<Sleep>>>,
}

struct Spare<S> {
    head: Parts,
    service: S,
}

struct Again<S, B> {
    reason: RepeatReason,
    spare: Spare<S>,
    body: B,
}

/// What a poll of the wrapped service's future that stays pending leads to.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Patience {
    Left,
    TimedOut,
    Unheard,
    /// There were too many interim responses.
    Flooded,
}

impl<S, B> Exchange<S, B> {
    /// Looks at the gate and the clock. To be called before the wrapped service's future is polled, and
    /// acted upon after: a response that is there comes first.
    pub(super) fn poll_patience(&mut self, cx: &mut Context<'_>) -> Patience {
        if self.decided {
            return Patience::Left;
        }
        let look = self.gate.look(cx);
        let Some(begun) = look.begun else {
            return Patience::Left;
        };
        if look.unheard {
            return Patience::Unheard;
        }
        if look.flooded {
            return Patience::Flooded;
        }
        self.tell_asked();
        if !look.waiting {
            self.tell_continued();
            self.decided = true;
            return Patience::Left;
        }
        if self.timer.is_none() {
            let end = begun.checked_add(self.settings.timeout);
            self.timer = end.map(|end| Box::pin(sleep_until(end)));
        }
        let timer = self.timer.as_mut().map(|timer| timer.as_mut().poll(cx));
        match timer {
            Some(Poll::Ready(())) => Patience::TimedOut,
            Some(Poll::Pending) | None => Patience::Left,
        }
    }

    /// No response is there: the body is sent, if patience is at its end.
    pub(super) fn act(&mut self, patience: Patience) {
        let event = match patience {
            Patience::Left => return,
            Patience::Flooded => return self.gate.end_flooded(),
            Patience::Unheard => Event::Unheard {},
            Patience::TimedOut => Event::TimedOut {
                delay: self.gate.waited(),
            },
        };
        // Otherwise a 100 has come since: the next poll, for which the gate has woken, tells of it.
        if self.gate.open() {
            // A timeout of zero tells nothing about the host.
            if patience == Patience::TimedOut && !self.settings.timeout.is_zero() {
                self.note();
            }
            self.settings.observers.tell(&event);
            self.decided = true;
            self.timer = None;
        }
    }

    /// `None`: the request is to be repeated.
    pub(super) fn settle<R, E>(
        &mut self,
        result: Result<Response<R>, E>,
    ) -> Option<Result<Response<ResponseBody<R>>, E>>
    where
        B: Send + 'static,
        R: Body,
    {
        match result {
            Ok(response) => self.settle_response(response).map(Ok),
            Err(error) => self.settle_error(error).map(Err),
        }
    }

    fn settle_response<R>(&mut self, response: Response<R>) -> Option<Response<ResponseBody<R>>>
    where
        B: Send + 'static,
        R: Body,
    {
        if response.version() >= Version::HTTP_2 {
            self.note();
        }
        if !self.gate.withhold() {
            if !self.decided {
                self.tell_asked();
                self.tell_continued();
            }
            return Some(response.map(ResponseBody::plain));
        }
        self.tell_asked();
        let status = response.status();
        if status == StatusCode::EXPECTATION_FAILED
            && self.settings.retry_without_expect
            && self.expect != Expect::Among
            && self.repeat(RepeatReason::ExpectationFailed)
        {
            self.note();
            return None;
        }
        self.settings.observers.tell(&Event::Rejected {
            status,
            spared: self.length,
        });
        let gate = Arc::clone(&self.gate);
        let mut response = response.map(|body| ResponseBody::of_withheld(body, gate));
        response.extensions_mut().insert(self.body.clone());
        Some(response)
    }

    fn settle_error<E>(&mut self, error: E) -> Option<E> {
        let repeats = |spare: &Spare<S>| self.settings.repeats_dead(&spare.head);
        let may = !self.is_repeat && self.spare.as_ref().is_some_and(repeats);
        let repeated = may
            && self.gate.has_begun()
            && self.gate.withhold()
            && self.repeat(RepeatReason::DeadConnection);
        if repeated {
            return None;
        }
        // Nobody needs the body any more, even if the future is kept.
        self.gate.abandon();
        self.gate.end();
        Some(error)
    }

    /// Arranges for it. The body is withheld by now. Returns false where it can't be.
    fn repeat(&mut self, reason: RepeatReason) -> bool {
        let Some(spare) = self.spare.take() else {
            return false;
        };
        let Some(body) = self.body.take() else {
            return false;
        };
        self.gate.end();
        self.settings.observers.tell(&Event::Repeated { reason });
        self.again = Some(Again {
            reason,
            spare,
            body,
        });
        true
    }

    fn note(&self) {
        if let Some(host) = &self.host {
            self.settings.note(host);
        }
    }

    fn tell_asked(&mut self) {
        if !self.asked {
            self.asked = true;
            self.settings.observers.tell(&Event::Asked {
                content_length: self.length,
            });
        }
    }

    fn tell_continued(&self) {
        if let Some(delay) = self.gate.continued() {
            self.settings.observers.tell(&Event::Continued { delay });
        }
    }
}

impl<S, B> Drop for Exchange<S, B> {
    fn drop(&mut self) {
        self.gate.abandon();
    }
}
