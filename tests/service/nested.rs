//! A layer for the app, and a stricter one for a route.

use std::{convert::Infallible, error::Error, future::ready, time::Duration};

use bytes::Bytes;
use http::{request, Request, Response, Version};
use http_body::Body;
use http_body_util::{combinators::UnsyncBoxBody, BodyExt, Full};
use tokio_test::{assert_pending, task};
use tower::{service_fn, Layer, ServiceBuilder};
use tower_expect::{ExpectBody, ExpectLayer, Linger, Rejection, RequestHead, ResponseBody};

use crate::support::{
    at_once, connection, expecting, fed, pass, post, reply, within_a_turn, FedBody, Feed,
};

type Twofold = ResponseBody<ResponseBody<Full<Bytes>>>;
type Check = fn(&RequestHead) -> Result<(), Rejection>;

fn reject_expecting(head: &RequestHead) -> Result<(), Rejection> {
    match head.is_expecting() {
        true => Err(Rejection::forbidden()),
        false => Ok(()),
    }
}

/// Something in the extensions, as in those of any request that axum has routed.
fn routed(request: request::Builder) -> request::Builder {
    request.extension(7_u8)
}

/// The response of two layers around an application that drops the request, polled once or not.
fn through<V, W>(
    app: &ExpectLayer<V>,
    route: &ExpectLayer<W>,
    request: request::Builder,
    polls: bool,
) -> (Feed, Response<Twofold>)
where
    V: tower_expect::Validator,
    W: tower_expect::Validator,
{
    let inner = service_fn(
        move |mut request: Request<ExpectBody<ExpectBody<FedBody>>>| {
            if polls {
                assert_pending!(task::spawn(request.body_mut().frame()).poll());
            }
            ready(Ok::<_, Infallible>(reply()))
        },
    );
    let (feed, body) = fed();
    let request = request.body(body).unwrap();
    (feed, within_a_turn(app.layer(route.layer(inner)), request))
}

async fn assert_dropped_after(feed: &Feed, milliseconds: u64) {
    pass(milliseconds - 1).await;
    assert_eq!(feed.drops(), 0, "dropped early");
    pass(2).await;
    assert_eq!(feed.drops(), 1, "dropped late");
}

/// The body is gone, and nothing was read of it since.
async fn assert_dropped_at_once(feed: &Feed, polls: usize) {
    assert_eq!(feed.drops(), 1);
    pass(60_000).await;
    assert_eq!(feed.polls(), polls);
}

#[tokio::test(start_paused = true)]
async fn the_route_sees_the_expectation_and_can_be_stricter() {
    let app = ExpectLayer::new(|_: &RequestHead| Ok(()));
    let route = ExpectLayer::new(reject_expecting);
    let (feed, response) = through(&app, &route, expecting(Version::HTTP_11), false);
    assert_eq!(response.status(), 403);
    assert_eq!(connection(&response), Some("close"));
    assert!(response.extensions().get::<Rejection>().is_some());
    assert_dropped_at_once(&feed, 0).await;
}

#[test]
fn an_app_that_rejects_asks_no_route() {
    let asked = |_: &RequestHead| -> Result<(), Rejection> { panic!("the route was asked") };
    let (app, route) = (ExpectLayer::new(reject_expecting), ExpectLayer::new(asked));
    let (_feed, response) = through(&app, &route, expecting(Version::HTTP_11), false);
    assert_eq!(response.status(), 403);
}

