//! What came back on a connection, and what must hold of it.

use http::Method;

use super::log::Call;
use crate::app::ADMITTED;

#[derive(Debug)]
struct Head {
    status: u16,
    /// Which request it answers; none if the server itself has answered.
    number: Option<usize>,
    closes: bool,
    accepted: bool,
    length: Length,
}

#[derive(Debug)]
enum Length {
    Exactly(usize),
    Chunked,
    ToTheEnd,
}

/// Checks the bytes that came back against the requests that reached the service.
///
/// * Each request has one final response at most, in order. The server's own, for what it cannot
///   read, is the last.
/// * A 100 comes before the final response of an expecting request with content, once, and only if
///   the request is accepted.
/// * If a client that asked for a 100 was answered without one, nobody can tell whether it will
///   send the content: the response closes.
/// * After a response that closes there is no other, and no request is handled.
pub fn check(received: &[u8], calls: &[Call]) {
    let mut rest = received;
    let mut answered = 0;
    let mut invited = false;
    while let Some(head) = next_head(&mut rest) {
        let call = calls.get(answered);
        if head.status == 100 {
            let call = call.expect("a 100 that nobody asked for");
            assert!(
                call.expects && call.content && !invited,
                "a 100 for {call:?}"
            );
            invited = true;
            continue;
        }
        assert!(head.status >= 200, "{head:?}");
        let Some(number) = head.number else {
            assert!(
                head.status >= 400 && rest.is_empty(),
                "{head:?} and then {rest:?}"
            );
            assert_eq!(answered, calls.len(), "{head:?}");
            return;
        };
        assert_eq!(number, answered, "{head:?}");
        answered += 1;
        let call = call.expect("numbers are those of calls");
        let in_doubt = call.expects && call.content && !invited;
        assert!(head.closes || !in_doubt, "{head:?} for {call:?}");
        assert!(head.accepted || !invited, "{head:?} after a 100");
        invited = false;
        skip_content(&mut rest, &head, call);
        if head.closes {
            assert_eq!(answered, calls.len(), "a request is handled after {head:?}");
            assert!(
                rest.is_empty(),
                "{:?} after {head:?}",
                String::from_utf8_lossy(rest)
            );
        }
    }
    assert!(
        calls.len() <= answered + 1,
        "requests are handled before their turn"
    );
}

/// Takes a head off; `None` if the connection ends.
fn next_head(rest: &mut &[u8]) -> Option<Head> {
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = response.parse(rest).expect("a response") else {
        return None;
    };
    *rest = &rest[length..];
    let field = |name: &str| {
        let mut fields = response.headers.iter();
        let found = fields.find(|field| field.name.eq_ignore_ascii_case(name))?;
        Some(std::str::from_utf8(found.value).expect("ASCII"))
    };
    let is_chunked = field("transfer-encoding").is_some_and(|coding| coding == "chunked");
    let length = match field("content-length") {
        Some(length) => Length::Exactly(length.parse().expect("a number")),
        None if is_chunked => Length::Chunked,
        None => Length::ToTheEnd,
    };
    let connection = field("connection").unwrap_or_default();
    Some(Head {
        status: response.code.expect("complete"),
        number: field("x-number").map(|number| number.parse().expect("a number")),
        accepted: field(ADMITTED).is_some(),
        closes: connection.split(", ").any(|option| option == "close"),
        length,
    })
}

/// Takes the content off, which may have been cut short.
fn skip_content(rest: &mut &[u8], head: &Head, call: &Call) {
    if call.method == Method::HEAD || matches!(head.status, 204 | 304) {
        return;
    }
    match head.length {
        Length::Exactly(length) => skip(rest, length),
        Length::ToTheEnd => *rest = &[],
        Length::Chunked => {
            while let Ok(httparse::Status::Complete((start, length))) =
                httparse::parse_chunk_size(rest)
            {
                let length = usize::try_from(length).expect("short");
                skip(rest, start + length + b"\r\n".len());
                if length == 0 {
                    return;
                }
            }
            *rest = &[];
        }
    }
}

fn skip(rest: &mut &[u8], length: usize) {
    *rest = &rest[length.min(rest.len())..];
}
