//! HTTP/2 connections that the client breaks off, at every byte: between frames and within them.

use crate::{
    app::{By, CONTENT, SERVERS},
    breaking::break_at_every_byte,
    cut::{cut_everywhere, Awaited, Step},
};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Indices of HPACK's static table (RFC 7541, appendix A).
const AUTHORITY: u8 = 1;
const CONTENT_LENGTH: u8 = 28;
const EXPECT: u8 = 35;
/// A whole `:method: POST`, `:scheme: http` and `:path: /`.
const POST: [u8; 3] = [0x83, 0x86, 0x84];

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, stream];
    frame.extend_from_slice(payload);
    frame
}

/// A field that is not put into the table, its name by index.
fn field(name: u8, value: &str) -> Vec<u8> {
    let mut field = match name {
        0..=14 => vec![name],
        _ => vec![15, name - 15],
    };
    field.extend(literal(value));
    field
}

fn literal(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    [&[length], text.as_bytes()].concat()
}

fn head(stream: u8, reject: Option<&str>) -> Vec<u8> {
    let mut fields = POST.to_vec();
    fields.extend(field(AUTHORITY, "a"));
    fields.extend(field(CONTENT_LENGTH, &CONTENT.len().to_string()));
    fields.extend(field(EXPECT, "100-continue"));
    if let Some(status) = reject {
        fields.push(0);
        fields.extend(literal("x-reject"));
        fields.extend(literal(status));
    }
    frame(HEADERS, END_HEADERS, stream, &fields)
}

fn content(stream: u8) -> Vec<u8> {
    let (first, second) = CONTENT.as_bytes().split_at(10);
    let first = frame(DATA, 0, stream, first);
    [first, frame(DATA, END_STREAM, stream, second)].concat()
}

fn begin() -> Vec<u8> {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    [preface, frame(SETTINGS, 0, 0, &[])].concat()
}

/// The end of the first frame that fits.
fn end_of(seen: &[u8], fits: impl Fn(u8, u8, u8) -> bool) -> Option<usize> {
    let mut start = 0;
    while let Some(&[a, b, c, kind, flags, .., stream]) = seen.get(start..start + 9) {
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let end = start + 9 + length;
        if seen.len() < end {
            return None;
        }
        if fits(kind, flags, stream) {
            return Some(end);
        }
        start = end;
    }
    None
}

fn settings(seen: &[u8]) -> Option<usize> {
    end_of(seen, |kind, _, _| kind == SETTINGS)
}

fn headers(seen: &[u8]) -> Option<usize> {
    end_of(seen, |kind, _, _| kind == HEADERS)
}

fn end_of_stream(seen: &[u8]) -> Option<usize> {
    end_of(seen, |kind, flags, _| {
        matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0
    })
}

fn step(send: Vec<u8>, awaited: fn(&[u8]) -> Option<usize>, whole: usize) -> Step {
    let awaited = Awaited::Frame(awaited);
    Step {
        send,
        awaited,
        whole,
    }
}

/// Nothing comes for it.
fn sent(send: Vec<u8>) -> Step {
    Step {
        send,
        awaited: Awaited::Nothing,
        whole: 0,
    }
}

#[tokio::test]
async fn an_upload_that_was_invited() {
    // hyper does not invite.
    let steps = vec![
        step(begin(), settings, 0),
        step(head(1, None), headers, 0),
        step(content(1), end_of_stream, 1),
    ];
    cut_everywhere(By::Serve, steps).await;
}

#[tokio::test]
async fn an_upload_that_does_not_wait() {
    for &by in SERVERS {
        let both = [head(1, None), content(1)].concat();
        let steps = vec![step(begin(), settings, 0), step(both, end_of_stream, 1)];
        cut_everywhere(by, steps).await;
    }
}

#[tokio::test]
async fn an_upload_that_is_rejected_beside_one_that_is_not() {
    for &by in SERVERS {
        let steps = vec![
            step(begin(), settings, 0),
            step(head(1, Some("401")), end_of_stream, 0),
            sent(content(1)),
            step([head(3, None), content(3)].concat(), end_of_stream, 1),
        ];
        cut_everywhere(by, steps).await;
    }
}

/// The client's GOAWAY has the server close when it has answered.
#[tokio::test]
async fn the_connection_breaks_while_the_server_writes() {
    for &by in SERVERS {
        for reject in [None, Some("401")] {
            let goaway = frame(GOAWAY, 0, 0, &[0; 8]);
            let bytes = [begin(), head(1, reject), content(1), goaway].concat();
            let whole = usize::from(reject.is_none());
            break_at_every_byte(by, bytes, whole, |seen| {
                assert!(end_of_stream(seen).is_some(), "{seen:?}");
            })
            .await;
        }
    }
}
