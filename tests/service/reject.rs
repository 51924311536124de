//! The response of a rejection, but for how it looks.

use std::future::ready;

use bytes::Bytes;
use http::{header::CONTENT_TYPE, Method, Request, Response, StatusCode, Version};
use http_body::Body;
use tower::Layer;
use tower_expect::{ExpectLayer, Rejection, RequestHead};

use crate::support::{
    at_once, connection, content, expecting, post, rejected, within_a_turn, NotCalled, PanicBody,
};

const UNREAD: PanicBody = PanicBody { ended: false };
const NONE: PanicBody = PanicBody { ended: true };

fn reject(_: &RequestHead) -> Result<(), Rejection> {
    Err(Rejection::content_too_large(5))
}

#[test]
fn http_1_closes_after_a_rejection_and_http_2_and_3_have_no_such_field() {
    let table = [
        (Version::HTTP_10, Some("close")),
        (Version::HTTP_11, Some("close")),
        (Version::HTTP_2, None),
        (Version::HTTP_3, None),
    ];
    for (version, expected) in table {
        for request in [expecting(version), post(version)] {
            let request = request.body(UNREAD).unwrap();
            let response = rejected(&ExpectLayer::new(reject), request);
            assert_eq!(response.status(), 413);
            assert_eq!(connection(&response), expected, "{version:?}");
        }
        let request = expecting(version).body(UNREAD).unwrap();
        let layer = ExpectLayer::new_async(|head: &RequestHead| ready(reject(head)));
        let response = within_a_turn(layer.layer(NotCalled), request);
        assert_eq!(connection(&response), expected, "{version:?}");
    }
}

#[test]
fn an_upgrade_field_is_named_in_connection_and_left_out_where_there_is_none() {
    let table = [
        (Version::HTTP_11, PanicBody { ended: true }, Some("upgrade")),
        (Version::HTTP_11, UNREAD, Some("close, upgrade")),
        (Version::HTTP_2, UNREAD, None),
    ];
    for (version, body, expected) in table {
        let reject = |_: &RequestHead| Err::<(), _>(Rejection::upgrade_required(["websocket"]));
        let layer = ExpectLayer::new(reject);
        let response = rejected(&layer, post(version).body(body).unwrap());
        assert_eq!(response.status(), 426);
        assert_eq!(connection(&response), expected);
        let upgrade = response.headers().get("upgrade");
        assert_eq!(upgrade.is_some(), expected.is_some());
    }
}

#[test]
fn a_rejected_expect_field_closes_too() {
    for (value, status) in [
        ("a b", 400),
        ("foo", 417),
        ("100-continue, 100-continue", 417),
    ] {
        let request = post(Version::HTTP_11).header("expect", value);
        let request = request.header("content-length", "1").body(UNREAD).unwrap();
        let response = rejected(&ExpectLayer::default(), request);
        assert_eq!(response.status(), status);
        assert_eq!(connection(&response), Some("close"), "{value}");
    }
}

#[test]
fn an_expecting_request_is_never_kept_however_small() {
    for length in ["0", "1"] {
        let request = expecting(Version::HTTP_11).header("content-length", length);
        let response = rejected(&ExpectLayer::new(reject), request.body(UNREAD).unwrap());
        assert_eq!(connection(&response), Some("close"), "{length}");
    }
}

#[test]
fn a_rejected_request_without_a_body_keeps_its_connection_whatever_it_expects() {
    let layer = ExpectLayer::new(reject);
    for (expect, status) in [("", 413), ("100-continue", 413), ("foo", 417), ("a b", 400)] {
        let request = post(Version::HTTP_11).header("expect", expect).body(NONE);
        let response = at_once(layer.layer(NotCalled), request.unwrap());
        assert_eq!(response.status(), status);
        assert_eq!(connection(&response), None, "{expect}");
    }
}

#[cfg(feature = "tokio")]
#[test]
fn a_small_content_length_keeps_the_connection_unless_there_is_no_lingering() {
    use tower_expect::Linger;

    let response = |layer: ExpectLayer<_>, length: &str| {
        let request = post(Version::HTTP_11).header("content-length", length);
        rejected(&layer, request.body(UNREAD).unwrap())
    };
    let layer = || ExpectLayer::new(reject as fn(&RequestHead) -> Result<(), Rejection>);
    for (length, expected) in [
        ("0", None),
        ("1", None),
        ("65536", None),
        ("65537", Some("close")),
        ("+1", Some("close")),
        ("1, 1", Some("close")),
        ("18446744073709551616", Some("close")),
    ] {
        let response = response(layer(), length);
        assert_eq!(connection(&response), expected, "{length}");
    }
    let never = layer().linger(Linger::default().keep_alive_up_to(0));
    assert_eq!(connection(&response(never, "1")), Some("close"));
    let up_to_9 = layer().linger(Linger::default().keep_alive_up_to(9));
    assert_eq!(connection(&response(up_to_9.clone(), "9")), None);
    assert_eq!(connection(&response(up_to_9, "10")), Some("close"));
    // Dropped, and nobody reads what may still come.
    let off = response(layer().no_linger(), "1");
    assert_eq!(connection(&off), Some("close"));
}

