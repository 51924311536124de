//! Sections 4 and 6: frames of each type, too long or too short, on the wrong stream.

use super::{
    bytes::*,
    case, Case,
    Reaction::{GoAway, Nothing, Served},
    FRAME_SIZE_ERROR,
};
use crate::support::{GOAWAY, HEADERS, PING, PROTOCOL_ERROR, RST_STREAM};

pub(super) const SIZE: &str =
    "§4.2 asks for FRAME_SIZE_ERROR; the connection ends as it must, less exactly told why";
const COMPRESSION: &str =
    "§4.3 asks for COMPRESSION_ERROR; the connection ends as it must, less exactly told why";

pub(super) fn cases() -> Vec<Case> {
    [sizes(), of_streams(), settings(), of_connections()]
        .into_iter()
        .flatten()
        .collect()
}

/// §4.2 and §4.3.
fn sizes() -> Vec<Case> {
    let large = vec![0; (1 << 14) + 1];
    vec![
        case(
            "DATA of the largest size",
            [post(1), data(1, 1, &large[1..])],
            Served(1),
        ),
        case(
            "DATA beyond it",
            [post(1), data(1, 1, &large)],
            GoAway(FRAME_SIZE_ERROR),
        ),
        case(
            "HEADERS beyond it",
            [frame(HEADERS, END, 1, &large)],
            GoAway(FRAME_SIZE_ERROR),
        ),
        case(
            "a frame of an unknown type beyond it",
            [frame(0xbe, 0, 0, &large)],
            GoAway(FRAME_SIZE_ERROR),
        ),
        case(
            "a field of index 0",
            [frame(HEADERS, END, 1, &[0x80])],
            GoAway(PROTOCOL_ERROR),
        )
        .although(COMPRESSION),
        case(
            "a field beyond the table",
            [frame(HEADERS, END, 1, &[0xfe])],
            GoAway(PROTOCOL_ERROR),
        )
        .although(COMPRESSION),
        case(
            "a table larger than was offered",
            [frame(HEADERS, END, 1, &[0x3f, 0xe2, 0x1f, 0x82])],
            GoAway(PROTOCOL_ERROR),
        )
        .although(COMPRESSION),
        case(
            "a header block that ends in a field",
            [frame(HEADERS, END, 1, &[0x82, 0x86, 0x04, 0x09])],
            GoAway(PROTOCOL_ERROR),
        )
        .although(COMPRESSION),
    ]
}

/// §6.1 to §6.4 and §6.6.
fn of_streams() -> Vec<Case> {
    let get_padded = |pad: u8| frame(HEADERS, END | PADDED, 1, &[&[pad], GET, &[0; 4]].concat());
    vec![
        case(
            "DATA on stream 0",
            [data(1, 0, b"x")],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "padded DATA",
            [post(1), data(1 | PADDED, 1, b"\x02x\0\0")],
            Served(1),
        ),
        case(
            "DATA with more padding than payload",
            [post(1), data(1 | PADDED, 1, b"\x04x\0\0")],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "padded DATA without a length of padding",
            [post(1), data(1 | PADDED, 1, b"")],
            GoAway(PROTOCOL_ERROR),
        )
        .although(SIZE),
        case("HEADERS on stream 0", [get(0)], GoAway(PROTOCOL_ERROR)),
        case("padded HEADERS", [get_padded(4)], Served(1)),
        case(
            "HEADERS with more padding than payload",
            [get_padded(8)],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "PRIORITY on stream 0",
            [frame(PRIORITY, 0, 0, &[0; 5])],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "a short PRIORITY",
            [post(1), frame(PRIORITY, 0, 1, &[0; 4])],
            GoAway(PROTOCOL_ERROR),
        )
        .although(SIZE),
        case(
            "RST_STREAM on stream 0",
            [frame(RST_STREAM, 0, 0, &[0; 4])],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "a short RST_STREAM",
            [post(1), frame(RST_STREAM, 0, 1, &[0; 3])],
            GoAway(PROTOCOL_ERROR),
        )
        .although(SIZE),
        case(
            "PUSH_PROMISE by a client",
            [
                post(1),
                frame(PUSH_PROMISE, 4, 1, &[&[0, 0, 0, 2], GET].concat()),
            ],
            GoAway(PROTOCOL_ERROR),
        ),
    ]
}

/// §6.5.
fn settings() -> Vec<Case> {
    vec![
        case(
            "SETTINGS on a stream",
            [post(1), frame(SETTINGS, 0, 1, b"")],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "SETTINGS of no whole number of settings",
            [frame(SETTINGS, 0, 0, &[0; 5])],
            GoAway(PROTOCOL_ERROR),
        )
        .although(SIZE),
        case(
            "an acknowledgement with settings",
            [frame(SETTINGS, ACK, 0, &[0; 6])],
            GoAway(PROTOCOL_ERROR),
        )
        .although(SIZE),
        case(
            "an acknowledgement",
            [frame(SETTINGS, ACK, 0, b"")],
            Nothing,
        ),
        case("ENABLE_PUSH of 2", [setting(2, 2)], GoAway(PROTOCOL_ERROR)),
        case(
            "INITIAL_WINDOW_SIZE of 2^31",
            [setting(4, 1 << 31)],
            GoAway(PROTOCOL_ERROR),
        )
        .although("§6.5.2 asks for FLOW_CONTROL_ERROR; the connection ends as it must"),
        case(
            "MAX_FRAME_SIZE of 2^14 - 1",
            [setting(5, (1 << 14) - 1)],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "MAX_FRAME_SIZE of 2^24",
            [setting(5, 1 << 24)],
            GoAway(PROTOCOL_ERROR),
        ),
        case("an unknown setting", [setting(0xbe, u32::MAX)], Nothing),
        case(
            "unknown flags of SETTINGS",
            [frame(SETTINGS, 0xfe, 0, b"")],
            Nothing,
        ),
    ]
}

/// §6.7 and §6.8.
fn of_connections() -> Vec<Case> {
    vec![
        case(
            "PING on a stream",
            [post(1), frame(PING, 0, 1, &[0; 8])],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "a short PING",
            [frame(PING, 0, 0, &[0; 7])],
            GoAway(PROTOCOL_ERROR),
        )
        .although(SIZE),
        case(
            "an answer to no PING",
            [frame(PING, ACK, 0, &[0; 8])],
            Nothing,
        ),
        case(
            "GOAWAY on a stream",
            [post(1), frame(GOAWAY, 0, 1, &[0; 8])],
            GoAway(PROTOCOL_ERROR),
        ),
        case(
            "a short GOAWAY",
            [frame(GOAWAY, 0, 0, &[0; 7])],
            GoAway(PROTOCOL_ERROR),
        )
        .although(SIZE),
    ]
}
