//! Which requests ask, and what becomes of their `Expect` header.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{request::Builder, Method, Request, Response, Version};
use http_body::Body;
use http_body_util::{Empty, Full};
use tower::{service_fn, Layer, ServiceExt};
use tower_expect::client::{ExpectContinueLayer, Unsent, WaitingBody};

use crate::support::{chunked, full, Notes, Upload};

/// The lines of the header as they were passed on, and whether the body was withheld.
async fn passed(
    layer: &ExpectContinueLayer,
    request: Builder,
    body: Upload,
) -> (Vec<String>, bool) {
    let notes = Notes::default();
    let heads = notes.clone();
    let hint = body.size_hint();
    let service = service_fn(move |request: Request<WaitingBody<Upload>>| {
        let heads = heads.clone();
        async move {
            heads.note(
                request
                    .headers()
                    .get_all("expect")
                    .iter()
                    .cloned()
                    .collect(),
            );
            let hints = (
                request.body().size_hint().lower(),
                request.body().size_hint().upper(),
            );
            assert_eq!(
                hints,
                (hint.lower(), hint.upper()),
                "the size hint is the body's"
            );
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let response = layer.layer(service).oneshot(request.body(body).unwrap());
    let unsent = response.await.unwrap();
    let unsent = unsent.extensions().get::<Unsent<Upload>>().is_some();
    let lines: Vec<http::HeaderValue> = notes.wait_for(1).await.remove(0);
    let lines = lines.iter().map(|line| line.to_str().unwrap().to_owned());
    (lines.collect(), unsent)
}

fn request(method: &str, expect: &[&str]) -> Builder {
    let method: Method = method.parse().unwrap();
    let request = Request::builder().method(method).uri("http://a/");
    let with = |request: Builder, line: &&str| request.header("expect", *line);
    expect.iter().fold(request, with)
}

const ONE: &str = "100-continue";

#[tokio::test]
async fn a_body_asks_from_the_least_length_on_or_if_its_length_is_unknown() {
    let layer = ExpectContinueLayer::new().min_length(5);
    for (body, asks) in [
        (full("hell"), false),
        (full("hello"), true),
        (full(""), false),
        (chunked("h"), true),
    ] {
        let (lines, withheld) = passed(&layer, request("PUT", &[]), body).await;
        assert_eq!(lines, if asks { vec![ONE] } else { vec![] });
        assert_eq!(withheld, asks);
    }
}

#[tokio::test]
async fn the_least_length_is_a_mebibyte_by_default() {
    let layer = ExpectContinueLayer::new();
    for (length, asks) in [((1 << 20) - 1, false), (1 << 20, true)] {
        let body = full(vec![0; length]);
        let (lines, _) = passed(&layer, request("PUT", &[]), body).await;
        assert_eq!(!lines.is_empty(), asks, "{length}");
    }
}

#[tokio::test]
async fn an_announced_length_counts_where_the_body_tells_none() {
    let layer = ExpectContinueLayer::new().min_length(5);
    for (length, asks) in [("4", false), ("5", true), ("0", false)] {
        let request = request("PUT", &[]).header("content-length", length);
        let (lines, _) = passed(&layer, request, chunked("hello")).await;
        assert_eq!(!lines.is_empty(), asks, "{length}");
    }
}

/// The lines of a short PUT's `Expect` as the caller sets them, as they are passed on, and whether the
/// body waits.
#[tokio::test]
async fn a_header_of_the_callers_is_honoured_at_any_length_and_made_one_line() {
    let rows: &[(&[&str], &[&str], bool)] = &[
        (&[], &[], false),
        (&["100-continue"], &[ONE], true),
        (&["100-Continue"], &[ONE], true),
        (&["100-continue", "100-continue"], &[ONE], true),
        (&["100-continue, 100-continue"], &[ONE], true),
        (&["", "100-continue"], &[ONE], true),
        (&["x=1, 100-continue"], &["x=1, 100-continue"], true),
        (&["x=1", "100-continue"], &["x=1, 100-continue"], true),
        // Forbidden.
        (&[""], &[], false),
        (&[" ,"], &[], false),
        // Not ours.
        (&["x=1"], &["x=1"], false),
        (&["x=1", "y"], &["x=1", "y"], false),
        (&["y 100-continue"], &["y 100-continue"], false),
    ];
    for (given, expected, waits) in rows {
        let layer = ExpectContinueLayer::new();
        let found = passed(&layer, request("PUT", given), full("hello")).await;
        assert_eq!(found, (strings(expected), *waits), "{given:?}");
    }
}

#[tokio::test]
async fn an_empty_header_keeps_a_long_body_from_asking() {
    let layer = ExpectContinueLayer::new().min_length(0);
    let found = passed(&layer, request("PUT", &[""]), full("hello")).await;
    assert_eq!(found, (vec![], false));
}

/// Where a request must not ask, neither the layer nor the caller makes it.
#[tokio::test]
async fn no_request_asks_without_a_body_or_with_upgrade_or_connect_or_on_http_1_0() {
    let layer = ExpectContinueLayer::new().min_length(0);
    for expect in [&[][..], &[ONE][..], &["100-continue, 100-continue"][..]] {
        let of = |method| request(method, expect);
        for (what, request, body) in [
            ("no body", of("PUT"), full("")),
            ("a GET without a length", of("GET"), chunked("hello")),
            ("a HEAD without a length", of("HEAD"), chunked("hello")),
            ("CONNECT", of("CONNECT"), full("hello")),
            ("Upgrade", of("PUT").header("upgrade", "x"), full("hello")),
            (
                "HTTP/1.0",
                of("PUT").version(Version::HTTP_10),
                full("hello"),
            ),
            (
                "HTTP/0.9",
                of("PUT").version(Version::HTTP_09),
                full("hello"),
            ),
        ] {
            let found = passed(&layer, request, body).await;
            assert_eq!(found, (vec![], false), "{what}, {expect:?}");
        }
    }
}

/// hyper's client sends HTTP/2 requests where it has such a connection; one that says so itself is left
/// alone.
#[tokio::test]
async fn a_request_of_another_version_is_left_alone() {
    let layer = ExpectContinueLayer::new().min_length(0);
    for version in [Version::HTTP_2, Version::HTTP_3] {
        for expect in [&[][..], &[ONE][..], &["", "x"][..]] {
            let request = request("PUT", expect).version(version);
            let found = passed(&layer, request, full("hello")).await;
            assert_eq!(found, (strings(expect), false));
        }
    }
}

#[tokio::test]
async fn all_methods_with_a_body_ask() {
    let layer = ExpectContinueLayer::new().min_length(0);
    for method in ["PUT", "POST", "PATCH", "DELETE", "OPTIONS", "GET", "QUERY"] {
        let found = passed(&layer, request(method, &[]), full("hello")).await;
        assert_eq!(found, (strings(&[ONE]), true), "{method}");
    }
}

/// It may know more than the layer: it would be replaced.
#[tokio::test]
async fn a_request_with_a_callback_of_hypers_is_passed_on_as_it_is() {
    let layer = ExpectContinueLayer::new().min_length(0);
    let held = Arc::new(());
    let weak = Arc::downgrade(&held);
    let service = service_fn(move |request: Request<WaitingBody<Full<Bytes>>>| {
        assert!(!request.headers().contains_key("expect"));
        assert!(weak.upgrade().is_some(), "the callback is there");
        async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) }
    });
    let mut request = Request::put("http://a/").body(Full::from("hello")).unwrap();
    hyper::ext::on_informational(&mut request, move |_| drop(Arc::clone(&held)));
    let response = layer.layer(service).oneshot(request).await.unwrap();
    assert!(response.extensions().get::<Unsent<Full<Bytes>>>().is_none());
}

fn strings(of: &[&str]) -> Vec<String> {
    of.iter().map(|&of| of.to_owned()).collect()
}
