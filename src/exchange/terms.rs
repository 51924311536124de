//! What is known of a request when its exchange begins, and what follows from it for its body.

use std::sync::Arc;

use http::Version;

use super::{drain::Bounds, marker::Turns, room::Room};
use crate::{
    linger::Linger,
    observe::{LingerEnd, Report, Watch},
    ContinueSignal,
};

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
    /// That of an HTTP/2 connection for what is only drained.
    pub(super) room: Option<Room>,
    pub(super) watch: Option<Arc<Watch>>,
}

/// Who sends the 100.
pub(super) enum Inviter {
    Nobody,
    /// hyper, by itself, when the body is polled.
    Hyper,
    Signal(ContinueSignal),
}

/// How far the client was asked for the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    Never,
    Polled,
    Invited,
}

/// How many bytes of a body are left, if that is known.
pub(super) type Rest = Option<u64>;

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
    pub(super) fn drops_early(&self, asked: Asked, rest: Rest) -> bool {
        !self.observes
            && !self.may_switch
            && self.drops_first(asked, rest)
            && self.bounds_first(false, rest).is_none()
    }

    /// Whether a body that is dropped may be taken to its end instead, if all of it has arrived.
    pub(super) fn may_finish(&self, asked: Asked, rest: Rest) -> bool {
        let is_short =
            |linger: &Arc<Linger>| rest.is_some_and(|rest| rest <= linger.keep_alive_up_to);
        !self.owes_nothing(asked) && self.linger.as_ref().is_some_and(is_short)
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
        let fits = rest.is_none_or(|rest| rest <= bytes);
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
