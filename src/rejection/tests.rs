use http::{
    header::{ACCEPT, ALLOW, LOCATION, RETRY_AFTER, UPGRADE, WWW_AUTHENTICATE},
    Method,
};
use std::time::Duration;

use super::*;

fn field(rejection: &Rejection, name: HeaderName) -> Option<&str> {
    rejection.headers().get(name)?.to_str().ok()
}

#[test]
fn each_status_carries_the_header_that_its_rfc_section_requires() {
    let rejection = Rejection::unauthorized("Basic realm=\"x\"");
    assert_eq!(rejection.status(), 401);
    assert_eq!(
        field(&rejection, WWW_AUTHENTICATE),
        Some("Basic realm=\"x\"")
    );

    let rejection = Rejection::method_not_allowed([Method::PUT, Method::POST]);
    assert_eq!(rejection.status(), 405);
    assert_eq!(field(&rejection, ALLOW), Some("PUT, POST"));

    let accepted = vec!["image/png", "video/*"];
    let rejection = Rejection::unsupported_media_type(&accepted);
    assert_eq!(rejection.status(), 415);
    assert_eq!(field(&rejection, ACCEPT), Some("image/png, video/*"));

    let rejection = Rejection::upgrade_required(["HTTP/3.0"]);
    assert_eq!(rejection.status(), 426);
    assert_eq!(field(&rejection, UPGRADE), Some("HTTP/3.0"));

    let rejection = Rejection::redirect(StatusCode::PERMANENT_REDIRECT, "https://a.example/b");
    assert_eq!(rejection.status(), 308);
    assert_eq!(field(&rejection, LOCATION), Some("https://a.example/b"));
}

#[test]
fn retry_after_is_whole_seconds_rounded_up_and_left_out_if_not_given() {
    let rejection = Rejection::too_many_requests(Duration::from_millis(1_001));
    assert_eq!(field(&rejection, RETRY_AFTER), Some("2"));
    let rejection = Rejection::service_unavailable(Some(Duration::from_secs(3)));
    assert_eq!(field(&rejection, RETRY_AFTER), Some("3"));
    assert!(Rejection::too_many_requests(None).headers().is_empty());
}

#[test]
fn no_rejection_carries_a_1xx() {
    for status in 100..=199 {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(Rejection::new(status).status(), 500);
        let mut whole = Response::new(Bytes::new());
        *whole.status_mut() = status;
        let rejection = Rejection::from(whole);
        assert_eq!(rejection.status(), 500);
        assert!(rejection.whole().is_none());
    }
}

#[test]
fn what_cannot_be_sent_becomes_a_500_that_names_it() {
    let rejection = Rejection::forbidden().with_header("x-user", "a\nb");
    assert_eq!(rejection.status(), 500);
    assert_eq!(
        rejection.message(),
        "a rejection has an invalid value for x-user"
    );
    let rejection = Rejection::forbidden().with_header("no name", "a");
    assert_eq!(
        rejection.message(),
        "a rejection has an invalid header name"
    );
    let rejection = Rejection::unauthorized("a\nb");
    assert_eq!(
        rejection.message(),
        "a rejection has an invalid value for www-authenticate"
    );
    let rejection = Rejection::redirect(StatusCode::OK, "/");
    assert_eq!(
        rejection.message(),
        "a redirect cannot have the status 200 OK"
    );
}

#[test]
fn the_result_of_a_validator_is_small() {
    assert!(size_of::<Result<crate::Accepted, Rejection>>() <= 40);
}

