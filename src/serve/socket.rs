//! The socket below hyper.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{sleep, Sleep},
};

use super::{activity::Activity, preface::Rewound};
use crate::{deadline::after, LingerStream};

/// The socket of an HTTP/1 connection: it lingers, and the client may close its sending side after
/// a request (RFC 9112 §9.6).
///
/// Where hyper allows the latter, it does not read while a response is under way (1.12.0,
/// src/proto/h1/conn.rs:497), and so does not notice either that the client is gone. This looks in its
/// place, whenever hyper writes or flushes, which it does in every turn: a reset ends the connection at
/// once, and the end of what the client sends starts a clock.
///
/// Once the connection is upgraded, it is the socket and nothing more.
pub(super) struct Socket<Io> {
    io: LingerStream<Rewound<Io>>,
    activity: Activity,
    /// `None` for no limit.
    timeout: Option<Duration>,
    /// Runs once the client has closed its side, from then or from the last write on.
    clock: Option<Pin<Box<Sleep>>>,
    /// hyper reads by itself, and has been told to wait.
    is_read: bool,
    pause: Option<Pause>,
}

/// How long a body must have stood still before it is looked whether the client is gone. Between its pieces
/// a look would cost a read of its own.
const PAUSE: Duration = Duration::from_millis(100);

struct Pause {
    clock: Pin<Box<Sleep>>,
    /// How often bytes had arrived when it began.
    reads: usize,
}

impl<Io> Socket<Io> {
    pub(super) fn new(io: Rewound<Io>, activity: Activity, timeout: Option<Duration>) -> Self {
        Self {
            io: LingerStream::new(io),
            activity,
            timeout,
            clock: None,
            is_read: false,
            pause: None,
        }
    }
}

impl<Io: AsyncRead + Unpin> Socket<Io> {
    /// Ready when the client is gone, or is taken for gone.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.activity.is_upgraded() {
            return Poll::Pending;
        }
        if self.clock.is_none() && !self.is_read && self.may_look(cx) {
            match self.io.get_mut().poll_ahead(cx) {
                Poll::Ready(Ok(0)) => {
                    self.clock = self.timeout.map(|timeout| Box::pin(sleep(timeout)));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(error),
                Poll::Ready(Ok(_)) | Poll::Pending => {}
            }
        }
        let Some(clock) = &mut self.clock else {
            return Poll::Pending;
        };
        clock.as_mut().poll(cx).map(|()| {
            let message = "the client has closed its side, and there was no response in time";
            io::Error::new(io::ErrorKind::TimedOut, message)
        })
    }

    fn may_look(&mut self, cx: &mut Context<'_>) -> bool {
        // What hyper has of a response it may still have to write.
        if !self.activity.is_responding() && !self.activity.is_writing() {
            return false;
        }
        if !self.activity.is_receiving() {
            return true;
        }
        let reads = self.activity.reads();
        let pause = self.pause.get_or_insert_with(|| Pause {
            clock: Box::pin(sleep(PAUSE)),
            reads,
        });
        while pause.clock.as_mut().poll(cx).is_ready() {
            if pause.reads == reads {
                return true;
            }
            pause.reads = reads;
            pause.clock.as_mut().reset(after(PAUSE));
        }
        false
    }

    fn poll_written<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        self.activity.wrote(written.is_pending());
        if written.is_pending() {
            return self.poll_gone(cx).map(Err);
        }
        // The client was there to take something, or its kernel was.
        if let (Some(clock), Some(timeout)) = (&mut self.clock, self.timeout) {
            clock.as_mut().reset(after(timeout));
        }
        written
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Socket<Io> {
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

impl<Io: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.poll_written(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.poll_written(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(gone) = self.poll_gone(cx) {
            return Poll::Ready(Err(gone));
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.activity.is_upgraded() {
            // The owner may continue to read, also from another task.
            true => Pin::new(self.io.get_mut()).poll_shutdown(cx),
            false => Pin::new(&mut self.io).poll_shutdown(cx),
        }
    }
}
