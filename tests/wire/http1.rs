//! Requests that are accepted over HTTP/1: when the 100 goes out, and when none does.

use std::time::Duration;

use tower::Layer;
use tower_expect::{ExpectLayer, Rejection, RequestHead};

use crate::{
    app::App,
    support::{layer, quick, serve_http1, statuses, Wire},
};

const EXPECTING: &str =
    "POST /sink HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

async fn connect(app: &App) -> Wire {
    Wire::to(serve_http1(layer().layer(app.clone())).await).await
}

fn head(start: &str, fields: &[&str]) -> String {
    format!("{start}\r\nHost: a\r\n{}\r\n\r\n", fields.join("\r\n"))
}

#[tokio::test]
async fn the_100_waits_for_the_first_poll_of_the_body_and_goes_out_once() {
    let app = App::new();
    let mut wire = connect(&app).await;
    wire.send(EXPECTING.replace("/sink", "/gated")).await;
    app.entered().await;
    wire.silence(Duration::from_millis(100)).await;
    app.open_gate();
    wire.receive("HTTP/1.1 100 Continue\r\n\r\n").await;
    wire.send("hello").await;
    let answer = wire.next().await;
    assert_eq!((answer.status(), answer.content.as_str()), (200, "5"));
    assert_eq!(answer.field("connection"), None);
}

#[tokio::test]
async fn nothing_goes_out_while_an_async_validator_thinks() {
    let app = App::new();
    let thinker = app.clone();
    let layer = quick(ExpectLayer::new_async(move |_: &RequestHead| {
        let thought = thinker.clone().stand_at_gate();
        async move {
            thought.await;
            Ok::<(), Rejection>(())
        }
    }));
    let mut wire = Wire::to(serve_http1(layer.layer(app.clone())).await).await;
    wire.send(EXPECTING).await;
    app.entered().await;
    wire.silence(Duration::from_millis(100)).await;
    assert_eq!(app.calls(), 0);
    app.open_gate();
    wire.receive_100().await;
    wire.send("hello").await;
    assert_eq!(wire.next().await.status(), 200);
}

#[tokio::test]
async fn any_case_and_any_padding_of_100_continue_is_served() {
    let app = App::new();
    for line in [
        "Expect: 100-continue",
        "expect: 100-Continue",
        "EXPECT: 100-CONTINUE",
        "Expect:100-continue",
        "Expect: \t100-continue \t",
    ] {
        let mut wire = connect(&app).await;
        let request = EXPECTING.replace("Expect: 100-continue", line);
        wire.send(request).await;
        wire.receive_100().await;
        wire.send("hello").await;
        assert_eq!(wire.next().await.status(), 200, "{line:?}");
    }
}

#[tokio::test]
async fn a_chunked_request_is_served() {
    let app = App::new();
    let mut wire = connect(&app).await;
    let fields = ["Expect: 100-continue", "Transfer-Encoding: chunked"];
    wire.send(head("POST /sink HTTP/1.1", &fields)).await;
    wire.receive_100().await;
    wire.send("5\r\nhello\r\n0\r\n\r\n").await;
    assert_eq!(wire.next().await.content, "5");
}

#[tokio::test]
async fn accepted_requests_leave_the_connection_as_it_is() {
    let app = App::new();
    let mut wire = connect(&app).await;
    for _ in 0..3 {
        wire.send(EXPECTING).await;
        wire.receive_100().await;
        wire.send("hello").await;
        let answer = wire.next().await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.field("connection"), None);
    }
    assert_eq!(app.calls(), 3);
}

#[tokio::test]
async fn content_in_the_segment_of_the_head_is_read_and_gets_one_100_at_most() {
    let app = App::new();
    let mut wire = connect(&app).await;
    let last = head("GET /hidden HTTP/1.1", &["Connection: close"]);
    wire.send(format!("{EXPECTING}hello{last}")).await;
    let answers = wire.rest(true).await;
    let statuses = statuses(&answers);
    assert!(
        statuses == [100, 200, 200] || statuses == [200, 200],
        "{statuses:?}"
    );
    assert_eq!(answers[answers.len() - 2].content, "5");
    assert_eq!(answers[answers.len() - 1].content, "hidden");
}

#[tokio::test]
async fn http_1_0_never_gets_a_1xx_nor_a_417_whatever_it_expects() {
    let app = App::new();
    for expect in [
        "100-continue",
        "foo",
        "y 100-continue",
        "=",
        "100-continue, 100-continue",
    ] {
        let mut wire = connect(&app).await;
        let fields = [&format!("Expect: {expect}"), "Content-Length: 5"];
        wire.send(head("POST /sink HTTP/1.0", &fields) + "hello")
            .await;
        let answers = wire.rest(true).await;
        assert_eq!(statuses(&answers), [200], "{expect:?}");
        assert_eq!(answers[0].content, "5");
    }
}

