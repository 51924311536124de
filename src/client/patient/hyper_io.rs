//! The socket of hyper's traits.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{ready, Context, Poll},
};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use tokio::io::{AsyncRead, ReadBuf};

use super::PatientStream;

impl<Io: Read + Unpin> Read for PatientStream<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let watched = Watched(&mut *self);
        Pin::new(&mut TokioIo::new(watched)).poll_read(cx, buffer)
    }
}

/// Sees how much is read, which hyper's buffer does not tell. hyper-util turns the one kind of buffer
/// into the other in place.
struct Watched<'a, Io>(&'a mut PatientStream<Io>);

impl<Io: Read + Unpin> AsyncRead for Watched<'_, Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = &mut *self.0;
        stream.note_reader();
        let room = buffer.remaining();
        let mut io = TokioIo::new(&mut stream.io);
        let result = ready!(Pin::new(&mut io).poll_read(cx, buffer));
        stream.note_read(&result, room, buffer.remaining());
        Poll::Ready(result)
    }
}

impl<Io: Write + Unpin> Write for PatientStream<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |io, cx| Pin::new(io).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |io, cx| Pin::new(io).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write(cx, |io, cx| Pin::new(io).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_shutdown(cx);
        self.shut_down(result)
    }
}

impl<Io: Connection> Connection for PatientStream<Io> {
    fn connected(&self) -> Connected {
        self.io.connected()
    }
}
