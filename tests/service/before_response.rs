//! `Linger::drain_before_response`.

use std::{convert::Infallible, fmt::Debug, future::Future, time::Duration};

use bytes::Bytes;
use http::{request, Response, Version};
use http_body_util::{BodyExt, Full};
use tokio::time::Instant;
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, Service};
use tower_expect::{ExpectLayer, Linger, Rejection, RequestHead, ResponseBody};

use crate::support::{
    connection, expecting, fed, fed_of, leave, pass, post, reply, start, FedBody, Feed, InFlight,
    NotCalled,
};

type Reply = Response<ResponseBody<Full<Bytes>>>;

fn linger() -> Linger {
    Linger::default().drain_before_response(1_000, Duration::from_secs(1))
}

fn sent(request: request::Builder, length: Option<u64>) -> (Feed, InFlight<FedBody, Full<Bytes>>) {
    let (feed, body) = fed_of(length);
    let layer = ExpectLayer::default().linger(linger());
    (feed, start(&layer, request.body(body).unwrap()))
}

/// The response, and after how long.
async fn responded(exchange: InFlight<FedBody, Full<Bytes>>) -> (Reply, Duration) {
    drop(exchange.request);
    exchange.respond.send_response(reply());
    let begun = Instant::now();
    let response = exchange.future.await.unwrap();
    (response, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_body_that_ends_within_the_bounds_is_drained_first_and_closes_nothing() {
    for (version, length) in [
        (Version::HTTP_10, None),
        (Version::HTTP_11, None),
        (Version::HTTP_11, Some(1_000)),
        (Version::HTTP_2, None),
    ] {
        let (mut feed, mut exchange) = sent(post(version), length);
        drop(exchange.request);
        exchange.respond.send_response(reply());
        assert_pending!(exchange.future.poll());
        assert_eq!((feed.polls(), feed.drops()), (1, 0));
        feed.data(1_000);
        feed.end();
        let response = exchange.future.await.unwrap();
        assert_eq!((feed.polls(), feed.drops()), (3, 1), "{version:?}");
        assert_eq!(connection(&response), None, "{version:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_exceeds_a_bound_is_treated_as_without_the_setting() {
    // What the client sends, and how long the response takes.
    for (length, sends, seconds, read_first) in [
        (Some(1_001), 0, 0, 0),
        (None, 1_001, 0, 1),
        (None, 999, 1, 3),
        (None, 0, 1, 2),
    ] {
        let (mut feed, exchange) = sent(post(Version::HTTP_11), length);
        if sends > 0 {
            feed.data(sends);
        }
        let (response, took) = responded(exchange).await;
        let milliseconds = took.as_millis() / 1_000 * 1_000;
        assert_eq!(milliseconds, seconds * 1_000, "{length:?}, {sends}");
        assert_eq!((feed.polls(), feed.drops()), (read_first, 0));
        assert_eq!(
            connection(&response),
            None,
            "owed, and short or of unknown length"
        );
        drop(response);
        feed.end();
        pass(1).await;
        assert_eq!(feed.drops(), 1, "drained behind the head");
    }
}

async fn assert_rejected_behind_the_body<B: Debug>(
    feed: &mut Feed,
    future: impl Future<Output = Result<Response<B>, Infallible>>,
) {
    let mut future = task::spawn(future);
    assert_pending!(future.poll());
    feed.data(1_000);
    feed.end();
    let response = future.await.unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(connection(&response), None);
    assert_eq!(feed.drops(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_waits_for_it_as_well() {
    let (mut feed, body) = fed();
    let reject = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    let mut service = ExpectLayer::new(reject).linger(linger()).layer(NotCalled);
    let future = service.call(post(Version::HTTP_11).body(body).unwrap());
    assert_rejected_behind_the_body(&mut feed, future).await;
}

#[tokio::test(start_paused = true)]
async fn so_does_that_of_a_layer_inside_of_another() {
    let (mut feed, body) = fed();
    let reject = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    let inner = ExpectLayer::new(reject).linger(linger()).layer(NotCalled);
    let mut service = ExpectLayer::default().layer(inner);
    let mut request = post(Version::HTTP_11).body(body).unwrap();
    // As behind a router. The outer layer adds its marker to it.
    request.extensions_mut().insert("routed");
    assert_rejected_behind_the_body(&mut feed, service.call(request)).await;
}

#[tokio::test(start_paused = true)]
async fn an_expecting_request_is_not_drained_first_even_if_it_was_invited() {
    for reads in [false, true] {
        let (feed, mut exchange) = sent(expecting(Version::HTTP_11), None);
        if reads {
            feed.data(1);
            assert_ready!(task::spawn(exchange.request.body_mut().frame()).poll());
        }
        drop(exchange.request);
        exchange.respond.send_response(reply());
        let (_, turns) = leave(&mut exchange.future);
        assert_eq!(turns, usize::from(!reads));
        assert_eq!(feed.polls(), usize::from(reads));
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_service_is_held_until_the_body_is_drained() {
    let (mut feed, mut exchange) = sent(post(Version::HTTP_11), None);
    drop(exchange.request);
    exchange.respond.send_error("broken");
    assert_pending!(exchange.future.poll());
    feed.end();
    let error = exchange.future.await.unwrap_err();
    assert_eq!(error.to_string(), "broken");
    assert_eq!((feed.polls(), feed.drops()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_held_is_not_waited_for() {
    let (feed, mut exchange) = sent(post(Version::HTTP_11), None);
    exchange.respond.send_response(reply());
    let (response, turns) = leave(&mut exchange.future);
    assert_eq!((turns, connection(&response.unwrap())), (0, None));
    assert_eq!((feed.polls(), feed.drops()), (0, 0));
}

/// A layer for the application that is told nothing of the proxy, and one for a route that is.
#[tokio::test(start_paused = true)]
async fn the_inner_of_two_layers_drains_first_although_the_outer_does_not() {
    let (mut feed, body) = fed();
    let inner = tower::service_fn(|_| async { Ok::<_, Infallible>(reply()) });
    let route = ExpectLayer::default().linger(linger());
    let mut service = ExpectLayer::default().layer(route.layer(inner));
    let request = post(Version::HTTP_11).extension(7_u8).body(body).unwrap();
    let mut future = task::spawn(service.call(request));
    assert_pending!(future.poll());
    assert_eq!((feed.polls(), feed.drops()), (1, 0));
    feed.end();
    let response = future.await.unwrap();
    assert_eq!(connection(&response), None);
    assert_eq!(feed.drops(), 1);
}