#[tokio::test(start_paused = true)]
async fn a_short_body_that_the_route_rejects_keeps_the_connection() {
    let reject: Check = |_| Err(Rejection::forbidden());
    let short = || post(Version::HTTP_11).header("content-length", "1");
    for request in [short(), routed(short())] {
        let route = ExpectLayer::new(reject);
        let (mut feed, response) = through(&ExpectLayer::default(), &route, request, false);
        assert_eq!(response.status(), 403);
        assert_eq!(connection(&response), None);
        drop(response);
        feed.data(1);
        feed.end();
        pass(1).await;
        assert_eq!(feed.drops(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_app_strips_expect_the_route_does_not_see_it_but_the_response_closes() {
    let seen_without: Check = |head| {
        assert!(!head.is_expecting());
        assert!(!head.headers.contains_key("expect"));
        Ok(())
    };
    let app = ExpectLayer::default().strip_expect();
    let route = ExpectLayer::new(seen_without);
    let request = expecting(Version::HTTP_11).header("content-length", "1");
    let (feed, response) = through(&app, &route, request, false);
    assert_eq!(response.status(), 200);
    assert_eq!(connection(&response), Some("close"));
    assert_dropped_at_once(&feed, 0).await;
}

#[tokio::test(start_paused = true)]
async fn an_uninvited_body_is_dropped_by_the_outermost_whoever_lingers() {
    let on = ExpectLayer::default();
    let off = ExpectLayer::default().no_linger();
    for (app, route) in [(&on, &on), (&on, &off), (&off, &on), (&off, &off)] {
        for polls in [false, true] {
            let (feed, response) = through(app, route, expecting(Version::HTTP_11), polls);
            assert_eq!(connection(&response), Some("close"));
            drop(response);
            assert_dropped_at_once(&feed, usize::from(polls)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_owed_body_is_drained_once_to_its_end() {
    let on = ExpectLayer::default();
    let off = ExpectLayer::default().no_linger();
    for (app, route) in [(&on, &on), (&on, &off), (&off, &on)] {
        for request in [post(Version::HTTP_11), routed(post(Version::HTTP_11))] {
            let (mut feed, response) = through(app, route, request, false);
            assert_eq!(response.status(), 200);
            assert_eq!(connection(&response), None);
            pass(1_000).await;
            assert_eq!((feed.polls(), feed.drops()), (0, 0));
            drop(response);
            feed.data(1);
            pass(1).await;
            assert_eq!(feed.polls(), 2);
            feed.end();
            pass(1).await;
            assert_eq!((feed.polls(), feed.drops()), (3, 1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_bounds_are_those_of_the_outermost() {
    let default = ExpectLayer::default();
    for (request, polls, idle) in [
        (expecting(Version::HTTP_2), false, 250),
        (expecting(Version::HTTP_2), true, 250),
        (routed(post(Version::HTTP_11)), false, 5_000),
        (routed(post(Version::HTTP_11)), true, 5_000),
        (routed(post(Version::HTTP_2)), false, 5_000),
    ] {
        let (feed, response) = through(&default, &default, request, polls);
        drop(response);
        assert_dropped_after(&feed, idle).await;
    }

    let short = ExpectLayer::default().linger(Linger::default().total(Duration::from_secs(1)));
    let (feed, response) = through(&short, &default, routed(post(Version::HTTP_11)), false);
    drop(response);
    assert_dropped_after(&feed, 1_500).await;

    let small = ExpectLayer::default().linger(Linger::default().max_bytes(1));
    let (feed, response) = through(&small, &default, routed(post(Version::HTTP_11)), false);
    drop(response);
    feed.data(2);
    assert_dropped_after(&feed, 500).await;
    assert_eq!(feed.polls(), 1);
}

/// A mark in them would cost two allocations.
#[tokio::test(start_paused = true)]
async fn where_the_extensions_are_empty_the_app_has_its_bounds_behind_those_of_the_route() {
    let idle = |milliseconds| Linger::default().idle(Duration::from_millis(milliseconds));
    let (app, route) = (idle(70), idle(1_000));
    let (app, route) = (
        ExpectLayer::default().linger(app),
        ExpectLayer::default().linger(route),
    );
    let (feed, response) = through(&app, &route, post(Version::HTTP_11), false);
    drop(response);
    assert_dropped_after(&feed, 1_070).await;
    // Once at the beginning and once at the end of each time.
    assert_eq!(feed.polls(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_box_around_the_outer_body_hides_nothing() {
    type Boxed = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

    for (request, expected, idle) in [
        (expecting(Version::HTTP_11), Some("close"), None),
        (routed(post(Version::HTTP_11)), None, Some(5_000)),
    ] {
        let (feed, body) = fed();
        let inner =
            service_fn(move |_: Request<ExpectBody<Boxed>>| ready(Ok::<_, Infallible>(reply())));
        let service = ServiceBuilder::new()
            .layer(ExpectLayer::default())
            .map_request(|request: Request<ExpectBody<FedBody>>| request.map(BodyExt::boxed_unsync))
            .layer(ExpectLayer::default())
            .service(inner);
        let response = within_a_turn(service, request.body(body).unwrap());
        assert_eq!(connection(&response), expected);
        drop(response);
        match idle {
            Some(idle) => assert_dropped_after(&feed, idle).await,
            None => assert_dropped_at_once(&feed, 0).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_place_is_enough_for_both() {
    let linger = Linger::default().max_drains(1);
    let layer = ExpectLayer::default().linger(linger);
    for request in [post(Version::HTTP_11), routed(post(Version::HTTP_11))] {
        let (mut feed, response) = through(&layer, &layer, request, false);
        drop(response);
        pass(1).await;
        assert_eq!(feed.polls(), 1);
        feed.end();
        pass(1).await;
        assert_eq!(feed.drops(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_the_application_reads_through_both_leaves_no_trace() {
    let inner = service_fn(|request: Request<ExpectBody<ExpectBody<FedBody>>>| async {
        let read = request.into_body().collect().await.unwrap();
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(read.to_bytes())))
    });
    let layer = ExpectLayer::default();
    let (mut feed, body) = fed();
    feed.data(3);
    feed.end();
    let request = expecting(Version::HTTP_11).body(body).unwrap();
    let response = at_once(layer.layer(layer.layer(inner)), request);
    assert_eq!(connection(&response), None);
    assert_eq!(feed.drops(), 1);
    assert_eq!(response.body().size_hint().exact(), Some(3));
}

#[test]
fn a_stripped_field_is_gone_where_it_is_ignored_or_moot_too() {
    for version in [Version::HTTP_10, Version::HTTP_11] {
        let service = service_fn(|request: Request<_>| async move {
            assert!(!request.headers().contains_key("expect"));
            drop(request);
            Ok(reply())
        });
        let service = ExpectLayer::default().strip_expect().layer(service);
        let request = Request::get("/").version(version);
        let request = request.header("expect", "100-continue");
        at_once(service, request.body(Full::<Bytes>::default()).unwrap());
    }
}
