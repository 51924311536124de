//! Looking at the frames that a client sends, to know what it has begun.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{ready, Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// Since when a client owes the rest of something that it must send in one piece.
#[derive(Clone, Debug)]
pub(super) struct Owed(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    since: Option<Instant>,
    settled: bool,
}

impl Owed {
    /// Of a new connection, which owes the preface and SETTINGS.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            since: Some(Instant::now()),
            settled: false,
        })))
    }

    /// `None` while nothing is owed: a body may come as slowly as it likes.
    pub(super) fn since(&self) -> Option<Instant> {
        self.lock().since
    }

    /// Whether the client has sent its SETTINGS.
    pub(super) fn is_settled(&self) -> bool {
        self.lock().settled
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose frames are followed as they are read (RFC 9113 §4.1).
///
/// h2 shows no frame that is not complete, and blocks the whole connection while a header block is not
/// (RFC 9113 §4.3).
pub(super) struct Watched<I> {
    io: I,
    owed: Owed,
    at: At,
    /// Between HEADERS and the frame that ends their block.
    in_headers: bool,
    settled: bool,
    owes: bool,
}

enum At {
    /// So many bytes of the preface, or of a payload, are still to come.
    Skip { left: usize, owed: bool },
    /// So many bytes of a frame's head have come.
    Head { bytes: [u8; 9], len: usize },
}

const PREFACE: usize = 24;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

impl<I> Watched<I> {
    pub(super) fn new(io: I, owed: Owed) -> Self {
        Self {
            io,
            owed,
            at: At::Skip {
                left: PREFACE,
                owed: true,
            },
            in_headers: false,
            settled: false,
            owes: true,
        }
    }

    fn follow(&mut self, mut bytes: &[u8]) {
        let mut paid = false;
        while !bytes.is_empty() {
            match &mut self.at {
                At::Skip { left, .. } => {
                    let skipped = bytes.len().min(*left);
                    bytes = &bytes[skipped..];
                    *left -= skipped;
                }
                At::Head { bytes: head, len } => {
                    let taken = bytes.len().min(head.len() - *len);
                    head[*len..*len + taken].copy_from_slice(&bytes[..taken]);
                    bytes = &bytes[taken..];
                    *len += taken;
                    if *len == head.len() {
                        let head = *head;
                        self.begin(head);
                    }
                }
            }
            if let At::Skip { left: 0, .. } = self.at {
                self.at = At::Head {
                    bytes: [0; 9],
                    len: 0,
                };
                paid |= self.settled && !self.in_headers;
            }
        }
        self.note(paid);
    }

    fn begin(&mut self, [a, b, c, kind, flags, ..]: [u8; 9]) {
        match kind {
            SETTINGS => self.settled = true,
            HEADERS | CONTINUATION => self.in_headers = flags & END_HEADERS == 0,
            _ => {}
        }
        self.at = At::Skip {
            left: u32::from_be_bytes([0, a, b, c]) as usize,
            owed: kind != DATA,
        };
    }

    /// `paid` tells that something whole has come.
    fn note(&mut self, paid: bool) {
        let in_frame = match self.at {
            At::Skip { owed, .. } => owed,
            At::Head { len, .. } => len > 0,
        };
        let owes = in_frame || self.in_headers || !self.settled;
        if owes == self.owes && !(owes && paid) {
            return;
        }
        self.owes = owes;
        let mut inner = self.owed.lock();
        inner.settled = self.settled;
        inner.since = owes.then(Instant::now);
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        self.follow(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
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
