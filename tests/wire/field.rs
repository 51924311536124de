//! Forms of the Expect field over HTTP/1. No client here ever sends its content: a request that is
//! neither rejected nor invited would stall the test.

use http::StatusCode;
use tower::Layer;
use tower_expect::ExpectLayer;

use crate::{
    app::App,
    support::{layer, quick, serve_http1, Message, Wire},
};

fn request(expect: &[u8]) -> Vec<u8> {
    let head = b"POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n";
    [head, expect, b"\r\n\r\n"].concat()
}

/// The answer to a request with these Expect lines, after which the connection must end.
async fn rejection<V>(layer: ExpectLayer<V>, lines: &[u8]) -> Message
where
    V: tower_expect::Validator + Send + Sync + 'static,
{
    let app = App::new();
    let mut wire = Wire::to(serve_http1(layer.layer(app.clone())).await).await;
    wire.send(request(lines)).await;
    let answer = wire.next().await;
    assert_eq!(answer.field("connection"), Some("close"), "{answer:?}");
    wire.end().await;
    assert_eq!(app.calls(), 0, "{answer:?}");
    answer
}

#[tokio::test]
async fn an_unknown_expectation_is_answered_with_417() {
    for expect in [
        "foo",
        "foo=bar",
        "100-continue=x",
        "100-continue=1",
        "100-continue;q=1",
        "100-continuex",
        "100-",
        "100-foo",
        "x100-continue",
        "foo=\"100-continue\"",
    ] {
        let lines = format!("Expect: {expect}");
        let answer = rejection(layer(), lines.as_bytes()).await;
        assert_eq!(answer.status(), 417, "{expect:?}");
        assert!(answer.content.contains("repeat the request without"));
    }
}

#[tokio::test]
async fn a_malformed_field_is_answered_with_400() {
    let cases: [&[u8]; 12] = [
        b"y 100-continue",
        b"x 100-continue",
        b"100-continue y",
        b"\"100-continue\"",
        b"=",
        b"100-continue=",
        b"=100-continue",
        b"100-continue; ;=",
        b"foo=\"100-continue",
        b"\xc2\xa0100-continue",
        b"100-continue\xc2\xa0",
        b"100-continue\xff",
    ];
    for expect in cases {
        let answer = rejection(layer(), &[b"Expect: ", expect].concat()).await;
        let expect = String::from_utf8_lossy(expect);
        assert_eq!(answer.status(), 400, "{expect:?}");
    }
}

#[tokio::test]
async fn one_malformed_line_among_good_ones_is_answered_with_400() {
    for lines in [
        "Expect: 100-continue\r\nExpect: y 100-continue",
        "Expect: y 100-continue\r\nExpect: 100-continue",
        "Expect: foo, =",
    ] {
        let answer = rejection(layer().support("foo"), lines.as_bytes()).await;
        assert_eq!(answer.status(), 400, "{lines:?}");
    }
}

#[tokio::test]
async fn one_unknown_member_anywhere_is_answered_with_417() {
    for lines in [
        "Expect: 100-continue, foo",
        "Expect: foo,100-continue",
        "Expect: 100-continue\r\nExpect: foo",
        "Expect: foo\r\nExpect: 100-continue",
        "Expect: known\r\nExpect: foo\r\nExpect: 100-continue",
    ] {
        let answer = rejection(layer().support("known"), lines.as_bytes()).await;
        assert_eq!(answer.status(), 417, "{lines:?}");
    }
}

#[tokio::test]
async fn forms_for_which_hyper_sends_no_100_are_answered_with_417_rather_than_stalled() {
    for lines in [
        "Expect: 100-continue, 100-continue",
        "Expect: 100-continue,",
        "Expect: ,100-continue,",
        "Expect: 100-continue\r\nExpect: foo",
        "Expect: 100-continue, foo",
        "Expect: foo, 100-continue",
        "Expect: 100-continue\r\nExpect:",
    ] {
        let answer = rejection(layer().support("foo"), lines.as_bytes()).await;
        assert_eq!(answer.status(), 417, "{lines:?}");
    }
}

