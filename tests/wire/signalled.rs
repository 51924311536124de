//! HTTP/2 with a server that can send a 100 and lends the layer a `ContinueSignal`.

use bytes::Bytes;
use h2::Reason;
use http::StatusCode;
use tower::Layer;
use tower_expect::{ContinueUnavailable, ExpectLayer, Rejection, RequestHead};

use crate::{
    app::App,
    frames::{expecting, put, serve_signalled, Connection, Exchange},
    support::{layer, quick},
};

const CONTINUE: Option<StatusCode> = Some(StatusCode::CONTINUE);

async fn connect(app: &App) -> Connection {
    Connection::to(serve_signalled(layer().layer(app.clone())).await).await
}

/// That the server invites the content once and takes it.
async fn is_invited(mut exchange: Exchange) {
    assert_eq!(exchange.interim().await, CONTINUE);
    assert!(exchange.send(Bytes::from_static(b"hello"), true).await);
    let received = exchange.receive().await;
    assert!(received.interim.is_empty(), "{received:?}");
    assert_eq!(received.response.body(), "5");
}

#[tokio::test]
async fn one_100_precedes_the_content() {
    let app = App::new();
    let connection = connect(&app).await;
    for _ in 0..3 {
        is_invited(connection.open(expecting("/sink"), false).await).await;
    }
}

#[tokio::test]
async fn the_100_waits_for_the_first_poll_of_the_body() {
    let app = App::new();
    let connection = connect(&app).await;
    let mut waiting = connection.open(expecting("/gated"), false).await;
    app.entered().await;
    // Frames keep their order: what the server had sent by now would be there before this answer.
    is_invited(connection.open(expecting("/sink"), false).await).await;
    assert!(waiting.is_silent());
    app.open_gate();
    is_invited(waiting).await;
}

#[tokio::test]
async fn no_100_goes_out_while_an_async_validator_thinks() {
    let app = App::new();
    let thinker = app.clone();
    let layer = quick(ExpectLayer::new_async(move |head: &RequestHead| {
        let thinks = head.headers.contains_key("x-think");
        let thought = thinker.clone().stand_at_gate();
        async move {
            if thinks {
                thought.await;
            }
            Ok::<(), Rejection>(())
        }
    }));
    let connection = Connection::to(serve_signalled(layer.layer(app.clone())).await).await;
    let request = expecting("/sink").header("x-think", "yes");
    let mut waiting = connection.open(request, false).await;
    app.entered().await;
    is_invited(connection.open(expecting("/sink"), false).await).await;
    assert!(waiting.is_silent());
    app.open_gate();
    is_invited(waiting).await;
}

#[tokio::test]
async fn a_rejection_comes_without_a_100() {
    let app = App::new();
    let connection = connect(&app).await;
    for (expect, status) in [
        ("100-continue", 413),
        ("100-continue, foo", 417),
        ("=", 400),
    ] {
        let request = put("/sink").header("expect", expect);
        let request = request.header("x-reject", "413");
        let mut exchange = connection.open(request, false).await;
        let received = exchange.receive().await;
        assert_eq!(received.response.status(), status);
        assert!(received.interim.is_empty(), "{received:?}");
        assert_eq!(exchange.reset().await, Reason::NO_ERROR);
    }
    assert_eq!(app.calls(), 0);
    is_invited(connection.open(expecting("/sink"), false).await).await;
}

#[tokio::test]
async fn the_applications_early_answer_comes_without_a_100() {
    let app = App::new();
    let connection = connect(&app).await;
    for path in ["/early", "/early-later", "/held"] {
        let mut exchange = connection.open(expecting(path), false).await;
        let received = exchange.receive().await;
        assert!(received.interim.is_empty(), "{path} {received:?}");
        assert_eq!(exchange.reset().await, Reason::NO_ERROR, "{path}");
    }
    is_invited(connection.open(expecting("/sink"), false).await).await;
}

/// A 100 after the final head would be a malformed response, which h2's client resets.
#[tokio::test]
async fn no_100_follows_the_final_head_when_the_content_is_read_afterwards() {
    let app = App::new();
    let connection = connect(&app).await;
    let mut exchange = connection.open(expecting("/late"), false).await;
    let received = exchange.receive().await;
    assert_eq!(received.response.status(), 202);
    assert!(received.interim.is_empty(), "{received:?}");
    tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    assert!(exchange.send(Bytes::from_static(b"hello"), true).await);
    is_invited(connection.open(expecting("/sink"), false).await).await;
}

#[tokio::test]
async fn who_does_not_expect_gets_no_100() {
    let app = App::new();
    let connection = connect(&app).await;
    for (request, content) in [(put("/sink"), true), (expecting("/sink"), false)] {
        let mut exchange = connection.open(request, !content).await;
        if content {
            assert!(exchange.send(Bytes::from_static(b"hello"), true).await);
        }
        let received = exchange.receive().await;
        assert_eq!(received.response.status(), 200);
        assert!(received.interim.is_empty(), "{received:?}");
    }
}

#[tokio::test]
async fn a_signal_serves_any_form_and_makes_nothing_unavailable() {
    let layer = layer()
        .support("foo")
        .strip_expect()
        .when_continue_unavailable(ContinueUnavailable::Reject);
    let connection = Connection::to(serve_signalled(layer.layer(App::new())).await).await;
    for expect in [
        "100-Continue",
        "100-continue, 100-continue",
        "100-continue, foo",
    ] {
        let request = put("/sink").header("expect", expect);
        is_invited(connection.open(request, false).await).await;
    }
}

#[tokio::test]
async fn nested_layers_share_the_one_100() {
    let nested = layer().layer(layer().layer(App::new()));
    let connection = Connection::to(serve_signalled(nested).await).await;
    is_invited(connection.open(expecting("/sink"), false).await).await;
    let rejected = expecting("/sink").header("x-reject", "401");
    let mut exchange = connection.open(rejected, false).await;
    let received = exchange.receive().await;
    assert_eq!(received.response.status(), 401);
    assert!(received.interim.is_empty(), "{received:?}");
}
