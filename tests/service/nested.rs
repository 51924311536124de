//! A layer for the app, and a stricter one for a route.

use std::{convert::Infallible, future::ready, time::Duration};

use bytes::Bytes;
use http::{request, Request, Response, Version};
use http_body::Body;
use http_body_util::{combinators::UnsyncBoxBody, BodyExt, Full};
use tokio_test::{assert_pending, task};
use tower::{service_fn, Layer, ServiceBuilder};
use tower_expect::{ExpectBody, ExpectLayer, Linger, Rejection, RequestHead, ResponseBody};

use crate::support::{
    at_once, connection, expecting, fed, pass, post, reply, Broken, FedBody, Feed, NotCalled,
};

type Answer = ResponseBody<ResponseBody<Full<Bytes>>>;
type Check = fn(&RequestHead) -> Result<(), Rejection>;

fn refuse_expecting(head: &RequestHead) -> Result<(), Rejection> {
    match head.is_expecting() {
        true => Err(Rejection::forbidden()),
        false => Ok(()),
    }
}

/// The answer of two layers around an application that drops the request, polled once or not.
fn through<V, W>(
    app: &ExpectLayer<V>,
    route: &ExpectLayer<W>,
    request: request::Builder,
    polls: bool,
) -> (Feed, Response<Answer>)
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
    (feed, at_once(app.layer(route.layer(inner)), request))
}

async fn assert_dropped_after(feed: &Feed, milliseconds: u64) {
    pass(milliseconds - 1).await;
    assert_eq!(feed.drops(), 0, "dropped early");
    pass(2).await;
    assert_eq!(feed.drops(), 1, "dropped late");
}

