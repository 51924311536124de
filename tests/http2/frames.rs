//! Frames as such: a record of those that the server has sent, and a client that sends any.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{ready, Context, Poll},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

use crate::support::within;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;

pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const INTERNAL_ERROR: u32 = 2;
pub(crate) const PROTOCOL_ERROR: u32 = 1;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) end_stream: bool,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// That of RST_STREAM.
    pub(crate) fn code(&self) -> u32 {
        u32::from_be_bytes(self.payload[..4].try_into().expect("four bytes"))
    }
}

/// All that the server has sent so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Arc<Mutex<Vec<u8>>>);

impl Record {
    pub(crate) fn frames(&self) -> Vec<Frame> {
        parse(&self.0.lock().unwrap()).0
    }

    pub(crate) fn extend(&self, bytes: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(bytes);
    }

    /// Forgets what there is.
    pub(crate) fn clear(&self) {
        let mut bytes = self.0.lock().unwrap();
        let whole = bytes.len() - parse(&bytes).1;
        bytes.drain(..whole);
    }

    pub(crate) fn of_stream(&self, stream: u32) -> Vec<Frame> {
        let mut frames = self.frames();
        frames.retain(|frame| {
            frame.stream == stream && matches!(frame.kind, DATA | HEADERS | RST_STREAM)
        });
        frames
    }

    pub(crate) fn kinds(&self, stream: u32) -> Vec<u8> {
        self.of_stream(stream)
            .iter()
            .map(|frame| frame.kind)
            .collect()
    }

    /// Waits for the stream to be reset, for the reason.
    pub(crate) async fn reset(&self, stream: u32) -> u32 {
        loop {
            let frames = self.of_stream(stream);
            if let Some(reset) = frames.iter().find(|frame| frame.kind == RST_STREAM) {
                return reset.code();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// The frames, and how many bytes of a further one are left.
fn parse(bytes: &[u8]) -> (Vec<Frame>, usize) {
    let mut frames = Vec::new();
    let mut rest = bytes;
    while rest.len() >= 9 {
        let len = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
        let Some(payload) = rest.get(9..9 + len) else {
            break;
        };
        let stream = u32::from_be_bytes([rest[5], rest[6], rest[7], rest[8]]) & (u32::MAX >> 1);
        frames.push(Frame {
            kind: rest[3],
            end_stream: matches!(rest[3], DATA | HEADERS) && rest[4] & 1 == 1,
            stream,
            payload: payload.to_vec(),
        });
        rest = &rest[9 + len..];
    }
    (frames, rest.len())
}

/// The client's end of the pipe.
pub(crate) struct Tap<I> {
    pub(crate) io: I,
    pub(crate) record: Record,
}

impl<I: AsyncRead + Unpin> AsyncRead for Tap<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        let read = &buffer.filled()[before..];
        self.record.extend(read);
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Tap<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// A client that sends what it is told to.
pub(crate) struct Raw {
    io: DuplexStream,
    pub(crate) record: Record,
}

impl Raw {
    /// Sends the preface and empty settings.
    pub(crate) async fn new(io: DuplexStream) -> Self {
        let record = Record::default();
        let mut raw = Self { io, record };
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        raw.io.write_all(preface).await.expect("open");
        raw.write(4, 0, 0, b"").await;
        raw
    }

    pub(crate) async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let len = u32::try_from(payload.len()).expect("short").to_be_bytes();
        let head = [len[1], len[2], len[3], kind, flags];
        self.io.write_all(&head).await.expect("open");
        self.io.write_u32(stream).await.expect("open");
        self.io.write_all(payload).await.expect("open");
    }

    /// `POST /` with content to follow.
    pub(crate) async fn post(&mut self, stream: u32) {
        self.write(HEADERS, 4, stream, &[0x83, 0x86, 0x84]).await;
    }

    pub(crate) async fn read_until(&mut self, enough: impl Fn(&[Frame]) -> bool) {
        while !enough(&self.record.frames()) {
            let mut buffer = [0; 4096];
            let len = within(5, self.io.read(&mut buffer)).await.expect("open");
            assert_ne!(len, 0, "closed");
            self.record.extend(&buffer[..len]);
        }
    }
}
