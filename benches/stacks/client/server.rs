//! A server in memory: sends a 100 to who asks, and reads bodies of the one length that is sent.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use hyper::rt::{Read, ReadBufCursor, Write};

use super::super::requests::CONTENT;

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const PUT: &[u8] = b"PUT ";

/// The socket's other end. It wakes nobody: both sides are polled in turn.
#[derive(Default)]
pub(super) struct Server {
    /// Of the body that it is about to read.
    owed: usize,
    says: &'static [u8],
}

impl Server {
    /// A head comes in one piece, alone or with the body behind it.
    fn take(&mut self, piece: &[u8]) {
        if self.owed > 0 {
            self.owed -= piece.len();
        } else {
            let head = piece.strip_suffix(END_OF_HEAD).expect("a whole head");
            self.owed = if head.starts_with(PUT) {
                CONTENT.len()
            } else {
                0
            };
        }
    }

    /// After one write: a client whose body is not there yet waits for the 100.
    fn answer(&mut self) {
        self.says = match self.owed {
            0 => OK,
            owed if owed == CONTENT.len() => CONTINUE,
            _ => &[],
        };
    }
}

impl Read for Server {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.says.is_empty() {
            return Poll::Pending;
        }
        buffer.put_slice(std::mem::take(&mut self.says));
        Poll::Ready(Ok(()))
    }
}

impl Write for Server {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            self.take(piece);
        }
        self.answer();
        Poll::Ready(Ok(pieces.iter().map(|piece| piece.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