#[tokio::test]
async fn without_content_the_expectation_is_moot() {
    let app = App::new();
    for (start, length) in [
        ("GET /sink HTTP/1.1", None),
        ("HEAD /sink HTTP/1.1", None),
        ("OPTIONS /sink HTTP/1.1", None),
        ("DELETE /sink HTTP/1.1", None),
        ("POST /sink HTTP/1.1", None),
        ("POST /sink HTTP/1.1", Some("Content-Length: 0")),
        ("GET /sink HTTP/1.1", Some("Content-Length: 0")),
    ] {
        for expect in [
            "100-continue",
            "100-continue, 100-continue",
            "100-continue,",
        ] {
            let wire = {
                let mut wire = connect(&app).await;
                let expect = format!("Expect: {expect}");
                let mut fields = vec![expect.as_str(), "Connection: close"];
                fields.extend(length);
                wire.send(head(start, &fields)).await;
                wire
            };
            let answers = wire.rest(!start.starts_with("HEAD")).await;
            assert_eq!(statuses(&answers), [200], "{start:?} {length:?} {expect:?}");
        }
    }
}

#[tokio::test]
async fn any_method_with_content_is_served_as_post_is() {
    let app = App::new();
    for method in ["GET", "OPTIONS", "DELETE", "PUT", "PATCH", "PROPFIND"] {
        let mut wire = connect(&app).await;
        wire.send(EXPECTING.replace("POST", method)).await;
        wire.receive_100().await;
        wire.send("hello").await;
        let answer = wire.next().await;
        assert_eq!(
            (answer.status(), answer.content.as_str()),
            (200, "5"),
            "{method}"
        );
    }
}

#[tokio::test]
async fn head_with_content_gets_a_100_and_then_a_head_only() {
    let app = App::new();
    let mut wire = connect(&app).await;
    let fields = [
        "Expect: 100-continue",
        "Content-Length: 5",
        "Connection: close",
    ];
    wire.send(head("HEAD /sink HTTP/1.1", &fields)).await;
    wire.receive_100().await;
    wire.send("hello").await;
    let answers = wire.rest(false).await;
    assert_eq!(statuses(&answers), [200]);
}

#[tokio::test]
async fn an_empty_expect_field_is_no_expectation() {
    let app = App::new();
    for expect in [
        "Expect:",
        "Expect: ,",
        "Expect: , ,\t,",
        "Expect:\r\nExpect:",
    ] {
        let mut wire = connect(&app).await;
        let fields = [expect, "Content-Length: 5", "Connection: close"];
        wire.send(head("POST /sink HTTP/1.1", &fields) + "hello")
            .await;
        assert_eq!(statuses(&wire.rest(true).await), [200], "{expect:?}");
    }
}

#[tokio::test]
async fn a_client_that_wants_the_connection_closed_gets_its_100_all_the_same() {
    let app = App::new();
    let mut wire = connect(&app).await;
    let fields = [
        "Expect: 100-continue",
        "Content-Length: 5",
        "Connection: close",
    ];
    wire.send(head("POST /sink HTTP/1.1", &fields)).await;
    wire.receive_100().await;
    wire.send("hello").await;
    let answer = wire.next().await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.field("connection"), Some("close"));
    wire.end().await;
}

#[tokio::test]
async fn no_100_follows_the_final_head_when_the_content_is_read_afterwards() {
    let app = App::new();
    for send in [false, true] {
        let mut wire = connect(&app).await;
        let fields = [
            "Expect: 100-continue",
            "Content-Length: 5",
            "Connection: close",
        ];
        wire.send(head("POST /late HTTP/1.1", &fields)).await;
        let answer = wire.next().await;
        assert_eq!(answer.status(), 202);
        if send {
            wire.send("hello").await;
        } else {
            wire.silence(Duration::from_millis(150)).await;
            wire.send("hello").await;
        }
        assert!(wire.rest(true).await.is_empty());
    }
}

#[tokio::test]
async fn the_100_precedes_a_101() {
    let app = App::new();
    let mut wire = connect(&app).await;
    let fields = [
        "Expect: 100-continue",
        "Content-Length: 5",
        "Connection: upgrade",
        "Upgrade: echo",
    ];
    wire.send(head("POST /upgrade HTTP/1.1", &fields)).await;
    wire.receive_100().await;
    wire.send("hello").await;
    let answer = wire.next().await;
    assert_eq!(answer.status(), 101);
    assert_eq!(answer.field("connection"), Some("upgrade"));
}

#[tokio::test]
async fn inner_services_see_the_field_unless_it_is_stripped() {
    for (layer, seen) in [(layer(), "100-continue"), (layer().strip_expect(), "")] {
        let mut wire = Wire::to(serve_http1(layer.layer(App::new())).await).await;
        wire.send(EXPECTING.replace("/sink", "/expect")).await;
        wire.receive_100().await;
        wire.send("hello").await;
        assert_eq!(wire.next().await.content, seen);
    }
}
