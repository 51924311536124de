//! The way back of one stream: interim response, response, reset.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    thread,
};

use bytes::Bytes;
use h2::{server::SendResponse, Reason, SendStream};
use http::{Response, StatusCode};

use crate::ContinueSignal;

/// Sends the responses of one stream: interim, final, or reset.
///
/// If the task panics before the response is complete, the stream is reset with `INTERNAL_ERROR`. h2 by itself
/// would use `CANCEL`, which means that the response is not needed.
pub(super) struct Reply {
    sender: Sender,
    complete: bool,
}

enum Sender {
    Own(SendResponse<Bytes>),
    /// With the signal, which may be fired from anywhere. Sending at once, rather than from the
    /// stream's task, also serves a handler that blocks while it waits for the body.
    Shared(Arc<Mutex<SendResponse<Bytes>>>, ContinueSignal),
}

impl Reply {
    pub(super) fn new(sender: SendResponse<Bytes>) -> Self {
        Self {
            sender: Sender::Own(sender),
            complete: false,
        }
    }

    pub(super) fn with_signal(sender: SendResponse<Bytes>) -> (Self, ContinueSignal) {
        let sender = Arc::new(Mutex::new(sender));
        let shared = Arc::clone(&sender);
        let signal = ContinueSignal::new(move || {
            let mut interim = Response::new(());
            *interim.status_mut() = StatusCode::CONTINUE;
            // On a stream that is gone it does nothing.
            let _ = lock(&shared).send_informational(interim);
        });
        let reply = Self {
            sender: Sender::Shared(sender, signal.clone()),
            complete: false,
        };
        (reply, signal)
    }

    /// Ready when the client has reset the stream, or the connection has ended. Must not be polled once the
    /// response has begun.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.with(|sender| sender.poll_reset(cx)).map(drop)
    }

    /// `None` if the stream is gone.
    pub(super) fn respond(
        &mut self,
        response: Response<()>,
        end: bool,
    ) -> Option<SendStream<Bytes>> {
        // h2 does not look at the stream's state when it sends an interim response: after the head
        // of the final one it would break the stream (0.4.20, src/proto/streams/send.rs:162-190).
        self.close_signal();
        let sent = self.with(|sender| sender.send_response(response, end));
        self.complete = end && sent.is_ok();
        sent.ok()
    }

    /// The response's END_STREAM is on its way: nothing may reset the stream any more.
    pub(super) fn set_complete(&mut self) {
        self.complete = true;
    }

    /// Nothing, if the response is complete.
    pub(super) fn fail(&mut self) {
        self.close_signal();
        if !self.complete {
            self.with(|sender| sender.send_reset(Reason::INTERNAL_ERROR));
        }
    }

    fn close_signal(&self) {
        if let Sender::Shared(_, signal) = &self.sender {
            signal.close();
        }
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut SendResponse<Bytes>) -> T) -> T {
        match &mut self.sender {
            Sender::Own(sender) => act(sender),
            Sender::Shared(sender, _) => act(&mut lock(sender)),
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        // A signal that somebody keeps must not keep the stream.
        self.close_signal();
        if thread::panicking() {
            self.fail();
        }
    }
}

fn lock(sender: &Mutex<SendResponse<Bytes>>) -> MutexGuard<'_, SendResponse<Bytes>> {
    sender.lock().unwrap_or_else(PoisonError::into_inner)
}
