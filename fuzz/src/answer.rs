//! What rejections may look like: nothing in them comes from the client.

use std::{
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};
use http_body::Body;
use http_body_util::Full;
use regex::{bytes::Regex as ByteRegex, Regex};
use tower_expect::{Rejection, ResponseBody};

use crate::{
    case::Case,
    table::{self, RejectReason},
};

const MESSAGE: &str = "not like this";

/// The rejection of the validator.
pub fn rejection(status: StatusCode) -> Rejection {
    Rejection::new(status)
        .with_message(MESSAGE)
        .with_header("x-reason", "of our own")
}

/// Checks the answer to a request that is not accepted, byte by byte.
pub fn check(
    case: &Case,
    status: u16,
    reason: &RejectReason,
    response: Response<ResponseBody<Full<Bytes>>>,
) {
    assert_eq!(
        response
            .extensions()
            .get::<Rejection>()
            .expect("attached")
            .status(),
        status
    );
    let grpc = is_grpc(&case.headers());
    let (head, body) = response.into_parts();
    assert_eq!(head.status.as_u16(), if grpc { 200 } else { status });
    assert!(!head.status.is_informational());
    let closes = table::of_rejection(case, head.status.as_u16()).closes;
    check_connection(closes, &head.headers);
    let content = content(body);
    let mut text = None;
    for (name, value) in &head.headers {
        let value = value.to_str().expect("ASCII");
        match name.as_str() {
            "connection" => {}
            "content-length" => assert!(value == "0" || case.method() == Method::HEAD),
            "cache-control" => assert_eq!(value, "no-store"),
            "content-type" if grpc => assert_eq!(value, "application/grpc"),
            "content-type" => assert_eq!(value, "text/plain; charset=utf-8"),
            "grpc-status" => assert!(grpc && value.parse().is_ok_and(|code: u8| code <= 16)),
            "grpc-message" if grpc => text = Some(value.to_owned()),
            "x-reason" => assert_eq!((value, reason), ("of our own", &RejectReason::Validator)),
            _ => panic!("{name}: {value}"),
        }
    }
    let is_silent = grpc
        || case.version() == Version::HTTP_2
        || case.method() == Method::HEAD
        || matches!(status, 204 | 205 | 304);
    match content.strip_suffix('\n') {
        Some(sentence) if !is_silent => text = Some(sentence.to_owned()),
        _ => assert!(is_silent && content.is_empty(), "{content}"),
    }
    if let Some(text) = text {
        check_message(&text, reason);
    }
}

/// Checks the answer of the application to a request that is accepted.
pub fn check_application(closes: bool, response: &Response<ResponseBody<Full<Bytes>>>) {
    assert_eq!(response.status(), 200);
    assert_eq!(response.body().size_hint().exact(), Some(2));
    check_connection(closes, response.headers());
    assert_eq!(response.headers().len(), usize::from(closes));
}

fn check_connection(closes: bool, headers: &HeaderMap) {
    let connection = headers.get("connection");
    assert_eq!(
        connection.map(HeaderValue::as_bytes),
        closes.then_some(&b"close"[..])
    );
}

fn check_message(text: &str, reason: &RejectReason) {
    static MALFORMED: LazyLock<Regex> = LazyLock::new(|| {
        let reasons = "does not begin with a token\
            |has no token and no quoted string after `=`\
            |has a parameter that is not `name=value`\
            |has a quoted string that does not end\
            |has a character that a quoted string cannot hold\
            |is followed by something other than a comma";
        let sentence = format!(
            "^member ([0-9]+) of the Expect header (?:{reasons}); correct the header or leave it out$"
        );
        Regex::new(&sentence).expect("a valid pattern")
    });

    match reason {
        RejectReason::Malformed(member) => {
            let found = MALFORMED.captures(text).expect(text);
            assert_eq!(found[1], member.to_string());
        }
        RejectReason::Unsupported => assert_eq!(
            text,
            "the server does not support this expectation; \
             repeat the request without the Expect header"
        ),
        RejectReason::ContinueUnavailable => assert_eq!(
            text,
            "the server cannot send 100 Continue for this request; \
             repeat the request without the Expect header"
        ),
        RejectReason::Validator => assert_eq!(text, MESSAGE),
    }
}

fn content(body: ResponseBody<Full<Bytes>>) -> String {
    let mut body = pin!(body);
    let mut content = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut cx) {
        content.extend_from_slice(&frame.into_data().expect("no trailers"));
    }
    assert!(body.is_end_stream());
    String::from_utf8(content).expect("UTF-8")
}

fn is_grpc(headers: &HeaderMap) -> bool {
    static GRPC: LazyLock<ByteRegex> = LazyLock::new(|| {
        let suffix = r"\+[!#$%&'*+\-.^_`|~0-9A-Za-z]*";
        let pattern = format!("(?i-u)^[ \t]*application/grpc(?:{suffix})?[ \t]*(?:;|$)");
        ByteRegex::new(&pattern).expect("a valid pattern")
    });

    let value = headers.get("content-type");
    value.is_some_and(|value| GRPC.is_match(value.as_bytes()))
}