#[cfg(feature = "tokio")]
#[test]
fn only_an_undoubted_length_on_http_1_1_counts_as_small() {
    let small = |version| post(version).header("content-length", "1");
    let table = [
        (
            "two lines",
            small(Version::HTTP_11).header("content-length", "1"),
        ),
        (
            "chunked",
            small(Version::HTTP_11).header("transfer-encoding", "chunked"),
        ),
        ("none", post(Version::HTTP_11)),
        ("HTTP/1.0", small(Version::HTTP_10)),
    ];
    for (name, request) in table {
        let response = rejected(&ExpectLayer::new(reject), request.body(UNREAD).unwrap());
        assert_eq!(connection(&response), Some("close"), "{name}");
    }
}

#[cfg(feature = "tokio")]
#[test]
fn an_empty_expect_field_closes_no_more_than_an_absent_one() {
    for value in ["", " , "] {
        let request = post(Version::HTTP_11).header("expect", value);
        let request = request.header("content-length", "1").body(UNREAD).unwrap();
        let response = rejected(&ExpectLayer::new(reject), request);
        assert_eq!(connection(&response), None, "{value:?}");
    }
}

#[test]
fn the_rejection_is_in_the_extensions_of_its_response() {
    let response = rejected(
        &ExpectLayer::new(reject),
        expecting(Version::HTTP_11).body(UNREAD).unwrap(),
    );
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.status(), 413);
    assert_eq!(rejection.message(), "send at most 5 bytes");

    let request = post(Version::HTTP_11).header("expect", "foo");
    let response = rejected(&ExpectLayer::default(), request.body(UNREAD).unwrap());
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.status(), 417);
}

#[test]
fn a_rejected_expect_field_is_explained_in_plain_text_and_never_echoed() {
    for (value, status) in [
        ("<script>alert(1)</script>", 400),
        ("script=\"<script>\"", 417),
        ("marker", 417),
        ("100-continue, 100-continue", 417),
    ] {
        let request = post(Version::HTTP_11).header("expect", value);
        let request = request.header("accept", "text/html").body(UNREAD).unwrap();
        let response = rejected(&ExpectLayer::default(), request);
        assert_eq!(response.status(), status, "{value}");
        assert_eq!(
            response.headers()[CONTENT_TYPE],
            "text/plain; charset=utf-8"
        );
        let echoes = |text: &str| text.contains("script") || text.contains("marker");
        for (name, value) in response.headers() {
            assert!(!echoes(value.to_str().unwrap()), "{name}: {value:?}");
        }
        let text = content(response.into_body());
        let text = std::str::from_utf8(&text).unwrap();
        assert!(!echoes(text), "{text}");
        assert!(text.ends_with('\n'), "{text}");
        if status == 417 {
            let advice = "repeat the request without the Expect header";
            assert!(text.contains(advice), "{text}");
        }
    }
}

#[test]
fn the_answer_to_head_has_no_content() {
    let request = Request::head("/").header("expect", "100-continue");
    let response = rejected(&ExpectLayer::new(reject), request.body(UNREAD).unwrap());
    assert_eq!(response.status(), 413);
    assert!(response.body().is_end_stream());
    assert_eq!(response.body().size_hint().exact(), Some(0));
    assert!(content(response.into_body()).is_empty());
}

#[test]
fn a_whole_response_is_sent_as_it_is_but_that_close_joins_its_connection_options() {
    let whole = |_: &RequestHead| {
        let response = Response::builder()
            .status(StatusCode::IM_A_TEAPOT)
            .header("connection", "keep-alive, x-own")
            .header("connection", "upgrade")
            .header("x-own", "1")
            .header("x-own", "2")
            .extension(7_u8)
            .body(Bytes::from_static(b"\x00\xff"))
            .unwrap();
        Err::<(), _>(Rejection::from(response))
    };
    for (version, expected) in [
        (Version::HTTP_11, Some("close, x-own, upgrade")),
        (Version::HTTP_2, None),
    ] {
        for request in [expecting(version), expecting(version).method(Method::PUT)] {
            let request = request.header("content-type", "application/grpc");
            let layer = ExpectLayer::new(whole).render_with(|_: &Rejection, _: &RequestHead| {
                panic!("the renderer was asked");
            });
            let response = rejected(&layer, request.body(UNREAD).unwrap());
            assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
            assert_eq!(connection(&response), expected);
            let own: Vec<_> = response.headers().get_all("x-own").iter().collect();
            assert_eq!(own, ["1", "2"]);
            assert_eq!(
                response.headers().len(),
                2 + usize::from(expected.is_some())
            );
            assert_eq!(response.extensions().get::<u8>(), Some(&7));
            assert_eq!(content(response.into_body()), &b"\x00\xff"[..]);
        }
    }
}

#[test]
fn a_connection_option_of_the_validator_stays_on_http_1() {
    let renderer = |_: &Rejection, _: &RequestHead| {
        let response = Response::builder().header("connection", "keep-alive");
        response.body(Bytes::new()).unwrap()
    };
    let validator =
        |_: &RequestHead| Err::<(), _>(Rejection::forbidden().with_header("connection", "upgrade"));
    let layer = ExpectLayer::new(validator).render_with(renderer);
    // A renderer of one's own makes of the rejection what it likes.
    for (layer, expected) in [
        (layer.clone(), "close"),
        (
            layer.render_with(tower_expect::render::Empty),
            "close, upgrade",
        ),
    ] {
        for (version, expected) in [(Version::HTTP_11, Some(expected)), (Version::HTTP_2, None)] {
            let response = rejected(&layer, expecting(version).body(UNREAD).unwrap());
            assert_eq!(connection(&response), expected);
        }
    }
}
