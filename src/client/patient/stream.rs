//! The socket.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::time::{sleep, Instant, Sleep};

/// A socket that withholds a write error until its read side has ended.
///
/// If a server responds early, for example with a 413, and closes while the client is sending, the client's
/// next write fails. hyper then ends the connection, although the response is in the socket, unread (hyper
/// 1.12, `proto/h1/dispatch.rs:453`). With this socket the failed write is pending instead, while reading
/// continues. When reading has ended or failed, writes fail with the withheld error.
///
/// It helps every request with a body, with or without `Expect`, and needs no change in the server. It is the
/// client's counterpart of [`LingerStream`](crate::LingerStream).
///
/// Use it as the IO of an HTTP/1.1 client: as `Io` of tokio's traits or of hyper's. Reads and writes must come
/// from one task, as hyper's do. [`PatientConnector`](super::PatientConnector) makes a connector of hyper-util use it.
///
/// With TLS, put it around the TLS stream. It works below TLS as well, but there it does not notice that the
/// reader has reached the end of the TLS stream and stops reading. A failed write is reported 30 seconds after
/// the last read at the latest. Until then the socket and the request's body are kept, also after the caller
/// has dropped a response whose body it has not read to its end: read it, if rejections are many.
///
/// # Cancel safety
///
/// The same as that of the wrapped socket. A pending write has taken none of its bytes.
///
/// # Panics
///
/// If a write fails outside of a tokio runtime with a time driver.
#[derive(Debug)]
pub struct PatientStream<Io> {
    pub(super) io: Io,
    patience: Patience,
}

#[derive(Debug, Default)]
struct Patience {
    kept: Option<Kept>,
    read_ended: bool,
}

/// A write error.
#[derive(Debug)]
struct Kept {
    kind: io::ErrorKind,
    writer: Waker,
    /// For a reader that is gone.
    end: Pin<Box<Sleep>>,
}

/// From the last read to the end of a write that has failed.
const READS_NO_MORE: Duration = Duration::from_secs(30);

impl<Io> PatientStream<Io> {
    /// Creates a stream from a socket.
    pub fn new(io: Io) -> Self {
        Self {
            io,
            patience: Patience::default(),
        }
    }

    /// Returns a reference to the wrapped socket.
    pub fn get_ref(&self) -> &Io {
        &self.io
    }

    /// Returns a mutable reference to the wrapped socket.
    pub fn get_mut(&mut self) -> &mut Io {
        &mut self.io
    }

    /// Returns the wrapped socket, without this stream.
    pub fn into_inner(self) -> Io {
        self.io
    }

    pub(super) fn write<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(&mut Io, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let patience = &mut self.patience;
        let kept = match &mut patience.kept {
            Some(kept) => kept,
            kept => match write(&mut self.io, cx) {
                Poll::Ready(Err(error)) if !patience.read_ended && is_by_peer(&error) => {
                    // What has come is there, but the reader may not know.
                    cx.waker().wake_by_ref();
                    kept.insert(Kept {
                        kind: error.kind(),
                        writer: cx.waker().clone(),
                        end: Box::pin(sleep(READS_NO_MORE)),
                    })
                }
                other => return other,
            },
        };
        // hyper flushes before it ends a connection (hyper 1.12, `proto/h1/io.rs:338`): were this pending
        // for good, the connection would never end.
        if patience.read_ended || kept.end.as_mut().poll(cx).is_ready() {
            patience.read_ended = true;
            return Poll::Ready(Err(kept.kind.into()));
        }
        kept.writer.clone_from(cx.waker());
        Poll::Pending
    }

    pub(super) fn note_reader(&mut self) {
        if let Some(kept) = &mut self.patience.kept {
            kept.end.as_mut().reset(Instant::now() + READS_NO_MORE);
        }
    }

    /// `room` is that in the reader's buffer, before and after, in bytes.
    pub(super) fn note_read(&mut self, result: &io::Result<()>, room: usize, left: usize) {
        let is_end = room > 0 && left == room;
        if result.is_ok() && !is_end {
            return;
        }
        self.patience.read_ended = true;
        if let Some(kept) = &self.patience.kept {
            kept.writer.wake_by_ref();
        }
    }

    /// After a kept error there is nothing to shut down, and nobody to tell.
    pub(super) fn shut_down(&self, result: Poll<io::Result<()>>) -> Poll<io::Result<()>> {
        match result {
            Poll::Ready(Err(_)) if self.patience.kept.is_some() => Poll::Ready(Ok(())),
            result => result,
        }
    }
}

/// The peer has closed, and what it has sent may still be there to read.
fn is_by_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
    )
}
