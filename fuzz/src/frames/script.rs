//! What a client sends: mostly frames that make sense, in an order that need not.

use arbitrary::Arbitrary;
use tokio::io::DuplexStream;

use crate::pipe::{self, pause, Manner, Pipe};

#[derive(Arbitrary, Debug)]
pub struct Script {
    pieces: Vec<Piece>,
    manner: Manner,
}

#[derive(Arbitrary, Debug)]
enum Piece {
    Request(Stream, Request),
    Data {
        stream: Stream,
        length: u16,
        padded: bool,
        end: bool,
    },
    Trailers(Stream),
    Reset {
        stream: Stream,
        reason: u8,
    },
    WindowUpdate {
        stream: Stream,
        by: u32,
    },
    Setting {
        id: u8,
        value: u16,
    },
    Acknowledge,
    Ping {
        acknowledges: bool,
    },
    GoAway,
    Priority(Stream),
    Continuation {
        stream: Stream,
        block: Vec<u8>,
        end: bool,
    },
    Frame {
        kind: u8,
        flags: u8,
        stream: Stream,
        payload: Vec<u8>,
    },
    Bytes(Vec<u8>),
    Pause,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Stream(u8);

#[derive(Arbitrary, Debug)]
struct Request {
    is_get: bool,
    path: Path,
    expect: Option<Expect>,
    length: Option<u16>,
    rejected: bool,
    more: Vec<u8>,
    end_headers: bool,
    end: bool,
}

/// What the service does; see [`answer`](crate::app::answer).
#[derive(Arbitrary, Debug)]
enum Path {
    All,
    Early,
    Frame,
    Hold,
    Late,
    Later,
    Stream,
    Fail,
}

#[derive(Arbitrary, Debug)]
enum Expect {
    Continue,
    List,
    Unknown,
    Malformed,
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

impl Script {
    /// Returns all that the server has sent.
    pub async fn play(&self, io: DuplexStream) -> Vec<u8> {
        pipe::play(io, &self.manner, async |pipe: &mut Pipe<'_>| {
            pipe.write(&[PREFACE, &frame(4, 0, 0, &[])].concat())
                .await?;
            for piece in &self.pieces {
                match piece {
                    Piece::Pause => pause().await,
                    piece => pipe.write(&piece.bytes()).await?,
                }
            }
            Ok(())
        })
        .await
    }
}

impl Stream {
    /// Mostly one of the first four of a client.
    fn id(self) -> u32 {
        let number = u32::from(self.0);
        match number {
            0..=199 => 2 * (number % 4) + 1,
            _ => number - 200,
        }
    }
}

impl Piece {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Request(stream, request) => {
                let end = if request.end { END_STREAM } else { 0 };
                let end_headers = if request.end_headers { END_HEADERS } else { 0 };
                frame(1, end | end_headers, stream.id(), &request.block())
            }
            Self::Data {
                stream,
                length,
                padded,
                end,
            } => {
                let end = if *end { END_STREAM } else { 0 };
                let content = vec![b'x'; usize::from(*length)];
                match padded {
                    true => frame(
                        0,
                        end | PADDED,
                        stream.id(),
                        &[&[2][..], &content, &[0; 2]].concat(),
                    ),
                    false => frame(0, end, stream.id(), &content),
                }
            }
            Self::Trailers(stream) => frame(
                1,
                END_STREAM | END_HEADERS,
                stream.id(),
                &field("x-sum", "1"),
            ),
            Self::Reset { stream, reason } => {
                frame(3, 0, stream.id(), &u32::from(*reason).to_be_bytes())
            }
            Self::WindowUpdate { stream, by } => frame(8, 0, stream.id(), &by.to_be_bytes()),
            Self::Setting { id, value } => {
                // Small, as is the table of the decoder of what comes back.
                let value = u32::from(*value).to_be_bytes();
                frame(4, 0, 0, &[&[0, id % 10], &value[..]].concat())
            }
            Self::Acknowledge => frame(4, ACK, 0, &[]),
            Self::Ping { acknowledges } => frame(6, u8::from(*acknowledges), 0, &[7; 8]),
            Self::GoAway => frame(7, 0, 0, &[0; 8]),
            Self::Priority(stream) => frame(2, 0, stream.id(), &[0, 0, 0, 0, 16]),
            Self::Continuation { stream, block, end } => {
                frame(9, if *end { END_HEADERS } else { 0 }, stream.id(), block)
            }
            Self::Frame {
                kind,
                flags,
                stream,
                payload,
            } => frame(*kind, *flags, stream.id(), payload),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Pause => Vec::new(),
        }
    }
}

impl Request {
    fn block(&self) -> Vec<u8> {
        // `:method`, `:scheme: http` from HPACK's static table.
        let mut block = vec![if self.is_get { 0x82 } else { 0x83 }, 0x86];
        block.extend(field(":path", &format!("/{:?}", self.path).to_lowercase()));
        if let Some(expect) = &self.expect {
            block.extend(field("expect", expect.value()));
        }
        if let Some(length) = self.length {
            block.extend(field("content-length", &length.to_string()));
        }
        if self.rejected {
            block.extend(field("x-reject", "413"));
        }
        block.extend(&self.more);
        block
    }
}

impl Expect {
    fn value(&self) -> &'static str {
        match self {
            Self::Continue => "100-continue",
            Self::List => "100-continue, 100-Continue",
            Self::Unknown => "200-ok",
            Self::Malformed => "y 100-continue",
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head, &stream.to_be_bytes()[..], payload].concat()
}

/// A literal field, which HPACK does not remember.
fn field(name: &str, value: &str) -> Vec<u8> {
    let string = |text: &str| {
        let length = u8::try_from(text.len()).expect("short");
        [&[length], text.as_bytes()].concat()
    };
    [vec![0], string(name), string(value)].concat()
}
