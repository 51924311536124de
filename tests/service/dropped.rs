//! Where nothing is read on: the body is dropped, at once.

use std::{
    convert::Infallible,
    future::ready,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Response, StatusCode, Version};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service};
use tower_expect::{ExpectLayer, Rejection, RequestHead};

use crate::support::{
    at_once, connection, expecting, fed, pass, post, rejected, reply, start, FedBody, Feed,
    InFlight, NotCalled,
};

type Answer = Full<Bytes>;

fn sent(layer: &ExpectLayer, version: Version) -> (Feed, InFlight<FedBody, Answer>) {
    let (feed, body) = fed();
    let request = expecting(version).body(body).unwrap();
    (feed, start(layer, request))
}

async fn assert_dropped_at_once(feed: &Feed) {
    assert_eq!(feed.drops(), 1);
    pass(60_000).await;
    assert_eq!(feed.polls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_close_delimited_response_would_not_end_until_the_reading_does() {
    let (feed, body) = fed();
    let request = post(Version::HTTP_10).body(body).unwrap();
    let mut exchange: InFlight<_, FedBody> = start(&ExpectLayer::default(), request);
    drop(exchange.request);
    let (_going_on, body) = fed();
    exchange.respond.send_response(Response::new(body));
    let response = assert_ready_ok!(exchange.future.poll());
    assert_eq!(feed.drops(), 1);
    drop(response);
    assert_dropped_at_once(&feed).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_held_beyond_a_close_delimited_response_is_dropped_with_its_holder() {
    let (feed, body) = fed();
    let request = post(Version::HTTP_10).body(body).unwrap();
    let mut exchange: InFlight<_, FedBody> = start(&ExpectLayer::default(), request);
    let (_going_on, body) = fed();
    exchange.respond.send_response(Response::new(body));
    drop(assert_ready_ok!(exchange.future.poll()));
    assert_eq!(feed.drops(), 0);
    drop(exchange.request);
    assert_dropped_at_once(&feed).await;
}

#[tokio::test(start_paused = true)]
async fn an_http_1_0_response_with_a_length_is_lingered_behind() {
    let (feed, body) = fed();
    let request = post(Version::HTTP_10).body(body).unwrap();
    let mut exchange: InFlight<_, FedBody> = start(&ExpectLayer::default(), request);
    drop(exchange.request);
    let (_going_on, body) = fed();
    let response = Response::builder().header("content-length", "5");
    exchange.respond.send_response(response.body(body).unwrap());
    let response = assert_ready_ok!(exchange.future.poll());
    assert_eq!(connection(&response), Some("close"));
    drop(response);
    pass(1).await;
    assert_eq!((feed.polls(), feed.drops()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn after_a_101_the_connection_belongs_to_another_protocol() {
    let (feed, exchange) = sent(&ExpectLayer::default(), Version::HTTP_11);
    drop(exchange.request);
    let mut response = reply();
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let connection_field = http::HeaderValue::from_static("upgrade");
    response
        .headers_mut()
        .insert("connection", connection_field);
    let (respond, mut future) = (exchange.respond, exchange.future);
    respond.send_response(response);
    let response = assert_ready_ok!(future.poll());
    assert_eq!(connection(&response), Some("upgrade"));
    drop(response);
    assert_dropped_at_once(&feed).await;
}

#[tokio::test(start_paused = true)]
async fn no_linger_drops_the_body_of_a_rejection_and_of_an_early_answer() {
    let refuse = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    let (feed, body) = fed();
    let request = expecting(Version::HTTP_11).body(body).unwrap();
    let response = rejected(&ExpectLayer::new(refuse).no_linger(), request);
    assert_eq!(connection(&response), Some("close"));
    drop(response);
    assert_dropped_at_once(&feed).await;

    let (feed, exchange) = sent(&ExpectLayer::default().no_linger(), Version::HTTP_11);
    drop(exchange.request);
    let (respond, mut future) = (exchange.respond, exchange.future);
    respond.send_response(reply());
    drop(assert_ready_ok!(future.poll()));
    assert_dropped_at_once(&feed).await;
}

#[test]
fn without_a_runtime_the_body_of_an_early_answer_is_dropped() {
    let (feed, exchange) = sent(&ExpectLayer::default(), Version::HTTP_11);
    drop(exchange.request);
    let (respond, mut future) = (exchange.respond, exchange.future);
    respond.send_response(reply());
    let response = assert_ready_ok!(future.poll());
    assert_eq!(connection(&response), Some("close"));
    assert_eq!(feed.drops(), 0);
    drop(response);
    assert_eq!((feed.polls(), feed.drops()), (0, 1));
}

#[test]
fn without_a_runtime_a_body_that_is_let_go_late_is_dropped() {
    let (feed, mut exchange) = sent(&ExpectLayer::default(), Version::HTTP_11);
    assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
    exchange.respond.send_response(reply());
    drop(assert_ready_ok!(exchange.future.poll()));
    assert_eq!(feed.drops(), 0);
    drop(exchange.request);
    assert_eq!((feed.polls(), feed.drops()), (1, 1));
}

#[test]
fn without_a_runtime_the_body_of_a_rejection_is_dropped() {
    let refuse = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    let (feed, body) = fed();
    let request = expecting(Version::HTTP_11).body(body).unwrap();
    drop(rejected(&ExpectLayer::new(refuse), request));
    assert_eq!((feed.polls(), feed.drops()), (0, 1));

    let (feed, body) = fed();
    let request = expecting(Version::HTTP_11).body(body).unwrap();
    let layer = ExpectLayer::new_async(move |head: &RequestHead| ready(refuse(head)));
    let service = layer.layer(NotCalled);
    drop(at_once(service, request));
    assert_eq!((feed.polls(), feed.drops()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_response_future_that_is_dropped_drops_the_body_at_once() {
    let (feed, exchange) = sent(&ExpectLayer::default(), Version::HTTP_11);
    drop(exchange.request);
    drop(exchange.future);
    assert_dropped_at_once(&feed).await;

    let (feed, exchange) = sent(&ExpectLayer::default(), Version::HTTP_11);
    drop(exchange.future);
    assert_eq!(feed.drops(), 0);
    drop(exchange.request);
    assert_dropped_at_once(&feed).await;
}

#[tokio::test(start_paused = true)]
async fn a_rejection_whose_future_is_dropped_drops_the_body_at_once() {
    let refuse = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    let (feed, body) = fed();
    let request = expecting(Version::HTTP_11).body(body).unwrap();
    let mut service = ExpectLayer::new(refuse).layer(NotCalled);
    drop(service.call(request));
    assert_dropped_at_once(&feed).await;
}

#[tokio::test(start_paused = true)]
async fn an_inner_error_drops_the_body_at_once() {
    let (feed, exchange) = sent(&ExpectLayer::default(), Version::HTTP_11);
    let (respond, mut future) = (exchange.respond, exchange.future);
    drop(exchange.request);
    respond.send_error("broken");
    assert_ready_err!(future.poll());
    assert_dropped_at_once(&feed).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_panics_as_it_is_dropped_does_no_harm_to_the_next() {
    struct Fragile;

    impl Body for Fragile {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(None)
        }
    }

    impl Drop for Fragile {
        fn drop(&mut self) {
            panic!("the body's own");
        }
    }

    let refuse = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    let request = post(Version::HTTP_11).body(Fragile).unwrap();
    drop(rejected(&ExpectLayer::new(refuse), request));
    pass(1).await;

    let (feed, exchange) = sent(&ExpectLayer::default(), Version::HTTP_11);
    drop(exchange.request);
    let (respond, mut future) = (exchange.respond, exchange.future);
    respond.send_response(reply());
    let response = assert_ready_ok!(future.poll());
    assert_eq!(connection(&response), Some("close"));
    drop(response);
    pass(21).await;
    assert_eq!((feed.polls(), feed.drops()), (1, 0));
}
