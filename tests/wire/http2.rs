//! The same decisions on a stream of hyper's HTTP/2, which never sends a 100.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::Reason;
use http::{header::CONNECTION, Request};
use tokio::{sync::Notify, time::sleep};
use tower::{Layer, ServiceBuilder};
use tower_expect::{rules, ContinueUnavailable, ExpectLayer, Rejection, RequestHead};

use crate::{
    app::App,
    frames::{expecting, put, Connection},
    support::{layer, quick, serve, soon},
};

async fn connect(app: &App) -> Connection {
    Connection::to(serve(layer().layer(app.clone())).await).await
}

/// That a request on the connection is served.
async fn works(connection: &Connection) {
    let mut exchange = connection.open(put("/sink"), false).await;
    assert!(exchange.send(Bytes::from_static(b"hello"), true).await);
    let received = exchange.receive().await;
    assert_eq!(received.response.status(), 200);
    assert_eq!(received.response.body(), "5");
}

#[tokio::test]
async fn a_rejection_ends_its_stream_with_no_error_and_leaves_the_connection_usable() {
    let app = App::new();
    let connection = connect(&app).await;
    let rejected = [
        ("100-continue", Some("401"), 401),
        ("100-continue", Some("413"), 413),
        ("100-continue", Some("308"), 308),
        ("foo", None, 417),
        ("y 100-continue", None, 400),
        ("", Some("415"), 415),
    ];
    for (expect, reject, status) in rejected {
        let mut request = put("/sink").header("expect", expect);
        if let Some(reject) = reject {
            request = request.header("x-reject", reject);
        }
        let mut exchange = connection.open(request, false).await;
        let received = exchange.receive().await;
        assert_eq!(received.response.status(), status, "{expect:?}");
        assert!(received.interim.is_empty(), "{received:?}");
        assert!(!received.response.headers().contains_key(CONNECTION));
        // Content over HTTP/2 costs curl rejections.
        assert!(received.response.body().is_empty());
        assert_eq!(exchange.reset().await, Reason::NO_ERROR, "{expect:?}");
        works(&connection).await;
    }
    assert_eq!(app.calls(), rejected.len());
}

#[tokio::test]
async fn the_applications_early_answer_ends_its_stream_with_no_error() {
    let app = App::new();
    let connection = connect(&app).await;
    for (path, status) in [("/early", 409), ("/early-later", 409), ("/held", 202)] {
        let mut exchange = connection.open(expecting(path), false).await;
        let received = exchange.receive().await;
        assert_eq!(received.response.status(), status, "{path}");
        assert!(received.interim.is_empty(), "{received:?}");
        assert!(!received.response.headers().contains_key(CONNECTION));
        assert_eq!(exchange.reset().await, Reason::NO_ERROR, "{path}");
        works(&connection).await;
    }
}

#[tokio::test]
async fn other_streams_go_on_beside_a_rejected_one() {
    let app = App::new();
    let connection = connect(&app).await;
    let mut upload = connection.open(put("/sink"), false).await;
    assert!(upload.send(Bytes::from(vec![0; 100_000]), false).await);
    for _ in 0..10 {
        let rejected = expecting("/sink").header("x-reject", "401");
        let mut exchange = connection.open(rejected, false).await;
        assert_eq!(exchange.receive().await.response.status(), 401);
        assert!(upload.send(Bytes::from(vec![0; 10_000]), false).await);
        assert_eq!(exchange.reset().await, Reason::NO_ERROR);
    }
    assert!(upload.send(Bytes::from_static(b"end"), true).await);
    assert_eq!(upload.receive().await.response.body(), "200003");
}

#[tokio::test]
async fn an_expectation_that_nobody_can_meet_is_accepted_by_default() {
    let app = App::new();
    let connection = connect(&app).await;
    for expect in [
        "100-continue",
        "100-continue, 100-continue",
        ",100-CONTINUE",
    ] {
        let request = put("/sink").header("expect", expect);
        let mut exchange = connection.open(request, false).await;
        assert!(exchange.send(Bytes::from_static(b"hello"), true).await);
        let received = exchange.receive().await;
        assert_eq!(received.response.status(), 200);
        assert!(received.interim.is_empty(), "{received:?}");
    }
}

