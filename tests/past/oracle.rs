//! What may happen to a request, said anew from the RFCs and the documentation.

use tower_expect::ValidateWhen;

use crate::{
    cell::{Cell, Version, GUARDS, LIMIT, WHENS},
    guards::Seen,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Rejected,
    /// With how many bytes the application gets at most.
    Accepted(u64),
}

/// What the client has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Status(u16),
    /// The connection was closed, or the stream reset, without a response.
    Cut,
}

/// RFC 9112 §6.3, RFC 9113 §8.1.1; methods without defined content (RFC 9110 §9.3) need to announce it.
fn has_body(cell: &Cell) -> bool {
    let framing = cell.framing;
    let announced = framing.length.map(|length| length > 0);
    match cell.version {
        Version::Http2 if framing.ended => false,
        Version::Http2 => announced.unwrap_or(match cell.method {
            "POST" | "PUT" | "PATCH" | "REPORT" => true,
            "CONNECT" => false,
            _ => cell.expects,
        }),
        _ => framing.chunked || announced == Some(true),
    }
}

pub(crate) fn verdict(cell: &Cell) -> Verdict {
    let has_body = has_body(cell);
    let expecting = has_body && cell.expects && cell.version != Version::Http10;
    let when = WHENS[cell.when];
    let is_asked = match when {
        ValidateWhen::Always => true,
        ValidateWhen::HasBody => has_body,
        _ => expecting,
    };
    let unlimited = match has_body || when == ValidateWhen::Expecting {
        true => Verdict::Accepted(u64::MAX),
        false => Verdict::Accepted(0),
    };
    if !is_asked {
        return unlimited;
    }
    let (guard, framing) = (&GUARDS[cell.guard], cell.framing);
    if guard.either && cell.claims.token {
        return unlimited;
    }
    let length = framing.length.filter(|_| !framing.chunked);
    let no_token = guard.token && !guard.either && !cell.claims.token;
    let wrong_type = guard.content_type && cell.claims.content_type != Some("image/png");
    let wrong_length = guard.limit && length.map_or(guard.required, |length| length > LIMIT);
    match unlimited {
        _ if no_token || has_body && (wrong_type || wrong_length) => Verdict::Rejected,
        Verdict::Accepted(u64::MAX) if guard.limit => Verdict::Accepted(LIMIT),
        _ => unlimited,
    }
}

/// How many bytes of the body come, and whether they are all that was announced, and no more.
fn on_the_wire(cell: &Cell) -> (u64, bool) {
    let framing = cell.framing;
    match framing.length {
        Some(length) if !framing.chunked => {
            let is_whole = match cell.version {
                Version::Http2 => length == framing.data,
                // What is more begins the next request.
                _ => length <= framing.data,
            };
            (length.min(framing.data), is_whole)
        }
        _ => (framing.data, true),
    }
}

/// Whether the server itself may reject the request, or hide its body.
fn is_for_the_server(cell: &Cell) -> bool {
    let (_, is_whole) = on_the_wire(cell);
    match cell.version {
        // There is no Transfer-Encoding in HTTP/1.0 (RFC 9112 §6.1).
        Version::Http10 => cell.framing.chunked,
        Version::Http11 => false,
        // RFC 9113 §8.1.1; DATA after CONNECT is of the tunnel (§8.5).
        Version::Http2 => !is_whole || cell.method == "CONNECT",
    }
}

/// What is wrong, if anything.
pub(crate) fn fault(cell: &Cell, end: End, seen: &Seen) -> Option<&'static str> {
    let limit = match verdict(cell) {
        Verdict::Rejected => {
            return match end {
                _ if seen.calls > 0 => Some("a rejected request reached the application"),
                End::Status(400..=499) => None,
                // There is no tunnel in `serve`.
                End::Cut | End::Status(501) if is_for_the_server(cell) => None,
                _ => Some("a rejected request got no rejection"),
            };
        }
        Verdict::Accepted(limit) => limit,
    };
    let (sent, is_whole) = on_the_wire(cell);
    if seen.bytes > limit.min(sent) {
        return Some("more was delivered than was accepted");
    }
    if is_for_the_server(cell) {
        return (seen.calls > 1).then_some("called twice");
    }
    if seen.calls != 1 {
        return Some("an accepted request did not reach the application");
    }
    let fits = sent <= limit;
    match end {
        End::Status(200) if fits && is_whole => {
            (seen.bytes != sent).then_some("not all was delivered")
        }
        End::Status(413) if !fits => None,
        End::Status(400) | End::Cut if !is_whole => None,
        _ => Some("an accepted request ended in another way"),
    }
}
