//! Section 5: states, identifiers and limits of streams, priorities, extensions.

use super::{
    bytes::*,
    case, Case,
    Reaction::{GoAway, Nothing, Reset, Served},
    REFUSED_STREAM, STREAM_CLOSED,
};
use crate::support::{GOAWAY, HEADERS, NO_ERROR, PING, PROTOCOL_ERROR, RST_STREAM};

const CLOSED: &str = "§5.1 asks for STREAM_CLOSED; by §5.4.1 it may be an error of the connection";

const PRIORITIES: &str = "RFC 7540 §5.3.1 asked for it; today it is to be ignored";

const CANCEL: &[u8] = &[0, 0, 0, 8];

pub(super) fn cases() -> Vec<Case> {
    [states(), identifiers(), priorities(), extensions()]
        .into_iter()
        .flatten()
        .collect()
}

/// §5.1.
fn states() -> Vec<Case> {
    let cancel = |stream| frame(RST_STREAM, 0, stream, CANCEL);
    vec![
        case(
            "DATA on an idle stream",
            [data(1, 1, b"x")],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "RST_STREAM on an idle stream",
            [cancel(1)],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "WINDOW_UPDATE on an idle stream",
            [window_update(1, 1)],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "CONTINUATION on an idle stream",
            [frame(CONTINUATION, 4, 1, GET)],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "DATA after END_STREAM",
            [get_held(1), data(1, 1, b"x")],
            GoAway(PROTOCOL_ERROR),
        )
        .although(CLOSED),
        case(
            "HEADERS after END_STREAM",
            [get_held(1), get(1)],
            GoAway(PROTOCOL_ERROR),
        )
        .although(CLOSED),
        case(
            "CONTINUATION after END_STREAM",
            [get_held(1), frame(CONTINUATION, 4, 1, GET)],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "WINDOW_UPDATE after END_STREAM",
            [get(1), window_update(1, 1)],
            Served(1),
        ),
        case(
            "RST_STREAM after END_STREAM",
            [get_held(1), cancel(1)],
            Nothing,
        ),
        case(
            "DATA after RST_STREAM",
            [post(1), cancel(1), data(1, 1, b"x")],
            Reset(1, STREAM_CLOSED),
        ),
        case(
            "HEADERS after RST_STREAM",
            [post(1), cancel(1), get(1)],
            GoAway(PROTOCOL_ERROR),
        )
        .although(CLOSED),
        case(
            "WINDOW_UPDATE after RST_STREAM",
            [post(1), cancel(1), window_update(1, 1)],
            Nothing,
        ),
        case("RST_STREAM twice", [post(1), cancel(1), cancel(1)], Nothing),
    ]
}

/// §5.1.1 and §5.1.2.
fn identifiers() -> Vec<Case> {
    let crowd: Vec<_> = (0..201).map(|number| get_held(1 + 2 * number)).collect();
    vec![
        case(
            "a request on a stream of the server's",
            [get(2)],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "a request on an older stream",
            [get(5), get(3)],
            GoAway(PROTOCOL_ERROR),
        ),
        case("a request that leaves streams out", [get(7)], Served(7)),
        case(
            "the reserved bit of an identifier",
            [get(1 | 1 << 31)],
            Served(1),
        ),
        case(
            "one stream more than there may be",
            crowd,
            Reset(401, REFUSED_STREAM),
        ),
    ]
}

/// §5.3: to be ignored.
fn priorities() -> Vec<Case> {
    let depends = |on: u8| vec![0, 0, 0, on, 15];
    let priority = |stream, on| frame(PRIORITY, 0, stream, &depends(on));
    let get_after = |on| {
        frame(
            HEADERS,
            END | WITH_PRIORITY,
            1,
            &[depends(on), GET.to_vec()].concat(),
        )
    };
    vec![
        case(
            "PRIORITY before the request",
            [priority(1, 0), get(1)],
            Served(1),
        ),
        case(
            "PRIORITY of a stream that never comes",
            [priority(9, 7)],
            Nothing,
        ),
        case(
            "PRIORITY after the request",
            [get(1), priority(1, 3)],
            Served(1),
        ),
        case("a request with a priority", [get_after(3)], Served(1)),
        case(
            "a request that depends on itself",
            [get_after(1)],
            Reset(1, PROTOCOL_ERROR),
        )
        .although(PRIORITIES),
        case(
            "PRIORITY of an idle stream that depends on itself",
            [priority(1, 1)],
            Reset(1, PROTOCOL_ERROR),
        )
        .although(PRIORITIES),
        case(
            "PRIORITY of a stream that depends on itself",
            [post(1), priority(1, 1)],
            Reset(1, PROTOCOL_ERROR),
        )
        .although(PRIORITIES),
    ]
}

/// §5.5.
fn extensions() -> Vec<Case> {
    vec![
        case(
            "a frame of an unknown type",
            [frame(0xbe, 0xff, 0, b"what?"), get(1)],
            Served(1),
        ),
        case(
            "a frame of an unknown type on a stream",
            [post(1), frame(0xbe, 0xff, 1, b""), data(1, 1, b"")],
            Served(1),
        ),
        case(
            "a frame of an unknown type within a header block",
            [frame(HEADERS, 1, 1, GET), frame(0xbe, 0, 1, b"")],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "unknown flags of PING",
            [frame(PING, 0xf0, 0, &[0; 8])],
            Nothing,
        ),
        case(
            "unknown flags of HEADERS",
            [frame(HEADERS, END | 0x42, 1, GET)],
            Served(1),
        ),
        case(
            "GOAWAY with an unknown code",
            [get(1), frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 1, 0])],
            GoAway(NO_ERROR),
        )
        .although("§6.8: what has begun is finished, and then both leave"),
    ]
}
