//! Sections 6.9 and 6.10: windows, and heads in several frames.

use super::{
    bytes::*,
    case,
    frame_types::SIZE,
    Case,
    Reaction::{GoAway, Reset, Served},
    FLOW_CONTROL_ERROR,
};
use crate::support::{DATA, ENHANCE_YOUR_CALM, HEADERS, PING, PROTOCOL_ERROR};

pub(super) fn cases() -> Vec<Case> {
    [windows(), continuations()].into_iter().flatten().collect()
}

/// §6.9.
fn windows() -> Vec<Case> {
    let most = (1 << 31) - 1;
    vec![
        case(
            "WINDOW_UPDATE by 0",
            [window_update(0, 0)],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "WINDOW_UPDATE of a stream by 0",
            [post(1), window_update(1, 0)],
            GoAway(PROTOCOL_ERROR),
        )
        .although("§5.4.1: a stream error may be treated as one of the connection"),
        case(
            "a short WINDOW_UPDATE",
            [frame(WINDOW_UPDATE, 0, 0, &[0; 3])],
            GoAway(PROTOCOL_ERROR),
        )
        .although(SIZE),
        case(
            "a window beyond 2^31 - 1",
            [window_update(0, most)],
            GoAway(FLOW_CONTROL_ERROR),
        ),
        case(
            "a stream's window beyond 2^31 - 1",
            [post(1), window_update(1, most)],
            Reset(1, FLOW_CONTROL_ERROR),
        ),
        case(
            "a stream's window beyond 2^31 - 1 by SETTINGS",
            [post(1), window_update(1, most - 65_535), setting(4, 65_536)],
            GoAway(FLOW_CONTROL_ERROR),
        ),
    ]
}

/// §6.10.
fn continuations() -> Vec<Case> {
    let begun = || frame(HEADERS, END_STREAM, 1, &GET[..1]);
    let middle = || frame(CONTINUATION, 0, 1, &GET[1..2]);
    let end = |stream| frame(CONTINUATION, END_HEADERS, stream, &GET[2..]);
    let mut flood = vec![begun()];
    flood.resize(10, frame(CONTINUATION, 0, 1, b""));
    vec![
        case(
            "a head in three frames",
            [begun(), middle(), end(1)],
            Served(1),
        ),
        case(
            "CONTINUATION of another stream",
            [begun(), middle(), end(3)],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "CONTINUATION on stream 0",
            [begun(), end(0)],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "CONTINUATION after the end of the head",
            [post(1), end(1)],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "DATA within a head",
            [begun(), frame(DATA, 0, 1, b"x")],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "PING within a head",
            [begun(), frame(PING, 0, 0, &[0; 8])],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "another head within a head",
            [begun(), get(3)],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "CONTINUATION without an end",
            flood,
            GoAway(ENHANCE_YOUR_CALM),
        ),
    ]
}
