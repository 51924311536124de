//! Section 8: malformed requests.

use super::{
    bytes::*,
    case, Case,
    Reaction::{GoAway, Reset, Served},
};
use crate::support::{HEADERS, PROTOCOL_ERROR};

const MALFORMED: super::Reaction = Reset(1, PROTOCOL_ERROR);
const CONNECTION: &str = "§5.4.1: a stream error may be treated as one of the connection";

pub(super) fn cases() -> Vec<Case> {
    [
        names(),
        of_connections(),
        pseudo_fields(),
        lengths(),
        trailers(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A GET with this field after the others.
fn get_with(name: &str, value: &str) -> [Vec<u8>; 1] {
    [frame(HEADERS, END, 1, &[GET, &field(name, value)].concat())]
}

fn get_of(pieces: &[&[u8]]) -> [Vec<u8>; 1] {
    [frame(HEADERS, END, 1, &pieces.concat())]
}

/// §8.2.1.
fn names() -> Vec<Case> {
    vec![
        case("an ordinary field", get_with("x-a", "b"), Served(1)),
        case(
            "a name in upper case",
            get_with("X-A", "b"),
            GoAway(PROTOCOL_ERROR),
        )
        .although(CONNECTION),
        case(
            "a name with a space",
            get_with("x a", "b"),
            GoAway(PROTOCOL_ERROR),
        )
        .although(CONNECTION),
        case(
            "a name with a colon",
            get_with("x:a", "b"),
            GoAway(PROTOCOL_ERROR),
        )
        .although(CONNECTION),
        case("an empty name", get_with("", "b"), GoAway(PROTOCOL_ERROR)).although(CONNECTION),
        case(
            "a value with a line feed",
            get_with("x-a", "b\nc"),
            GoAway(PROTOCOL_ERROR),
        )
        .although(CONNECTION),
        case(
            "a value with a carriage return",
            get_with("x-a", "b\rc"),
            GoAway(PROTOCOL_ERROR),
        )
        .although(CONNECTION),
        case(
            "a value with a NUL",
            get_with("x-a", "b\0c"),
            GoAway(PROTOCOL_ERROR),
        )
        .although(CONNECTION),
    ]
}

/// §8.2.2.
fn of_connections() -> Vec<Case> {
    vec![
        case("Connection", get_with("connection", "close"), MALFORMED),
        case("Keep-Alive", get_with("keep-alive", "timeout=5"), MALFORMED),
        case(
            "Proxy-Connection",
            get_with("proxy-connection", "keep-alive"),
            MALFORMED,
        ),
        case(
            "Transfer-Encoding",
            get_with("transfer-encoding", "chunked"),
            MALFORMED,
        ),
        case("Upgrade", get_with("upgrade", "h2c"), MALFORMED),
        case(
            "TE of something else than trailers",
            get_with("te", "trailers, gzip"),
            MALFORMED,
        ),
        case("TE of trailers", get_with("te", "trailers"), Served(1)),
    ]
}

/// §8.3 and §8.5.
fn pseudo_fields() -> Vec<Case> {
    let connect = || field(":method", "CONNECT");
    let authority = || field(":authority", "a:443");
    vec![
        case(
            "an unknown pseudo-header field",
            get_with(":x", "y"),
            GoAway(PROTOCOL_ERROR),
        ).although(CONNECTION),
        case(
            ":status in a request",
            get_with(":status", "200"),
            MALFORMED,
        ),
        case(
            ":protocol without the setting",
            get_with(":protocol", "websocket"),
            MALFORMED,
        ),
        case(
            "CONNECT with :protocol without the setting",
            get_of(&[
                &connect(),
                &field(":protocol", "websocket"),
                &GET[1..],
                &authority(),
            ]),
            MALFORMED,
        ),
        case(
            "a pseudo-header field after others",
            get_of(&[&GET[..2], &field("x-a", "b"), &GET[2..]]),
            MALFORMED,
        ),
        case("no :method", get_of(&[&GET[1..]]), MALFORMED),
        case("no :scheme", get_of(&[&GET[..1], &GET[2..]]), MALFORMED),
        case("no :path", get_of(&[&GET[..2]]), Served(1)).although("h2 takes it for `/`, unless there is an :authority; not allowed by §8.3.1, but harmless: the request means the same to all who see it"),
        case(
            "an empty :path",
            get_of(&[&GET[..2], &field(":path", "")]),
            MALFORMED,
        ),
        case(":method twice", get_of(&[GET, &GET[..1]]), MALFORMED),
        case(":scheme twice", get_of(&[GET, &GET[1..2]]), MALFORMED),
        case(":path twice", get_of(&[GET, &GET[2..]]), MALFORMED),
        case(
            ":authority twice",
            get_of(&[GET, &authority(), &authority()]),
            MALFORMED,
        ),
        case(
            "an :authority that is none",
            get_of(&[GET, &field(":authority", "a b")]),
            MALFORMED,
        ),
        case("CONNECT", get_of(&[&connect(), &authority()]), Served(1)),
        case(
            "CONNECT with :scheme and :path",
            get_of(&[&connect(), &GET[1..], &authority()]),
            MALFORMED,
        ),
    ]
}

/// §8.1.1.
fn lengths() -> Vec<Case> {
    let head = |flags, lengths: &[&str]| {
        let fields: Vec<_> = lengths
            .iter()
            .map(|length| field("content-length", length))
            .collect();
        frame(HEADERS, flags, 1, &[POST, &fields.concat()].concat())
    };
    let post = |lengths: &[&str]| head(END_HEADERS, lengths);
    vec![
        case(
            "content of its Content-Length",
            [post(&["5"]), data(0, 1, b"hel"), data(1, 1, b"lo")],
            Served(1),
        ),
        case(
            "content without a Content-Length",
            [post(&[]), data(1, 1, b"hello")],
            Served(1),
        ),
        case(
            "content that is shorter",
            [post(&["5"]), data(0, 1, b"he"), data(1, 1, b"l")],
            MALFORMED,
        ),
        case(
            "content that is longer",
            [post(&["5"]), data(0, 1, b"hello"), data(1, 1, b"!")],
            MALFORMED,
        ),
        case(
            "no content, but a Content-Length",
            [head(END, &["5"])],
            MALFORMED,
        ),
        case(
            "no content, and a Content-Length of 0",
            [head(END, &["0"])],
            Served(1),
        ),
        case(
            "two lengths",
            [post(&["5", "6"]), data(1, 1, b"hello")],
            MALFORMED,
        ),
        case(
            "a length that is no number",
            [post(&["five"]), data(1, 1, b"hello")],
            MALFORMED,
        ),
        case(
            "content that is shorter, before trailers",
            [
                post(&["5"]),
                data(0, 1, b"hell"),
                frame(HEADERS, END, 1, &field("x-a", "b")),
            ],
            MALFORMED,
        ),
    ]
}

/// §8.1.
fn trailers() -> Vec<Case> {
    let upload = |flags, trailers: &[u8]| {
        [
            post(1),
            data(0, 1, b"x"),
            frame(HEADERS, flags, 1, trailers),
        ]
    };
    vec![
        case("trailers", upload(END, &field("x-a", "b")), Served(1)),
        case(
            "trailers without END_STREAM",
            upload(END_HEADERS, &field("x-a", "b")),
            MALFORMED,
        ),
        case(
            "trailers with a pseudo-header field",
            upload(END, GET),
            Served(1),
        )
        .although(
            "h2 drops these fields; not allowed by §8.3, but harmless: nobody gets to see them",
        ),
        case(
            "trailers with a field of connections",
            upload(END, &field("connection", "close")),
            MALFORMED,
        ),
        case(
            "trailers with a name in upper case",
            upload(END, &field("X-A", "b")),
            GoAway(PROTOCOL_ERROR),
        )
        .although(CONNECTION),
    ]
}
