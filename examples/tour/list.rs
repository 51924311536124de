//! The exchanges of the tour.

use super::exchange::{Exchange, MIB};

const BAD_REQUEST: &str = "HTTP/1.1 400 Bad Request";
const EXPECTATION_FAILED: &str = "HTTP/1.1 417 Expectation Failed";
const MOVED: &str = "HTTP/1.1 308 Permanent Redirect";
const TOO_LARGE: &str = "HTTP/1.1 413 Payload Too Large";
const UNAUTHORIZED: &str = "HTTP/1.1 401 Unauthorized";
const WRONG_TYPE: &str = "HTTP/1.1 415 Unsupported Media Type";

pub(crate) fn exchanges() -> [Exchange; 11] {
    let accepted = Exchange::accepted;
    let rejected = Exchange::rejected;
    [
        accepted(
            "accepted: the 100 goes out when the handler starts to read, after 300 ms",
            8,
        ),
        Exchange {
            authorization: None,
            ..rejected("no token: 401 instead of a 100", 7, UNAUTHORIZED)
        },
        Exchange {
            body: 10 * MIB,
            ..rejected("too long: 413 instead of a 100", 7, TOO_LARGE)
        },
        Exchange {
            content_type: "text/html",
            ..rejected("the wrong type: 415 instead of a 100", 7, WRONG_TYPE)
        },
        Exchange {
            expect: Some("200-ok"),
            ..rejected(
                "an expectation that is not supported: 417",
                4,
                EXPECTATION_FAILED,
            )
        },
        Exchange {
            expect: Some("y 100-continue"),
            ..rejected("a malformed Expect: 400", 3, BAD_REQUEST)
        },
        Exchange {
            target: "/old",
            ..rejected(
                "moved to another host: 308, and the body is sent there",
                7,
                MOVED,
            )
        },
        Exchange {
            version: "HTTP/1.0",
            waits: false,
            responses: vec!["HTTP/1.0 200 OK"],
            ..accepted("HTTP/1.0: no 1xx, the Expect header is ignored", 1)
        },
        Exchange {
            body: 0,
            sent: 0,
            responses: vec!["HTTP/1.1 200 OK"],
            ..accepted("no body: nothing to wait for, so no 100", 5)
        },
        Exchange {
            body: 64 * MIB,
            sent: 64 * MIB,
            waits: false,
            ..rejected(
                "does not wait, and reads only after it has sent all: receives the 413",
                7,
                TOO_LARGE,
            )
        },
        Exchange {
            authorization: None,
            expect: None,
            waits: false,
            sent: MIB,
            ..rejected(
                "does not expect a 100: rejected all the same",
                7,
                UNAUTHORIZED,
            )
        },
    ]
}
