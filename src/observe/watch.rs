//! Reports what happens to one request.

#[cfg(feature = "serve")]
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::{
    fmt,
    sync::{
        atomic::{AtomicU8, Ordering},
        Arc, OnceLock,
    },
    time::{Duration, Instant},
};

use http::StatusCode;

use super::{trace, Event, LingerEnd, Observe, RejectReason};
use crate::Rejection;

/// The observers of one layer or server.
#[derive(Clone, Default)]
pub(crate) struct Observers(Option<Arc<dyn Observe>>);

impl Observers {
    pub(crate) fn add(&mut self, observer: impl Observe) {
        let earlier = self.0.take();
        self.0 = Some(match earlier {
            None => Arc::new(observer),
            Some(earlier) => Arc::new(move |event: &Event| {
                earlier.observe(event);
                observer.observe(event);
            }),
        });
    }

    /// Reports an event that belongs to no request. A panic of an observer ends neither the server nor, if the
    /// connection's task is already panicking, the process.
    #[cfg(feature = "serve")]
    pub(crate) fn tell(&self, event: &Event) {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            trace::event(event);
            if let Some(observer) = &self.0 {
                observer.observe(event);
            }
        }));
    }

    /// Returns `None` if there is no observer and tracing is off.
    #[inline]
    pub(crate) fn watch(
        &self,
        expecting: bool,
        content_length: impl FnOnce() -> Option<u64>,
    ) -> Option<Arc<Watch>> {
        let traced = trace::is_on();
        if self.0.is_none() && !traced {
            return None;
        }
        // Holding the span keeps it open until draining is over.
        let span = if traced {
            trace::Span::current()
        } else {
            trace::Span::none()
        };
        Some(Arc::new(Watch {
            observer: self.0.clone(),
            span,
            since: Instant::now(),
            expecting,
            content_length: content_length(),
            asked_after: OnceLock::new(),
            seen: AtomicU8::new(0),
        }))
    }
}

const POLLED: u8 = 1;
const RESPONDED: u8 = 2;

/// The state that the events of one request are made from.
pub(crate) struct Watch {
    observer: Option<Arc<dyn Observe>>,
    span: trace::Span,
    since: Instant,
    expecting: bool,
    content_length: Option<u64>,
    asked_after: OnceLock<Duration>,
    seen: AtomicU8,
}

impl Watch {
    /// Reports the event in the span of the request, whatever task it comes from.
    fn tell(&self, event: &Event) {
        self.span.in_scope(|| {
            trace::event(event);
            if let Some(observer) = &self.observer {
                observer.observe(event);
            }
        });
    }

    pub(crate) fn accepted(&self) {
        self.tell(&Event::Accepted {
            expecting: self.expecting,
            content_length: self.content_length,
        });
    }

    /// `status` is that of the response, which a renderer may have changed.
    pub(crate) fn rejected(&self, status: StatusCode, reason: RejectReason, rejection: &Rejection) {
        self.seen.fetch_or(RESPONDED, Ordering::Relaxed);
        self.tell(&Event::Rejected {
            status,
            reason,
            message: rejection.owned_message(),
            content_length: self.content_length,
        });
    }

    /// The body is about to be polled for the first time.
    pub(crate) fn asked(&self) {
        if self.seen.fetch_or(POLLED, Ordering::Relaxed) & POLLED == 0 {
            let _ = self.asked_after.set(self.since.elapsed());
        }
    }

    /// The 100 has gone out.
    pub(crate) fn continued(&self) {
        let delay = self.asked_after.get().copied();
        let delay = delay.unwrap_or_else(|| self.since.elapsed());
        self.tell(&Event::Continued { delay });
    }

    /// The inner service has responded.
    pub(crate) fn responded(&self, status: StatusCode) {
        if self.seen.fetch_or(RESPONDED, Ordering::Relaxed) == 0 {
            self.tell(&Event::NeverRead {
                status,
                expecting: self.expecting,
                content_length: self.content_length,
            });
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// Reports the draining of a body, however it ends.
pub(crate) struct Report {
    watch: Option<Arc<Watch>>,
    begun: Option<Instant>,
    pub(crate) bytes: u64,
    pub(crate) end: LingerEnd,
}

impl Report {
    pub(crate) fn begin(watch: Option<Arc<Watch>>) -> Self {
        let begun = watch.as_deref().map(|watch| {
            watch.tell(&Event::Lingering {});
            Instant::now()
        });
        Self {
            watch,
            begun,
            bytes: 0,
            end: LingerEnd::Cancelled,
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        let (Some(watch), Some(begun)) = (&self.watch, self.begun) else {
            return;
        };
        let unread = watch.seen.load(Ordering::Relaxed) & POLLED == 0;
        let announced = watch.content_length.filter(|_| unread);
        let event = Event::Lingered {
            bytes: self.bytes,
            spared: announced.map(|announced| announced.saturating_sub(self.bytes)),
            end: self.end,
            duration: begun.elapsed(),
        };
        watch.tell(&event);
    }
}
