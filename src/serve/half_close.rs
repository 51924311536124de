//! Clients that close their side and wait for the response.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{ready, Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{sleep, Sleep},
};

use super::{activity::Activity, preface::Rewound};
use crate::deadline::after;

/// The socket of an HTTP/1 connection on which a client may close its sending side after a request
/// (RFC 9112 §9.6).
///
/// Where hyper allows that, it does not read while a response is under way (1.12.0,
/// src/proto/h1/conn.rs:497), and so does not notice either that the client is gone. This looks in its
/// place, whenever hyper flushes, which it does in every turn: a reset ends the connection at once, and
/// the end of what the client sends starts a clock.
pub(super) struct HalfClose<Io> {
    io: Rewound<Io>,
    activity: Activity,
    /// `None` for no limit.
    timeout: Option<Duration>,
    /// Runs once the client has closed its side, from then or from the last write on.
    clock: Option<Pin<Box<Sleep>>>,
    /// hyper reads by itself, and has been told to wait.
    is_read: bool,
}

impl<Io> HalfClose<Io> {
    pub(super) fn new(io: Rewound<Io>, activity: Activity, timeout: Option<Duration>) -> Self {
        Self {
            io,
            activity,
            timeout,
            clock: None,
            is_read: false,
        }
    }
}

impl<Io: AsyncRead + Unpin> HalfClose<Io> {
    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.clock.is_none() && !self.is_read && self.activity.is_responding() {
            if let Poll::Ready(0) = self.io.poll_ahead(cx)? {
                self.clock = self.timeout.map(|timeout| Box::pin(sleep(timeout)));
            }
        }
        let Some(clock) = &mut self.clock else {
            return Poll::Pending;
        };
        ready!(clock.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client has closed its side, and there was no response in time",
        )))
    }

    /// The client was there to take something, or its kernel was.
    fn wrote(&mut self) {
        if let (Some(clock), Some(timeout)) = (&mut self.clock, self.timeout) {
            clock.as_mut().reset(after(timeout));
        }
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for HalfClose<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.io).poll_read(cx, buffer);
        this.is_read = read.is_pending();
        if buffer.filled().len() > before {
            this.activity.received();
        } else if read.is_ready() {
            // The owner knows.
            this.clock = None;
            this.is_read = true;
        }
        read
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> AsyncWrite for HalfClose<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes));
        self.wrote();
        Poll::Ready(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices));
        self.wrote();
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(gone) = self.poll_client(cx) {
            return Poll::Ready(gone);
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
