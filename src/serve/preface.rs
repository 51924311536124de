//! Telling HTTP/2 from HTTP/1 by the first bytes.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{ready, Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What an HTTP/2 client sends first (RFC 9113 §3.4), also after it has agreed on HTTP/2 by ALPN.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads as much as it takes to tell whether the client speaks HTTP/2.
///
/// # Cancel safety
///
/// None: the connection is lost.
pub(super) async fn sniff<I>(io: I) -> io::Result<(bool, Rewound<I>)>
where
    I: AsyncRead + Unpin,
{
    let mut rewound = Rewound {
        bytes: [0; PREFACE.len()],
        read: 0,
        given: 0,
        io,
    };
    let is_http2 = poll_fn(|cx| rewound.poll_sniff(cx)).await?;
    Ok((is_http2, rewound))
}

/// A stream that begins with the bytes that were read for a look.
#[derive(Debug)]
pub(super) struct Rewound<I> {
    bytes: [u8; PREFACE.len()],
    read: usize,
    given: usize,
    io: I,
}

impl<I: AsyncRead + Unpin> Rewound<I> {
    /// Reads ahead, if nothing has been read ahead. How many bytes there are; 0 at the end.
    pub(super) fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.given == self.read {
            (self.given, self.read) = (0, 0);
            let mut buffer = ReadBuf::new(&mut self.bytes);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
            self.read = buffer.filled().len();
        }
        Poll::Ready(Ok(self.read - self.given))
    }

    fn poll_sniff(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            if self.bytes[..self.read] != PREFACE[..self.read] {
                return Poll::Ready(Ok(false));
            }
            if self.read == PREFACE.len() {
                return Poll::Ready(Ok(true));
            }
            let mut buffer = ReadBuf::new(&mut self.bytes[self.read..]);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
            match buffer.filled().len() {
                // Closed already. HTTP/1 knows what to do about that.
                0 => return Poll::Ready(Ok(false)),
                more => self.read += more,
            }
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Rewound<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let rest = &this.bytes[this.given..this.read];
        if rest.is_empty() {
            return Pin::new(&mut this.io).poll_read(cx, buffer);
        }
        let len = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..len]);
        this.given += len;
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Rewound<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