#[tokio::test]
async fn several_lines_are_served_if_the_last_is_100_continue() {
    for lines in [
        "Expect: 100-continue\r\nExpect: 100-continue",
        "Expect: foo\r\nExpect: 100-continue",
        "Expect: FOO=\"a, b\";c=d\r\nExpect: 100-Continue",
        "Expect: foo, 100-continue\r\nExpect: 100-continue",
        "Expect:\r\nExpect: 100-continue",
    ] {
        let service = layer().support("foo").layer(App::new());
        let mut wire = Wire::to(serve_http1(service).await).await;
        wire.send(request(lines.as_bytes())).await;
        wire.receive_100().await;
        wire.send("hello").await;
        let answer = wire.next().await;
        assert_eq!(
            (answer.status(), answer.content.as_str()),
            (200, "5"),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn a_declared_extension_alone_invites_nothing_and_is_accepted() {
    let service = layer().support("foo").layer(App::new());
    let mut wire = Wire::to(serve_http1(service).await).await;
    wire.send([request(b"Expect: Foo=1"), b"hello".to_vec()].concat())
        .await;
    assert_eq!(wire.next().await.status(), 200);
}

#[tokio::test]
async fn folded_lines_and_a_space_before_the_colon_are_rejected_by_hyper() {
    for lines in [
        "Expect:\r\n 100-continue",
        "Expect: 100-continue,\r\n\tfoo",
        "Expect : 100-continue",
    ] {
        let app = App::new();
        for method in ["POST", "OPTIONS"] {
            let mut wire = Wire::to(serve_http1(layer().layer(app.clone())).await).await;
            let request = String::from_utf8(request(lines.as_bytes())).unwrap();
            wire.send(request.replace("POST", method)).await;
            let answer = wire.next().await;
            assert_eq!(answer.status(), 400, "{lines:?}");
            assert_eq!(answer.field("connection"), Some("close"));
            wire.end().await;
        }
        assert_eq!(app.calls(), 0);
    }
}

#[tokio::test]
async fn an_unknown_expectation_without_content_is_rejected_too_and_keeps_the_connection() {
    let app = App::new();
    let mut wire = Wire::to(serve_http1(layer().layer(app.clone())).await).await;
    wire.send("GET /sink HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n\r\n")
        .await;
    let answer = wire.next().await;
    assert_eq!(answer.status(), 417);
    assert_eq!(answer.field("connection"), None);
    assert_eq!(app.calls(), 0);
    wire.send("GET /sink HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(wire.next().await.status(), 200);
    assert_eq!(app.calls(), 1);
}

#[tokio::test]
async fn the_value_is_never_echoed() {
    for expect in [
        "<script>alert(1)</script>",
        "x-marker-417",
        "foo=\"<script>x-marker</script>\"",
        "100-continue;x-marker=script",
    ] {
        let lines = format!("Expect: {expect}");
        let answer = rejection(layer(), lines.as_bytes()).await;
        let status = StatusCode::from_u16(answer.status()).unwrap();
        assert!(status.is_client_error());
        for marker in ["script", "x-marker", "foo"] {
            assert!(!answer.content.contains(marker), "{answer:?}");
            assert!(!answer.head.contains(marker), "{answer:?}");
        }
        let content_type = answer.field("content-type").unwrap();
        assert!(content_type.starts_with("text/plain"), "{content_type:?}");
    }
}

#[tokio::test]
async fn the_default_layer_keeps_to_the_grammar_as_well() {
    for (expect, status) in [("foo", 417), ("y 100-continue", 400)] {
        let lines = format!("Expect: {expect}");
        let answer = rejection(quick(ExpectLayer::default()), lines.as_bytes()).await;
        assert_eq!(answer.status(), status, "{expect:?}");
    }
}
