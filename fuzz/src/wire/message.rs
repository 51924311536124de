//! What a client sends.

use arbitrary::Arbitrary;

/// A request as its client means it: what it sends as content is content.
#[derive(Arbitrary, Debug)]
pub struct Message {
    method: Method,
    path: Path,
    is_http_1_0: bool,
    expect: Expect,
    framing: Framing,
    connection: Connection,
    rejected: Option<Status>,
    content: Vec<Content>,
    sends: Sends,
}

/// When the content is sent.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sends {
    AtOnce,
    Later,
    /// Not at all, if the final response comes first.
    AfterThe100,
}

#[derive(Arbitrary, Debug)]
enum Method {
    Put,
    Get,
    Head,
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
    None,
    Continue,
    TwoLines,
    List,
    Unknown,
    Malformed,
    Empty,
    Any(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum Framing {
    Length,
    Chunked,
    None,
}

#[derive(Arbitrary, Debug)]
enum Connection {
    Unsaid,
    Close,
    KeepAlive,
}

#[derive(Arbitrary, Debug)]
enum Status {
    Unauthorized,
    TooLarge,
    ExpectationFailed,
}

#[derive(Arbitrary, Debug)]
enum Content {
    Hidden,
    Filler(u8),
    Much,
    Any(Vec<u8>),
}

/// For `/hidden`, which no client asks for.
const HIDDEN: &[u8] = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

impl Message {
    pub fn head(&self) -> Vec<u8> {
        let method = match self.method {
            Method::Put => "PUT",
            Method::Get => "GET",
            Method::Head => "HEAD",
        };
        let path = format!("{:?}", self.path).to_lowercase();
        let version = if self.is_http_1_0 { "1.0" } else { "1.1" };
        let mut head = format!("{method} /{path} HTTP/{version}\r\nHost: a\r\n").into_bytes();
        for line in self.expect.lines() {
            head.extend([b"Expect: ", line, b"\r\n"].concat());
        }
        let framing = match self.framing {
            Framing::Length => format!("Content-Length: {}\r\n", self.raw_content().len()),
            Framing::Chunked => "Transfer-Encoding: chunked\r\n".to_owned(),
            Framing::None => String::new(),
        };
        let rejected = match self.rejected {
            Some(Status::Unauthorized) => "x-reject: 401\r\n",
            Some(Status::TooLarge) => "x-reject: 413\r\n",
            Some(Status::ExpectationFailed) => "x-reject: 417\r\n",
            None => "",
        };
        let connection = match self.connection {
            Connection::Unsaid => "",
            Connection::Close => "Connection: close\r\n",
            Connection::KeepAlive => "Connection: keep-alive\r\n",
        };
        head.extend([&framing, rejected, connection, "\r\n"].concat().as_bytes());
        head
    }

    pub fn sends(&self) -> Sends {
        let asks = !matches!(self.expect, Expect::None | Expect::Empty | Expect::Any(_));
        match self.sends {
            // Who has not asked owes the content whatever the answer.
            Sends::AfterThe100 if self.is_http_1_0 || !asks => Sends::Later,
            sends => sends,
        }
    }

    /// With its framing.
    pub fn content(&self) -> Vec<u8> {
        match self.framing {
            Framing::None => Vec::new(),
            Framing::Length => self.raw_content(),
            Framing::Chunked => {
                let mut framed = Vec::new();
                for piece in self.pieces().filter(|piece| !piece.is_empty()) {
                    framed.extend(format!("{:x}\r\n", piece.len()).bytes());
                    framed.extend([&piece, &b"\r\n"[..]].concat());
                }
                framed.extend(b"0\r\n\r\n");
                framed
            }
        }
    }

    fn raw_content(&self) -> Vec<u8> {
        self.pieces().collect::<Vec<_>>().concat()
    }

    fn pieces(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.content.iter().map(|piece| match piece {
            Content::Hidden => HIDDEN.to_vec(),
            Content::Filler(length) => vec![b'x'; usize::from(*length)],
            // More than the layer reads for the connection to go on.
            Content::Much => HIDDEN.repeat(65_536 / HIDDEN.len() + 1),
            Content::Any(bytes) => bytes.clone(),
        })
    }
}

impl Expect {
    fn lines(&self) -> Vec<&[u8]> {
        match self {
            Self::None => vec![],
            Self::Continue => vec![b"100-continue"],
            Self::TwoLines => vec![b"100-continue", b"100-Continue"],
            Self::List => vec![b"100-continue, 100-continue"],
            Self::Unknown => vec![b"200-ok"],
            Self::Malformed => vec![b"y 100-continue"],
            Self::Empty => vec![b" ,"],
            // A line break would let the client mean something else.
            Self::Any(value) if value.iter().any(|byte| b"\r\n".contains(byte)) => vec![],
            Self::Any(value) => vec![value],
        }
    }
}

/// A part of a stream of which nobody knows what it means.
#[derive(Arbitrary, Debug)]
pub enum Piece {
    Message(Message),
    Token(u8),
    Any(Vec<u8>),
}

impl Piece {
    pub fn bytes(&self) -> Vec<u8> {
        const TOKENS: [&str; 12] = [
            "\r\n",
            "\r\n\r\n",
            "PUT /early HTTP/1.1\r\nHost: a\r\n",
            "PUT /all HTTP/1.1\r\nHost: a\r\n",
            "Expect: 100-continue\r\n",
            "Expect: foo\r\n",
            "Content-Length: 5\r\n",
            "Content-Length: 70000\r\n",
            "Transfer-Encoding: chunked\r\n",
            "5\r\nhello\r\n",
            "0\r\n\r\n",
            "hello",
        ];

        match self {
            Self::Message(message) => [message.head(), message.content()].concat(),
            Self::Token(token) => TOKENS[usize::from(*token) % TOKENS.len()].into(),
            Self::Any(bytes) => bytes.clone(),
        }
    }
}
