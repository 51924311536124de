//! Where nothing is drained, or somewhere else: without lingering, without a runtime, without a response.

use std::{
    convert::Infallible,
    future::ready,
    panic::{catch_unwind, AssertUnwindSafe},
    pin::Pin,
    task::{Context, Poll},
    thread,
};

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{Layer, Service};
use tower_expect::{ExpectBody, ExpectLayer, Linger, Rejection, RequestHead};

use crate::support::{
    connection, expecting, fed, fed_of, leave, leave_in_time, pass, post, rejected, reply, start,
    within_a_turn, Broken, FedBody, Feed, InFlight, NotCalled,
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
async fn a_close_delimited_response_would_not_end_until_the_draining_does() {
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
async fn a_body_that_is_held_beyond_a_close_delimited_response_is_drained_as_ever() {
    let (feed, body) = fed();
    let request = post(Version::HTTP_10).body(body).unwrap();
    let mut exchange: InFlight<_, FedBody> = start(&ExpectLayer::default(), request);
    let (_going_on, body) = fed();
    exchange.respond.send_response(Response::new(body));
    drop(assert_ready_ok!(exchange.future.poll()));
    assert_eq!(feed.drops(), 0);
    drop(exchange.request);
    pass(1).await;
    assert_eq!((feed.polls(), feed.drops()), (1, 0));
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

/// Layers that drain nothing on HTTP/1.
fn that_drop() -> [ExpectLayer; 2] {
    let socket = ExpectLayer::default().linger(Linger::at_socket());
    [ExpectLayer::default().no_linger(), socket]
}

#[tokio::test(start_paused = true)]
async fn without_lingering_and_at_the_socket_every_unread_body_is_dropped_before_the_response() {
    // Without an exchange there is nobody to add a close: hyper closes, but does not announce it.
    for (layer, if_plain) in that_drop().into_iter().zip([None, Some("close")]) {
        for (request, reads, turns, expected) in [
            (expecting(Version::HTTP_11), false, 1, Some("close")),
            // Nobody is in doubt about what a client owes: no turn.
            (expecting(Version::HTTP_11), true, 0, Some("close")),
            (post(Version::HTTP_11), false, 0, if_plain),
            (post(Version::HTTP_11), true, 0, if_plain),
            (post(Version::HTTP_10), false, 0, if_plain),
        ] {
            // The longest are no exception.
            let ((feed, body), what) = (fed_of(Some(1 << 40)), format!("{request:?}"));
            let mut exchange: InFlight<_, Answer> = start(&layer, request.body(body).unwrap());
            if reads {
                feed.data(1);
                assert_ready!(task::spawn(exchange.request.body_mut().frame()).poll());
            }
            drop(exchange.request);
            exchange.respond.send_response(reply());
            let (response, taken) = leave(&mut exchange.future);
            assert_eq!((taken, feed.drops()), (turns, 1), "{what}");
            assert_eq!(connection(&response.unwrap()), expected, "{what}");
            pass(60_000).await;
            assert_eq!(feed.polls(), usize::from(reads));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn so_is_the_body_of_a_rejection() {
    let reject = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    for layer in [
        ExpectLayer::new(reject).no_linger(),
        ExpectLayer::new(reject).linger(Linger::at_socket()),
    ] {
        for (request, expected) in [
            (expecting(Version::HTTP_11), 1),
            (post(Version::HTTP_11), 0),
        ] {
            let (feed, body) = fed();
            let mut service = layer.clone().layer(NotCalled);
            let mut future = task::spawn(service.call(request.body(body).unwrap()));
            let (response, turns) = leave(&mut future);
            assert_eq!((turns, feed.drops()), (expected, 1));
            assert_eq!(connection(&response.unwrap()), Some("close"));
            assert_dropped_at_once(&feed).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_body_closes_there_too() {
    let layers = that_drop();
    for (layer, request) in [
        (&layers[0], expecting(Version::HTTP_11)),
        (&layers[1], expecting(Version::HTTP_11)),
        (&layers[1], post(Version::HTTP_11)),
    ] {
        let (feed, body) = fed();
        let mut exchange: InFlight<_, Answer> = start(layer, request.body(body).unwrap());
        feed.item(Err(Broken));
        let _ = task::spawn(exchange.request.body_mut().frame()).poll();
        drop(exchange.request);
        exchange.respond.send_response(reply());
        let response = assert_ready_ok!(exchange.future.poll());
        assert_eq!(connection(&response), Some("close"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_held_there_is_dropped_as_it_comes_back() {
    for layer in that_drop() {
        for request in [expecting(Version::HTTP_11), post(Version::HTTP_11)] {
            let (feed, body) = fed();
            let mut exchange: InFlight<_, Answer> = start(&layer, request.body(body).unwrap());
            exchange.respond.send_response(reply());
            drop(leave_in_time(&mut exchange.future).await.0.unwrap());
            drop(exchange.request);
            assert_dropped_at_once(&feed).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn on_http_2_a_body_is_dropped_without_lingering_and_drained_beside_a_lingering_socket() {
    for (layer, drained) in that_drop().into_iter().zip([0, 1]) {
        let (feed, exchange) = sent(&layer, Version::HTTP_2);
        drop(exchange.request);
        let (respond, mut future) = (exchange.respond, exchange.future);
        respond.send_response(reply());
        drop(assert_ready_ok!(future.poll()));
        pass(1).await;
        assert_eq!((feed.polls(), feed.drops()), (drained, 1 - drained));
    }
}

#[test]
fn without_a_runtime_the_body_of_an_early_response_is_dropped_behind_it() {
    let (feed, body) = fed();
    let request = post(Version::HTTP_11).body(body).unwrap();
    let mut exchange: InFlight<_, Answer> = start(&ExpectLayer::default(), request);
    drop(exchange.request);
    exchange.respond.send_response(reply());
    let response = assert_ready_ok!(exchange.future.poll());
    assert_eq!(feed.drops(), 0);
    drop(response);
    assert_eq!((feed.polls(), feed.drops()), (0, 1));
}

#[test]
fn without_a_runtime_a_body_that_comes_back_late_is_dropped() {
    let (feed, body) = fed();
    let request = post(Version::HTTP_11).body(body).unwrap();
    let mut exchange: InFlight<_, Answer> = start(&ExpectLayer::default(), request);
    exchange.respond.send_response(reply());
    drop(assert_ready_ok!(exchange.future.poll()));
    assert_eq!(feed.drops(), 0);
    drop(exchange.request);
    assert_eq!((feed.polls(), feed.drops()), (0, 1));
}

#[test]
fn without_a_runtime_the_body_of_a_rejection_is_dropped() {
    let reject = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    for request in [post(Version::HTTP_11), expecting(Version::HTTP_11)] {
        let (feed, body) = fed();
        let request = request.body(body).unwrap();
        drop(rejected(&ExpectLayer::new(reject), request));
        assert_eq!((feed.polls(), feed.drops()), (0, 1));
    }
    let (feed, body) = fed();
    let request = expecting(Version::HTTP_11).body(body).unwrap();
    let layer = ExpectLayer::new_async(move |head: &RequestHead| ready(reject(head)));
    drop(within_a_turn(layer.layer(NotCalled), request));
    assert_eq!((feed.polls(), feed.drops()), (0, 1));
}

/// Such as that of `spawn_blocking`'s neighbours: a pool of one's own.
fn on_a_thread_of_its_own(drops: impl FnOnce() + Send) {
    thread::scope(|scope| scope.spawn(drops).join().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_thread_without_a_runtime_has_it_drained_on_that_of_the_response() {
    for drops_response in [false, true] {
        let (mut feed, body) = fed();
        let request = post(Version::HTTP_11).body(body).unwrap();
        let mut exchange: InFlight<_, Answer> = start(&ExpectLayer::default(), request);
        exchange.respond.send_response(reply());
        let response = assert_ready_ok!(exchange.future.poll());
        let body = exchange.request.into_body();
        if drops_response {
            drop(body);
            on_a_thread_of_its_own(move || drop(response));
        } else {
            drop(response);
            on_a_thread_of_its_own(move || drop(body));
        }
        pass(1).await;
        assert_eq!((feed.polls(), feed.drops()), (1, 0));
        feed.end();
        pass(1).await;
        assert_eq!((feed.polls(), feed.drops()), (2, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_thread_without_a_runtime_has_it_drained_on_that_where_the_future_was_dropped() {
    let (mut feed, body) = fed();
    let request = post(Version::HTTP_11).body(body).unwrap();
    let exchange: InFlight<_, Answer> = start(&ExpectLayer::default(), request);
    drop(exchange.future);
    let body = exchange.request.into_body();
    on_a_thread_of_its_own(move || drop(body));
    pass(1).await;
    assert_eq!((feed.polls(), feed.drops()), (1, 0));
    feed.end();
    pass(1).await;
    assert_eq!(feed.drops(), 1);
}

/// What a layer outside responds, such as a timeout's 503, tells the client nothing of a close.
#[tokio::test(start_paused = true)]
async fn a_response_future_that_is_dropped_leaves_what_is_owed_to_be_drained() {
    for (request, reads, owed) in [
        (expecting(Version::HTTP_11), false, false),
        (expecting(Version::HTTP_11), true, true),
        (expecting(Version::HTTP_10), false, true),
        (post(Version::HTTP_11), false, true),
        (post(Version::HTTP_2), false, true),
        (expecting(Version::HTTP_2), true, true),
    ] {
        for comes_back_late in [false, true] {
            let what = format!("{request:?}, {reads}, {comes_back_late}");
            let (mut feed, body) = fed();
            let request = {
                let mut again = Request::builder().version(*request.version_ref().unwrap());
                *again.headers_mut().unwrap() = request.headers_ref().unwrap().clone();
                again.method("POST").body(body).unwrap()
            };
            let mut exchange: InFlight<_, Answer> = start(&ExpectLayer::default(), request);
            if reads {
                feed.data(1);
                assert_ready!(task::spawn(exchange.request.body_mut().frame()).poll());
            }
            let before = feed.polls();
            let mut parts = [Some(exchange.request), None];
            if comes_back_late {
                parts.swap(0, 1);
            }
            let [early, late] = parts;
            drop(early);
            drop(exchange.future);
            drop(late);
            pass(1).await;
            let found = (feed.polls() - before, feed.drops());
            let expected = if owed { (1, 0) } else { (0, 1) };
            assert_eq!(found, expected, "{what}");
            feed.end();
            pass(1).await;
            assert_eq!(feed.drops(), 1, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejection_whose_future_is_dropped_does_so_too() {
    let reject = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    for (request, polls) in [
        (expecting(Version::HTTP_11), 0),
        (post(Version::HTTP_11), 1),
    ] {
        let (feed, body) = fed();
        let mut service = ExpectLayer::new(reject).layer(NotCalled);
        drop(service.call(request.body(body).unwrap()));
        pass(1).await;
        assert_eq!((feed.polls(), feed.drops()), (polls, 1 - polls));
    }
}

#[tokio::test(start_paused = true)]
async fn a_future_that_is_dropped_in_its_turn_has_dropped_the_body() {
    let (feed, exchange) = sent(&ExpectLayer::default(), Version::HTTP_11);
    drop(exchange.request);
    let (respond, mut future) = (exchange.respond, exchange.future);
    respond.send_response(reply());
    assert_pending!(future.poll());
    drop(future);
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

    let reject = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    let request = post(Version::HTTP_11).body(Fragile).unwrap();
    drop(rejected(&ExpectLayer::new(reject), request));
    pass(1).await;

    let (feed, exchange) = sent(&ExpectLayer::default(), Version::HTTP_2);
    drop(exchange.request);
    let (respond, mut future) = (exchange.respond, exchange.future);
    respond.send_response(reply());
    drop(assert_ready_ok!(future.poll()));
    pass(1).await;
    assert_eq!((feed.polls(), feed.drops()), (1, 0));
}

/// Cannot be polled here, as a body with a timer cannot without a runtime.
struct Unpollable;

impl Body for Unpollable {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        panic!("there is no reactor running")
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(3)
    }
}

#[test]
fn a_short_body_that_panics_when_it_is_finished_is_just_dropped_and_closes() {
    let drops: [fn(ExpectBody<Unpollable>); 2] = [drop, |body| {
        let held = AssertUnwindSafe(body);
        let panics = move || {
            let _held = held;
            panic!("of the application")
        };
        catch_unwind(panics).unwrap_err();
    }];
    for drop_it in drops {
        let layer = ExpectLayer::default().linger(Linger::at_socket());
        let request = post(Version::HTTP_11).body(Unpollable).unwrap();
        let mut exchange: InFlight<_, Answer> = start(&layer, request);
        drop_it(exchange.request.into_body());
        exchange.respond.send_response(reply());
        let (response, _) = leave(&mut exchange.future);
        assert_eq!(connection(&response.unwrap()), Some("close"));
    }
}
