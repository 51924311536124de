//! The socket.

use std::{
    io,
    task::{Context, Poll, Waker},
};

/// A socket that keeps a write error back until its read side has ended.
///
/// A server that responds early, such as with a 413, and closes while the client still sends, makes the
/// next write fail. hyper then ends the connection, although the response lies in the socket, unread (hyper
/// 1.12, `proto/h1/dispatch.rs:453`). Here the failed write is pending instead, while reading goes on. Once
/// reading has come to its end, or failed itself, writes fail with the error that was kept.
///
/// It helps every request with a body, with `Expect` or without, and needs no help from the server. It is the
/// client's side of what [`LingerStream`](crate::LingerStream) is on the server's.
///
/// Use it as the IO of an HTTP/1.1 client: as `Io` of tokio's traits or of hyper's. Reads and writes must come
/// from one task, as hyper's do. [`PatientConnector`](super::PatientConnector) makes a connector of hyper-util use it.
///
/// With TLS, put it outside: around the stream that encrypts. Below, it can't see that TLS has ended and that
/// nobody reads on.
///
/// # Cancel safety
///
/// As the wrapped socket. A pending write has taken none of its bytes.
#[derive(Debug)]
pub struct PatientStream<Io> {
    pub(super) io: Io,
    patience: Patience,
}

#[derive(Debug, Default)]
struct Patience {
    kept: Option<io::ErrorKind>,
    read_ended: bool,
    writer: Option<Waker>,
}

impl<Io> PatientStream<Io> {
    /// Wraps a socket.
    pub fn new(io: Io) -> Self {
        Self {
            io,
            patience: Patience::default(),
        }
    }

    /// Returns the wrapped socket.
    pub fn get_ref(&self) -> &Io {
        &self.io
    }

    /// Returns the wrapped socket, mutably.
    pub fn get_mut(&mut self) -> &mut Io {
        &mut self.io
    }

    /// Unwraps the socket.
    pub fn into_inner(self) -> Io {
        self.io
    }

    pub(super) fn write<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(&mut Io, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let patience = &mut self.patience;
        if patience.kept.is_none() {
            match write(&mut self.io, cx) {
                Poll::Ready(Err(error)) if !patience.read_ended && is_by_peer(&error) => {
                    patience.kept = Some(error.kind());
                    // What has come is there, but the reader may not know.
                    cx.waker().wake_by_ref();
                }
                other => return other,
            }
        }
        match patience.kept {
            // hyper flushes before it ends a connection (hyper 1.12, `proto/h1/io.rs:338`): were this
            // pending, too, the connection would never end.
            Some(kind) if patience.read_ended => Poll::Ready(Err(kind.into())),
            _ => {
                patience.writer = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// `room` is that in the reader's buffer, before and after, in bytes.
    pub(super) fn note_read(&mut self, result: &io::Result<()>, room: usize, left: usize) {
        let is_end = room > 0 && left == room;
        if result.is_ok() && !is_end {
            return;
        }
        self.patience.read_ended = true;
        if let Some(writer) = self.patience.writer.take() {
            writer.wake();
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