#[tokio::test(start_paused = true)]
async fn the_route_sees_the_expectation_and_can_be_stricter() {
    let app = ExpectLayer::new(|_: &RequestHead| Ok(()));
    let route = ExpectLayer::new(refuse_expecting);
    let (mut feed, response) = through(&app, &route, expecting(Version::HTTP_11), false);
    assert_eq!(response.status(), 403);
    assert_eq!(connection(&response), Some("close"));
    assert!(response.extensions().get::<Rejection>().is_some());
    drop(response);
    pass(19).await;
    assert_eq!((feed.polls(), feed.drops()), (0, 0));
    pass(2).await;
    assert_eq!(feed.polls(), 1);
    feed.data(1);
    feed.end();
    pass(1).await;
    assert_eq!((feed.polls(), feed.drops()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn an_app_that_refuses_asks_no_route() {
    let app = ExpectLayer::new(refuse_expecting);
    let (mut feed, body) = fed();
    let request = expecting(Version::HTTP_11).body(body).unwrap();
    let response = at_once(app.layer(NotCalled), request);
    assert_eq!(response.status(), 403);
    drop(response);
    pass(21).await;
    feed.end();
    pass(1).await;
    assert_eq!(feed.drops(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_small_content_that_the_route_refuses_keeps_the_connection() {
    let refuse: Check = |_| Err(Rejection::forbidden());
    let request = post(Version::HTTP_11).header("content-length", "1");
    let (mut feed, response) = through(
        &ExpectLayer::default(),
        &ExpectLayer::new(refuse),
        request,
        false,
    );
    assert_eq!(response.status(), 403);
    assert_eq!(connection(&response), None);
    drop(response);
    feed.data(1);
    feed.end();
    pass(1).await;
    assert_eq!(feed.drops(), 1);
}

#[tokio::test(start_paused = true)]
async fn where_the_app_strips_expect_the_route_does_not_see_it_but_the_answer_closes() {
    let seen_without: Check = |head| {
        assert!(!head.is_expecting());
        assert!(!head.headers.contains_key("expect"));
        Ok(())
    };
    let app = ExpectLayer::default().strip_expect();
    let route = ExpectLayer::new(seen_without);
    let request = expecting(Version::HTTP_11).header("content-length", "1");
    let (_feed, response) = through(&app, &route, request, false);
    assert_eq!(response.status(), 200);
    assert_eq!(connection(&response), Some("close"));
}

#[tokio::test(start_paused = true)]
async fn an_unread_body_is_read_on_once() {
    let layer = ExpectLayer::default();
    for request in [expecting(Version::HTTP_11), post(Version::HTTP_11)] {
        let (mut feed, response) = through(&layer, &layer, request, false);
        assert_eq!(response.status(), 200);
        assert_eq!(connection(&response), Some("close"));
        pass(1_000).await;
        assert_eq!((feed.polls(), feed.drops()), (0, 0));
        drop(response);
        feed.data(1);
        pass(21).await;
        assert_eq!(feed.polls(), 2);
        feed.end();
        pass(1).await;
        assert_eq!((feed.polls(), feed.drops()), (3, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn no_bound_is_doubled() {
    let default = ExpectLayer::default();
    let (feed, response) = through(&default, &default, expecting(Version::HTTP_11), false);
    drop(response);
    assert_dropped_after(&feed, 520).await;

    let (feed, response) = through(&default, &default, expecting(Version::HTTP_11), true);
    drop(response);
    assert_dropped_after(&feed, 5_000).await;

    let (feed, response) = through(&default, &default, post(Version::HTTP_11), false);
    drop(response);
    assert_dropped_after(&feed, 5_000).await;

    let short = ExpectLayer::default().linger(Linger::default().total(Duration::from_secs(1)));
    let (feed, response) = through(&short, &short, post(Version::HTTP_11), false);
    drop(response);
    assert_dropped_after(&feed, 1_500).await;

    let small = ExpectLayer::default().linger(Linger::default().max_bytes(1));
    let (feed, response) = through(&small, &small, post(Version::HTTP_11), false);
    drop(response);
    feed.data(2);
    assert_dropped_after(&feed, 500).await;
    assert_eq!(feed.polls(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_bound_is_doubled_where_a_box_hides_the_outer_body() {
    for polls in [false, true] {
        let (feed, body) = fed();
        let inner = service_fn(
            move |mut request: Request<ExpectBody<UnsyncBoxBody<Bytes, Broken>>>| {
                if polls {
                    assert_pending!(task::spawn(request.body_mut().frame()).poll());
                }
                ready(Ok::<_, Infallible>(reply()))
            },
        );
        let service = ServiceBuilder::new()
            .layer(ExpectLayer::default())
            .map_request(|request: Request<ExpectBody<FedBody>>| request.map(BodyExt::boxed_unsync))
            .layer(ExpectLayer::default())
            .service(inner);
        let response = at_once(service, post(Version::HTTP_11).body(body).unwrap());
        assert_eq!(connection(&response), Some("close"));
        drop(response);
        assert_dropped_after(&feed, 5_000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_place_is_enough_for_both() {
    let linger = Linger::default().max_drains(1);
    let layer = ExpectLayer::default().linger(linger);
    let (mut feed, response) = through(&layer, &layer, post(Version::HTTP_11), false);
    drop(response);
    pass(1).await;
    assert_eq!(feed.polls(), 1);
    feed.end();
    pass(1).await;
    assert_eq!(feed.drops(), 1);
    let (next, response) = through(&layer, &layer, post(Version::HTTP_11), false);
    drop(response);
    pass(1).await;
    assert_eq!(next.polls(), 1);
}

#[tokio::test(start_paused = true)]
async fn where_only_the_app_lingers_the_route_hands_the_body_on() {
    let on = ExpectLayer::default();
    let off = ExpectLayer::default().no_linger();
    for (app, route) in [(&on, &off), (&off, &on)] {
        let (mut feed, response) = through(app, route, expecting(Version::HTTP_11), false);
        assert_eq!(connection(&response), Some("close"));
        drop(response);
        pass(21).await;
        assert_eq!((feed.polls(), feed.drops()), (1, 0));
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
