//! Rejections for gRPC: a trailers-only response that the client turns into a status.

use std::fmt::Write;

use bytes::Bytes;
use http::{header::CONTENT_TYPE, HeaderValue, Response, StatusCode};

use crate::Rejection;

const INVALID_ARGUMENT: u8 = 3;
const DEADLINE_EXCEEDED: u8 = 4;
const NOT_FOUND: u8 = 5;
const PERMISSION_DENIED: u8 = 7;
const RESOURCE_EXHAUSTED: u8 = 8;
const FAILED_PRECONDITION: u8 = 9;
const ABORTED: u8 = 10;
const INTERNAL: u8 = 13;
const UNAVAILABLE: u8 = 14;
const UNAUTHENTICATED: u8 = 16;
const UNKNOWN: u8 = 2;

/// HTTP 200 with `grpc-status` and `grpc-message` as headers and no body.
pub(super) fn respond(rejection: &Rejection) -> Response<Bytes> {
    let mut headers = rejection.headers().clone();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", u16::from(code(rejection.status())).into());
    if let Ok(message) = HeaderValue::try_from(percent_encode(rejection.message())) {
        headers.insert("grpc-message", message);
    }
    let mut response = Response::new(Bytes::new());
    *response.headers_mut() = headers;
    response
}

fn code(status: StatusCode) -> u8 {
    match status.as_u16() {
        400 | 415 => INVALID_ARGUMENT,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => NOT_FOUND,
        408 | 504 => DEADLINE_EXCEEDED,
        409 => ABORTED,
        411 | 412 | 417 => FAILED_PRECONDITION,
        413 | 429 => RESOURCE_EXHAUSTED,
        503 => UNAVAILABLE,
        500..=599 => INTERNAL,
        _ => UNKNOWN,
    }
}

/// All but printable ASCII, and the percent sign itself, as the gRPC protocol over HTTP/2 has it.
fn percent_encode(message: &str) -> String {
    let mut encoded = String::with_capacity(message.len());
    for byte in message.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => encoded.push(char::from(byte)),
            _ => _ = write!(encoded, "%{byte:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_map_to_the_codes_of_the_documentation() {
        let table = [
            (400, 3),
            (401, 16),
            (403, 7),
            (404, 5),
            (405, 2),
            (408, 4),
            (409, 10),
            (411, 9),
            (412, 9),
            (413, 8),
            (415, 3),
            (417, 9),
            (429, 8),
            (308, 2),
            (500, 13),
            (501, 13),
            (503, 14),
            (504, 4),
        ];
        for (status, expected) in table {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(code(status), expected, "{status}");
        }
    }

    #[test]
    fn messages_are_percent_encoded() {
        let response = respond(&Rejection::forbidden().with_message("50 % of ü\n"));
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["grpc-message"], "50 %25 of %C3%BC%0A");
        assert_eq!(response.headers()["grpc-status"], "7");
        assert!(response.body().is_empty());
    }

    #[test]
    fn headers_of_the_rejection_become_metadata() {
        let response = respond(&Rejection::unauthorized("Bearer"));
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_eq!(response.headers()["grpc-status"], "16");
    }
}
