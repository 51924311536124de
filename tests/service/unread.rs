//! What becomes of a body that the application leaves: whether the connection closes, whether it is
//! read on.

use std::{convert::Infallible, future::poll_fn, task::Poll};

use http::{request, Request, Response, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{service_fn, Layer};
use tower_expect::{ExpectBody, ExpectLayer, Rejection, RequestHead, ResponseBody};

use crate::support::{
    at_once, connection, content, expecting, fed, pass, post, rejected, reply, start, Broken,
    FedBody, Feed, InFlight,
};

type Answer = Full<bytes::Bytes>;
type Sent = (Feed, InFlight<FedBody, Answer>);

fn sent(request: request::Builder) -> Sent {
    let (feed, body) = fed();
    let request = request.body(body).unwrap();
    (feed, start(&ExpectLayer::default(), request))
}

/// The application answers, and has let its request go before.
fn answered(exchange: InFlight<FedBody, Answer>) -> Response<ResponseBody<Answer>> {
    drop(exchange.request);
    let (respond, mut future) = (exchange.respond, exchange.future);
    respond.send_response(reply());
    assert_ready_ok!(future.poll())
}

/// The application answers, and keeps the body.
fn answered_early(
    exchange: InFlight<FedBody, Answer>,
) -> (Response<ResponseBody<Answer>>, ExpectBody<FedBody>) {
    let (respond, mut future) = (exchange.respond, exchange.future);
    respond.send_response(reply());
    (
        assert_ready_ok!(future.poll()),
        exchange.request.into_body(),
    )
}

fn read(body: &mut ExpectBody<FedBody>) -> usize {
    let frame = assert_ready!(task::spawn(body.frame()).poll());
    frame.unwrap().unwrap().into_data().unwrap().len()
}

/// The body is read to its end, and then dropped.
async fn assert_read_on(feed: &mut Feed) {
    let before = feed.polls();
    feed.data(1_000_000);
    pass(30).await;
    assert!(feed.polls() > before, "the body was not read");
    assert_eq!(feed.drops(), 0, "the body was dropped before its end");
    feed.end();
    pass(1).await;
    assert_eq!(feed.drops(), 1);
}

/// The body is gone, and nothing was read of it since.
async fn assert_dropped_at_once(feed: &Feed, polls: usize) {
    assert_eq!(feed.drops(), 1);
    pass(60_000).await;
    assert_eq!(feed.polls(), polls);
}

#[tokio::test(start_paused = true)]
async fn an_unpolled_body_closes_and_is_read_on_after_the_response() {
    for request in [
        expecting(Version::HTTP_11),
        expecting(Version::HTTP_11).header("content-length", "1"),
        post(Version::HTTP_11),
        post(Version::HTTP_11).header("content-length", "65537"),
        post(Version::HTTP_10).header("content-length", "1"),
    ] {
        let (mut feed, exchange) = sent(request);
        let response = answered(exchange);
        assert_eq!(connection(&response), Some("close"));
        pass(1_000).await;
        assert_eq!(
            (feed.polls(), feed.drops()),
            (0, 0),
            "the response is not out"
        );
        assert_eq!(content(response.into_body()), "ok");
        assert_read_on(&mut feed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_half_read_body_closes_and_is_read_on() {
    for request in [expecting(Version::HTTP_11), post(Version::HTTP_11)] {
        let (mut feed, mut exchange) = sent(request);
        feed.data(3);
        assert_eq!(read(exchange.request.body_mut()), 3);
        let response = answered(exchange);
        assert_eq!(connection(&response), Some("close"));
        drop(response);
        assert_read_on(&mut feed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_small_unexpecting_content_is_read_on_without_closing() {
    for length in ["1", "65536"] {
        let request = post(Version::HTTP_11).header("content-length", length);
        let (mut feed, exchange) = sent(request);
        let response = answered(exchange);
        assert_eq!(connection(&response), None, "{length}");
        drop(response);
        assert_read_on(&mut feed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_read_to_its_end_changes_nothing() {
    for request in [expecting(Version::HTTP_11), post(Version::HTTP_11)] {
        let (mut feed, mut exchange) = sent(request);
        feed.data(3);
        feed.end();
        assert_eq!(content(exchange.request.body_mut()).len(), 3);
        let polls = feed.polls();
        let response = answered(exchange);
        assert_eq!(connection(&response), None);
        assert_dropped_at_once(&feed, polls).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_knows_its_end_need_not_be_polled_past_it() {
    let request = expecting(Version::HTTP_11)
        .body(Answer::from("abc"))
        .unwrap();
    let mut exchange: InFlight<_, Answer> = start(&ExpectLayer::default(), request);
    assert_ready!(task::spawn(exchange.request.body_mut().frame()).poll());
    drop(exchange.request);
    exchange.respond.send_response(reply());
    let response = assert_ready_ok!(exchange.future.poll());
    assert_eq!(connection(&response), None);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_broke_closes_as_there_may_be_more_that_cannot_be_read() {
    let (feed, mut exchange) = sent(expecting(Version::HTTP_11));
    feed.item(Err(Broken));
    let error = assert_ready!(task::spawn(exchange.request.body_mut().frame()).poll());
    assert_eq!(error.unwrap().unwrap_err(), Broken);
    let response = answered(exchange);
    assert_eq!(connection(&response), Some("close"));
    assert_dropped_at_once(&feed, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_held_unpolled_closes_if_expecting_and_is_read_on_when_let_go() {
    let table = [
        (expecting(Version::HTTP_11), Some("close")),
        (expecting(Version::HTTP_2), None),
        (post(Version::HTTP_11), None),
        (post(Version::HTTP_2), None),
    ];
    for (request, expected) in table {
        let (mut feed, exchange) = sent(request);
        let (response, body) = answered_early(exchange);
        assert_eq!(connection(&response), expected);
        drop(response);
        feed.data(1);
        pass(60_000).await;
        assert_eq!(
            (feed.polls(), feed.drops()),
            (0, 0),
            "the application has it"
        );
        drop(body);
        assert_read_on(&mut feed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_being_read_does_not_close_and_is_read_on_when_let_go() {
    for request in [expecting(Version::HTTP_11), post(Version::HTTP_11)] {
        let (mut feed, mut exchange) = sent(request);
        assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
        let (response, mut body) = answered_early(exchange);
        assert_eq!(connection(&response), None);
        drop(response);
        feed.data(3);
        assert_eq!(read(&mut body), 3);
        pass(60_000).await;
        assert_eq!(feed.drops(), 0);
        drop(body);
        assert_read_on(&mut feed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_held_and_let_go_before_the_response_is_out_waits_for_it() {
    let (mut feed, exchange) = sent(expecting(Version::HTTP_11));
    let (response, body) = answered_early(exchange);
    drop(body);
    pass(1_000).await;
    assert_eq!((feed.polls(), feed.drops()), (0, 0));
    drop(response);
    assert_read_on(&mut feed).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_held_and_read_to_its_end_is_just_dropped() {
    let (mut feed, exchange) = sent(post(Version::HTTP_11));
    let (response, mut body) = answered_early(exchange);
    drop(response);
    feed.data(3);
    feed.end();
    assert_eq!(content(&mut body).len(), 3);
    let polls = feed.polls();
    drop(body);
    assert_dropped_at_once(&feed, polls).await;
}

#[tokio::test(start_paused = true)]
async fn http_2_and_3_never_have_a_connection_field_but_read_on() {
    for version in [Version::HTTP_2, Version::HTTP_3] {
        for request in [expecting(version), post(version)] {
            let (mut feed, exchange) = sent(request);
            let response = answered(exchange);
            assert_eq!(connection(&response), None);
            drop(response);
            assert_read_on(&mut feed).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_that_goes_on_lets_the_reading_begin_at_its_first_poll() {
    for breaks in [false, true] {
        let (mut feed, body) = fed();
        let request = post(Version::HTTP_11).body(body).unwrap();
        let mut exchange = start(&ExpectLayer::default(), request);
        drop(exchange.request);
        let (going_on, body) = fed();
        exchange.respond.send_response(Response::new(body));
        let mut response = assert_ready_ok!(exchange.future.poll());
        feed.data(1);
        pass(1_000).await;
        assert_eq!(feed.polls(), 0);
        if breaks {
            going_on.item(Err(Broken));
        } else {
            going_on.item(Ok(Frame::data("on and on".into())));
        }
        assert_ready!(task::spawn(response.body_mut().frame()).poll());
        assert_read_on(&mut feed).await;
        assert_eq!(going_on.drops(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejection_that_was_written_is_read_on_behind() {
    let refuse = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    let (mut feed, body) = fed();
    let request = expecting(Version::HTTP_11).body(body).unwrap();
    let response = rejected(&ExpectLayer::new(refuse), request);
    pass(1_000).await;
    assert_eq!((feed.polls(), feed.drops()), (0, 0));
    let mut body = response.into_body();
    assert_ready!(task::spawn(body.frame()).poll())
        .unwrap()
        .unwrap();
    pass(1_000).await;
    assert_eq!(
        (feed.polls(), feed.drops()),
        (0, 0),
        "the server has it still"
    );
    drop(body);
    assert_read_on(&mut feed).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_the_inner_future_holds_to_its_end_counts_as_let_go() {
    let inner = service_fn(|request: Request<ExpectBody<FedBody>>| {
        poll_fn(move |_| {
            assert_eq!(request.uri(), "/");
            Poll::Ready(Ok::<_, Infallible>(reply()))
        })
    });
    let (mut feed, body) = fed();
    let request = post(Version::HTTP_11).body(body).unwrap();
    let response = at_once(ExpectLayer::default().layer(inner), request);
    assert_eq!(connection(&response), Some("close"));
    drop(response);
    assert_read_on(&mut feed).await;
}
