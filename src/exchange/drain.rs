//! Reads and discards an unread body, within bounds.

use std::{
    future::{poll_fn, Future},
    pin::{pin, Pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytes::Buf;
use http_body::{Body, Frame};
use tokio::{
    runtime::Handle,
    task::yield_now,
    time::{sleep, timeout_at},
};

use super::room::{Room, Seat};
pub(super) use crate::linger::Permit;
use crate::{
    deadline::after,
    linger::{Linger, Waiting},
    observe::{LingerEnd, Report, Watch},
};

/// What draining one body needs to know.
pub(super) struct Drain {
    pub(super) linger: Arc<Linger>,
    /// Whether the client may be waiting for a 100.
    pub(super) waits: bool,
    pub(super) http1: bool,
    /// Taken already.
    pub(super) permit: Option<Permit>,
    pub(super) runtime: Runtime,
    pub(super) watch: Option<Arc<Watch>>,
    pub(super) room: Option<Room>,
}

/// Where the draining task runs: on the runtime of the response, whatever thread drops the body.
#[derive(Default)]
pub(super) struct Runtime(Option<Handle>);

impl Runtime {
    pub(super) fn current() -> Self {
        Self(Handle::try_current().ok())
    }
}

/// Drains in a task of its own. Without a runtime the body is dropped.
pub(super) fn drain<B>(body: B, mut drain: Drain)
where
    B: Body + Send + Unpin + 'static,
{
    let runtime = std::mem::take(&mut drain.runtime);
    if let Some(runtime) = runtime.0.or_else(|| Handle::try_current().ok()) {
        let report = Report::begin(drain.watch.take());
        runtime.spawn(drain.run(body, report));
    }
}

impl Drain {
    async fn run<B: Body + Unpin>(mut self, mut body: B, mut report: Report) {
        let waiting = self.waits.then(|| Waiting::take(&self.linger));
        if let Some(None) = waiting {
            report.end = LingerEnd::MaxDrains;
            return;
        }
        let seat = self.room.take().map(Room::enter);
        let read = self.read(&mut body, waiting.flatten());
        let Some(read) = unless_lost(seat.as_ref(), read).await else {
            report.end = LingerEnd::MaxDrains;
            return;
        };
        (report.end, report.bytes) = read;
        if report.end.is_short() {
            // A held body takes no place: its client may be gone, which only a read would reveal.
            self.permit = None;
            let hold = sleep(self.linger.hold_on(self.http1));
            unless_lost(seat.as_ref(), hold).await;
        }
    }

    async fn read<B: Body + Unpin>(
        &mut self,
        body: &mut B,
        waiting: Option<Waiting>,
    ) -> (LingerEnd, u64) {
        let rest = body.size_hint().exact();
        let mut bounds = Bounds::of(&self.linger, self.waits, self.http1);
        let mut waiting = waiting;
        if self.waits && self.http1 {
            // The client does not owe this body: hyper must not complete it, or it would read the next bytes as
            // the next request.
            let margin = self.linger.margin();
            match rest {
                Some(rest) if rest > margin => bounds.stop_at = rest - margin,
                _ => return (LingerEnd::Held, 0),
            }
            // hyper sends a 100 at the first poll unless the head of the response has been written. A
            // layer outside that has taken our body apart may still be waiting with that head.
            sleep(Duration::from_millis(20)).await;
        }
        let needs_permit =
            self.permit.is_none() && rest.is_none_or(|rest| rest > self.linger.keep_alive_up_to);
        if needs_permit && !self.waits && !self.take_permit() {
            return (LingerEnd::MaxDrains, 0);
        }
        read_within(body, &bounds, || {
            let first = waiting.take().is_some();
            !first || !needs_permit || self.take_permit()
        })
        .await
    }

    fn take_permit(&mut self) -> bool {
        self.permit = Permit::take(&self.linger);
        self.permit.is_some()
    }
}

/// `None` if the seat is lost first.
async fn unless_lost<T>(seat: Option<&Seat>, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match seat.map(|seat| seat.poll_lost(cx)) {
        Some(Poll::Ready(())) => Poll::Ready(None),
        _ => future.as_mut().poll(cx).map(Some),
    })
    .await
}

/// How long and how much to read.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    first_byte: Duration,
    /// What it is if the first byte does not come.
    silence: LingerEnd,
    idle: Duration,
    total: Duration,
    max_bytes: u64,
    /// Where the rest is long enough that the body cannot end by itself.
    stop_at: u64,
}

impl Bounds {
    pub(super) fn of(linger: &Linger, waits: bool, http1: bool) -> Self {
        let (first_byte, silence) = match waits {
            true => (linger.first_byte_on(http1), LingerEnd::NothingSent),
            false => (linger.idle, LingerEnd::Idle),
        };
        Self {
            first_byte,
            silence,
            idle: linger.idle,
            total: linger.total,
            max_bytes: linger.max_bytes,
            stop_at: u64::MAX,
        }
    }

    /// At most so many bytes, and for so long.
    pub(super) fn before_response(linger: &Linger, bytes: u64, total: Duration) -> Self {
        Self {
            total,
            max_bytes: bytes,
            ..Self::of(linger, false, true)
        }
    }
}

/// Reads and discards until the body ends or a bound is reached. Says how it ended, and after how many
/// bytes. `on_data` is told of each frame and may end it.
pub(super) async fn read_within<B: Body + Unpin>(
    body: &mut B,
    bounds: &Bounds,
    mut on_data: impl FnMut() -> bool,
) -> (LingerEnd, u64) {
    let end = after(bounds.total);
    let mut patience = bounds.first_byte;
    let mut silence = bounds.silence;
    let mut bytes = 0;
    let ended = loop {
        let until = end.min(after(patience));
        match timeout_at(until, data_len(body)).await {
            Ok(None) => break LingerEnd::Complete,
            Ok(Some(Err(_))) => break LingerEnd::Gone,
            Ok(Some(Ok(len))) => bytes += len,
            Err(_) if until < end => break silence,
            Err(_) => break LingerEnd::TotalTime,
        }
        if !on_data() {
            break LingerEnd::MaxDrains;
        }
        if bytes > bounds.max_bytes {
            break LingerEnd::MaxBytes;
        }
        if bytes >= bounds.stop_at {
            break LingerEnd::Held;
        }
        silence = LingerEnd::Idle;
        patience = bounds.idle;
        // A body that is always ready would otherwise keep the thread to itself.
        yield_now().await;
    };
    (ended, bytes)
}

/// The length of the next frame; `None` at the end.
fn data_len<B: Body + Unpin>(
    body: &mut B,
) -> impl Future<Output = Option<Result<u64, B::Error>>> + '_ {
    let len = |frame: Frame<B::Data>| frame.data_ref().map_or(0, |data| data.remaining() as u64);
    poll_fn(move |cx| {
        let frame = Pin::new(&mut *body).poll_frame(cx);
        frame.map(|frame| frame.map(|frame| frame.map(len)))
    })
}
