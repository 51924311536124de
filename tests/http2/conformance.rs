//! What RFC 9113 asks of servers, case by case: frames that are sent, and the reaction to them.

mod bytes;
mod frame_types;
mod messages;
mod sequences;
mod streams;

use std::{fmt, time::Duration};

use ::bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tower_expect::http2::{Builder, RequestBody};

use self::bytes::{frame, get, SETTINGS};
use crate::support::{
    answering, collect, Frame, Raw, Record, DATA, GOAWAY, HEADERS, PING, RST_STREAM,
};

const FLOW_CONTROL_ERROR: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const FRAME_SIZE_ERROR: u32 = 6;
const REFUSED_STREAM: u32 = 7;

struct Case {
    name: &'static str,
    frames: Vec<Vec<u8>>,
    expected: Reaction,
    /// What the RFC says by its letter, and why the reaction is allowed all the same.
    differs: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reaction {
    /// The connection ends with this code.
    GoAway(u32),
    /// This stream ends with this code, and the connection goes on.
    Reset(u32, u32),
    /// This stream is answered, and the connection goes on.
    Served(u32),
    /// The connection goes on, and no stream is heard of.
    Nothing,
    /// The client hears no more, and not why.
    Closed,
    /// The client waits for an answer in vain.
    Stuck,
}

fn case(name: &'static str, frames: impl Into<Vec<Vec<u8>>>, expected: Reaction) -> Case {
    Case {
        name,
        frames: frames.into(),
        expected,
        differs: None,
    }
}

impl Case {
    fn although(mut self, reason: &'static str) -> Self {
        self.differs = Some(reason);
        self
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.name, self.expected)?;
        match self.differs {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}

/// A request after all that a case has sent, to see that the connection goes on.
const PROBE: u32 = 1001;

/// Every case on a connection of its own.
async fn check(cases: impl IntoIterator<Item = Case>) {
    let mut failed = Vec::new();
    for case in cases {
        let seen = react(&case).await;
        if seen != case.expected {
            failed.push(format!("{case}, but was {seen:?}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

async fn react(case: &Case) -> Reaction {
    let (near, mut io) = tokio::io::duplex(1 << 20);
    let server = Builder::new().serve_connection(near, answering(answer));
    let server = tokio::spawn(server);
    let preface = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, b""),
    ];
    let mut sent = preface.concat();
    sent.extend(case.frames.concat());
    sent.extend(get(PROBE));
    io.write_all(&sent).await.expect("room for all");
    let record = Record::default();
    let seen = loop {
        if let Some(seen) = reaction(&record, &case.expected) {
            break seen;
        }
        let mut buffer = Vec::with_capacity(4096);
        let read = timeout(Duration::from_secs(5), io.read_buf(&mut buffer)).await;
        match read {
            Ok(Ok(len)) if len > 0 => record.extend(&buffer),
            Ok(_) => break Reaction::Closed,
            Err(_) => break Reaction::Stuck,
        }
    };
    server.abort();
    seen
}

/// `None` until it is certain.
fn reaction(record: &Record, expected: &Reaction) -> Option<Reaction> {
    let frames = record.frames();
    if let Some(frame) = frames.iter().find(|frame| frame.kind == GOAWAY) {
        let code = frame.payload[4..8].try_into().expect("four bytes");
        return Some(Reaction::GoAway(u32::from_be_bytes(code)));
    }
    let is_over = |stream| {
        let of_stream = record.of_stream(stream);
        let mut ends = of_stream.iter();
        ends.any(|frame| frame.end_stream || frame.kind == RST_STREAM)
    };
    if !is_over(PROBE) {
        return None;
    }
    if let Some(frame) = frames.iter().find(|frame| frame.kind == RST_STREAM) {
        return Some(Reaction::Reset(frame.stream, frame.code()));
    }
    if let Reaction::Served(stream) = *expected {
        return is_over(stream).then_some(Reaction::Served(stream));
    }
    // It would have come before the answer to the probe.
    let other = frames
        .iter()
        .find(|frame| matches!(frame.kind, DATA | HEADERS) && frame.stream != PROBE);
    Some(other.map_or(Reaction::Nothing, |frame| Reaction::Served(frame.stream)))
}

/// Reads the content first. `/hold` is never answered.
async fn answer(request: Request<RequestBody>) -> Response<Full<Bytes>> {
    if request.uri().path() == "/hold" {
        std::future::pending::<()>().await;
    }
    match collect(request.into_body()).await {
        Ok(content) => Response::new(Full::from(content)),
        // The stream is gone.
        Err(_) => std::future::pending().await,
    }
}

#[tokio::test]
async fn streams_are_treated_as_section_5_asks() {
    check(streams::cases()).await;
}

#[tokio::test]
async fn frames_of_each_type_are_treated_as_sections_4_and_6_ask() {
    check(frame_types::cases().into_iter().chain(sequences::cases())).await;
}

#[tokio::test]
async fn messages_are_treated_as_section_8_asks() {
    check(messages::cases()).await;
}

#[tokio::test]
async fn settings_and_pings_are_acknowledged() {
    let (near, far) = tokio::io::duplex(1 << 16);
    tokio::spawn(Builder::new().serve_connection(near, answering(answer)));
    let mut client = Raw::new(far).await;
    client.write(SETTINGS, 0, 0, b"").await;
    client.write(PING, 0, 0, b"12345678").await;
    let acknowledged = |frames: &[Frame]| {
        let is_ack = |frame: &&Frame| frame.kind == SETTINGS && frame.payload.is_empty();
        let is_pong = |frame: &Frame| frame.kind == PING && frame.payload == b"12345678";
        frames.iter().filter(is_ack).count() == 2 && frames.iter().any(is_pong)
    };
    client.read_until(acknowledged).await;
}
