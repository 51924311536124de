//! A client's connection, and the heads that it reads.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::{TcpSocket, TcpStream},
};

/// Connects from one loopback address after the other: each has its own ports, of which those of
/// closed connections stay taken for a minute.
pub(crate) async fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let [.., high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 1, high, low.clamp(1, 254)), 0).into())?;
    let stream = socket.connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

pub(crate) fn put(path: &str, expect: bool, length: usize) -> String {
    let expect = if expect {
        "expect: 100-continue\r\n"
    } else {
        ""
    };
    format!("PUT {path} HTTP/1.1\r\nhost: localhost\r\n{expect}content-length: {length}\r\n\r\n")
}

pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) content_length: usize,
}

/// Reads one head after the other from what a connection sends.
#[derive(Default)]
pub(crate) struct Heads {
    unread: Vec<u8>,
}

impl Heads {
    /// The next head, be it interim.
    ///
    /// # Cancel safety
    ///
    /// What was read is kept for the next call.
    pub(crate) async fn next(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Head> {
        loop {
            if let Some((head, len)) = parse(&self.unread)? {
                self.unread.drain(..len);
                return Ok(head);
            }
            if stream.read_buf(&mut self.unread).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The head of the final response.
    pub(crate) async fn last(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Head> {
        loop {
            let head = self.next(stream).await?;
            if head.status >= 200 {
                return Ok(head);
            }
        }
    }

    pub(crate) async fn skip_content(
        &mut self,
        head: &Head,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<()> {
        while self.unread.len() < head.content_length {
            if stream.read_buf(&mut self.unread).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.unread.drain(..head.content_length);
        Ok(())
    }
}

fn parse(bytes: &[u8]) -> io::Result<Option<(Head, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut fields);
    let parsed = response.parse(bytes).map_err(io::Error::other)?;
    let httparse::Status::Complete(len) = parsed else {
        return Ok(None);
    };
    let length = response
        .headers
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case("content-length"))
        .and_then(|field| std::str::from_utf8(field.value).ok()?.parse().ok());
    let head = Head {
        status: response.code.unwrap_or_default(),
        content_length: length.unwrap_or(0),
    };
    Ok(Some((head, len)))
}