#[tokio::test]
async fn an_expectation_that_nobody_can_meet_is_rejected_on_demand() {
    let app = App::new();
    let layer = layer().when_continue_unavailable(ContinueUnavailable::Reject);
    let connection = Connection::to(serve(layer.layer(app.clone())).await).await;
    let mut exchange = connection.open(expecting("/sink"), false).await;
    let received = exchange.receive().await;
    assert_eq!(received.response.status(), 417);
    assert!(!received.response.headers().contains_key(CONNECTION));
    assert_eq!(exchange.reset().await, Reason::NO_ERROR);
    assert_eq!(app.calls(), 0);
    works(&connection).await;
}

#[tokio::test]
async fn without_a_body_the_expectation_is_moot() {
    let layer = layer().when_continue_unavailable(ContinueUnavailable::Reject);
    let connection = Connection::to(serve(layer.layer(App::new())).await).await;
    let mut exchange = connection.open(expecting("/sink"), true).await;
    assert_eq!(exchange.receive().await.response.status(), 200);
    let empty = expecting("/sink").header("content-length", "0");
    let mut exchange = connection.open(empty, false).await;
    assert!(exchange.send(Bytes::new(), true).await);
    let received = exchange.receive().await;
    assert_eq!(received.response.status(), 200);
    assert!(received.interim.is_empty(), "{received:?}");
}

#[tokio::test]
async fn a_plain_get_that_ends_with_an_empty_frame_is_validated_and_has_no_body() {
    let rule = rules::content_length(..=10)
        .required()
        .and(rules::bearer_token("s3cr3t"));
    let app = App::new();
    let layer = quick(ExpectLayer::new(rule));
    let connection = Connection::to(serve(layer.layer(app.clone())).await).await;
    for (token, status) in [("Bearer s3cr3t", 200), ("Bearer wrong", 401)] {
        let get = Request::get("http://a/sink").header("authorization", token);
        let mut exchange = connection.open(get, false).await;
        let _ = exchange.send(Bytes::new(), true).await;
        assert_eq!(exchange.receive().await.response.status(), status);
    }
    assert_eq!(app.calls(), 1);
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn a_client_that_sends_everything_before_it_reads_sees_the_rejection() {
    let connection = connect(&App::new()).await;
    for request in [put("/sink"), expecting("/sink")] {
        let request = request.header("x-reject", "413");
        let mut exchange = connection.open(request, false).await;
        assert!(exchange.send(Bytes::from(vec![0; 4 << 20]), true).await);
        let received = exchange.receive().await;
        assert_eq!(received.response.status(), 413);
    }
    works(&connection).await;
}

#[tokio::test]
async fn two_hundred_rejected_uploads_leave_the_window_of_the_connection_open() {
    let connection = connect(&App::new()).await;
    for number in 0..200 {
        let request = put("/sink").header("x-reject", "413");
        let mut exchange = connection.open(request, false).await;
        // Each third gives up in the middle.
        let end = number % 3 > 0;
        exchange.send(Bytes::from(vec![0; 64 << 10]), end).await;
        if end {
            assert_eq!(exchange.receive().await.response.status(), 413);
        } else {
            exchange.body.send_reset(Reason::CANCEL);
        }
    }
    let mut exchange = connection.open(put("/sink"), false).await;
    assert!(exchange.send(Bytes::from(vec![0; 3 << 20]), true).await);
    let length = (3 << 20).to_string();
    assert_eq!(exchange.receive().await.response.body(), &length);
}

/// Says so when it is dropped.
struct Watched(Arc<Notify>);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

fn thinking(app: App, dropped: Arc<Notify>) -> impl Future<Output = Result<(), Rejection>> {
    let watched = Watched(dropped);
    async move {
        app.stand_at_gate().await;
        drop(watched);
        Ok(())
    }
}

#[tokio::test]
async fn a_validator_is_dropped_when_its_client_resets_the_stream() {
    let app = App::new();
    let dropped = Arc::new(Notify::new());
    let (thinker, notify) = (app.clone(), Arc::clone(&dropped));
    let layer = quick(ExpectLayer::new_async(move |head: &RequestHead| {
        let thinks = head.headers.contains_key("expect");
        let thought = thinking(thinker.clone(), Arc::clone(&notify));
        async move {
            match thinks {
                true => thought.await,
                false => Ok(()),
            }
        }
    }));
    let service = ServiceBuilder::new().layer(layer).service(app.clone());
    let connection = Connection::to(serve(service).await).await;
    let mut exchange = connection.open(expecting("/sink"), false).await;
    app.entered().await;
    exchange.body.send_reset(Reason::CANCEL);
    soon("the validator goes on", dropped.notified()).await;
    sleep(Duration::from_millis(20)).await;
    works(&connection).await;
    assert_eq!(app.calls(), 1);
}