#[test]
fn every_status_has_a_sentence_that_says_what_to_do_next() {
    for (statuses, sentence) in [
        (
            200..=299,
            "the response was made without the body of the request",
        ),
        (300..=399, "repeat the request at the address in Location"),
        (400..=400, "correct the request before repeating it"),
        (401..=401, "repeat the request with valid credentials"),
        (402..=402, "correct the request before repeating it"),
        (
            403..=403,
            "these credentials do not allow the request; do not repeat it",
        ),
        (404..=404, "check the address of the request"),
        (405..=405, "use a method that the Allow header lists"),
        (406..=407, "correct the request before repeating it"),
        (408..=408, "repeat the request later"),
        (409..=410, "correct the request before repeating it"),
        (411..=411, "repeat the request with a Content-Length header"),
        (412..=412, "correct the request before repeating it"),
        (413..=413, "send a shorter body"),
        (414..=414, "correct the request before repeating it"),
        (
            415..=415,
            "send the body as a media type that the Accept header lists",
        ),
        (416..=416, "correct the request before repeating it"),
        (417..=417, "repeat the request without the Expect header"),
        (418..=425, "correct the request before repeating it"),
        (
            426..=426,
            "switch to a protocol that the Upgrade header lists",
        ),
        (427..=428, "correct the request before repeating it"),
        (429..=429, "wait before sending more requests"),
        (430..=499, "correct the request before repeating it"),
        (
            500..=502,
            "the server could not decide; repeat the request later",
        ),
        (503..=504, "repeat the request later"),
        (
            505..=599,
            "the server could not decide; repeat the request later",
        ),
        (
            600..=999,
            "the response was made without the body of the request",
        ),
    ] {
        for status in statuses {
            let rejection = Rejection::new(StatusCode::from_u16(status).unwrap());
            assert_eq!(rejection.message(), sentence, "{status}");
        }
    }
}

#[test]
fn appended_headers_stay_beside_those_of_the_same_name() {
    let rejection =
        Rejection::unauthorized("Bearer").append_header(WWW_AUTHENTICATE, "Basic realm=\"x\"");
    let challenges: Vec<_> = rejection
        .headers()
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .collect();
    assert_eq!(challenges, ["Bearer", "Basic realm=\"x\""]);
    let rejection = rejection.with_header(WWW_AUTHENTICATE, "Digest");
    assert_eq!(
        rejection.headers().get_all(WWW_AUTHENTICATE).iter().count(),
        1
    );
}

#[test]
fn extensions_are_for_programs_and_leave_the_standard_members_alone() {
    let rejection = Rejection::forbidden()
        .with_extension("code", "none")
        .with_extension("type", "https://example.com/quota")
        .with_extension("code", "quota_exceeded");
    assert_eq!(rejection.extension("code"), Some("quota_exceeded"));
    assert_eq!(rejection.extension("balance"), None);
    assert_eq!(rejection.extensions().count(), 2);
    for name in ["title", "status", "detail"] {
        let rejection = Rejection::forbidden().with_extension(name, "x");
        let expected = format!("a rejection has an extension named {name}");
        assert_eq!(
            (rejection.status().as_u16(), rejection.message()),
            (500, &*expected)
        );
    }
}

#[test]
fn a_rejection_is_an_error_that_displays_its_sentence() {
    let error: Box<dyn std::error::Error> = Box::new(Rejection::content_too_large(5));
    assert_eq!(error.to_string(), "send at most 5 bytes");
}

#[test]
fn malformed_headers_are_400_and_final() {
    let mut headers = HeaderMap::new();
    headers.insert("expect", HeaderValue::from_static("y 100-continue"));
    let expect = crate::expectation::Expectations::parse(&headers).unwrap_err();
    let rejection = Rejection::from(expect);
    assert_eq!(rejection.status(), 400);
    assert!(rejection.is_malformed());
    let request = http::Request::put("/").header("content-length", "x");
    let head = crate::RequestHead::from(request.body(String::new()).unwrap());
    let rejection = Rejection::from(head.content_length().unwrap_err());
    assert_eq!(rejection.status(), 400);
    assert!(rejection.is_malformed());
    assert_eq!(
        rejection.message(),
        "the content-length header is not a decimal number that fits 64 bits; \
         correct it or leave it out"
    );
    assert!(!Rejection::from(StatusCode::BAD_REQUEST).is_malformed());
}
