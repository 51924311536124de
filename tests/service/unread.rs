//! What becomes of a body that the application leaves: when it is dropped or drained, and whether the
//! connection closes.

use std::{convert::Infallible, future::poll_fn, future::ready, task::Poll};

use bytes::Bytes;
use http::{request, Request, Response, StatusCode, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::{service_fn, Layer, Service};
use tower_expect::{ExpectBody, ExpectLayer, Linger, Rejection, RequestHead, ResponseBody};

use crate::support::{
    at_once, connection, content, expecting, fed, fed_of, leave, leave_in_time, pass, post, reply,
    start, Broken, FedBody, Feed, InFlight, NotCalled,
};

type Reply = Full<Bytes>;
type Sent = (Feed, InFlight<FedBody, Reply>);

fn sent(request: request::Builder) -> Sent {
    sent_through(&ExpectLayer::default(), request, None)
}

/// The body may know its length, in bytes.
fn sent_through(layer: &ExpectLayer, request: request::Builder, length: Option<u64>) -> Sent {
    let (feed, body) = fed_of(length);
    (feed, start(layer, request.body(body).unwrap()))
}

/// The application responds, and has dropped its request before. How many turns that takes.
fn responded(
    exchange: InFlight<FedBody, Reply>,
    status: u16,
) -> (Response<ResponseBody<Reply>>, usize) {
    drop(exchange.request);
    let (respond, mut future) = (exchange.respond, exchange.future);
    let mut response = reply();
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    respond.send_response(response);
    let (response, turns) = leave(&mut future);
    (response.unwrap(), turns)
}

/// The application responds, and keeps the body.
async fn responded_early(
    exchange: InFlight<FedBody, Reply>,
) -> (Response<ResponseBody<Reply>>, usize, ExpectBody<FedBody>) {
    let (respond, mut future) = (exchange.respond, exchange.future);
    respond.send_response(reply());
    let (response, turns) = leave_in_time(&mut future).await;
    (response.unwrap(), turns, exchange.request.into_body())
}

fn read(body: &mut ExpectBody<FedBody>) -> usize {
    let frame = assert_ready!(task::spawn(body.frame()).poll());
    frame.unwrap().unwrap().into_data().unwrap().len()
}

fn poll_in_vain(body: &mut ExpectBody<FedBody>) {
    assert_pending!(task::spawn(body.frame()).poll());
}

/// The body is drained to its end, and then dropped.
async fn assert_drained(feed: &mut Feed) {
    let before = feed.polls();
    feed.data(1_000_000);
    pass(1).await;
    assert_eq!(
        (feed.polls(), feed.drops()),
        (before + 2, 0),
        "it is not drained"
    );
    feed.end();
    pass(1).await;
    assert_eq!((feed.polls(), feed.drops()), (before + 3, 1));
}

/// The body is gone, and nothing was read of it since.
async fn assert_dropped_at_once(feed: &Feed, polls: usize) {
    assert_eq!(feed.drops(), 1);
    pass(60_000).await;
    assert_eq!(feed.polls(), polls);
}

#[tokio::test(start_paused = true)]
async fn an_uninvited_body_is_dropped_and_the_connection_has_a_turn_before_the_response() {
    for length in [None, Some("1"), Some("1000000000")] {
        for polls in 0..3 {
            let mut request = expecting(Version::HTTP_11);
            if let Some(length) = length {
                request = request.header("content-length", length);
            }
            let (feed, mut exchange) = sent(request);
            for _ in 0..polls {
                poll_in_vain(exchange.request.body_mut());
            }
            drop(exchange.request);
            assert_eq!(feed.drops(), 1, "the server is to look for the client");
            pass(1_000).await;
            exchange.respond.send_response(reply());
            assert_pending!(exchange.future.poll());
            assert!(exchange.future.is_woken());
            let response = assert_ready_ok!(exchange.future.poll());
            assert_eq!(connection(&response), Some("close"));
            assert_eq!(content(response.into_body()), "ok");
            assert_dropped_at_once(&feed, polls).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn so_is_the_body_of_a_rejection_whose_client_may_be_waiting() {
    let reject = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    for (expect, status) in [
        ("100-continue", 403),
        ("100-continue, 100-continue", 417),
        ("foo", 417),
        ("a b", 400),
    ] {
        for is_async in [false, true] {
            let (feed, body) = fed();
            let request = post(Version::HTTP_11).header("expect", expect);
            let request = request.body(body).unwrap();
            let (response, drops, turns) = if is_async {
                let layer = ExpectLayer::new_async(move |head: &RequestHead| ready(reject(head)));
                let mut future = task::spawn(layer.layer(NotCalled).call(request));
                assert_pending!(future.poll());
                (assert_ready_ok!(future.poll()), feed.drops(), 1)
            } else {
                let mut service = ExpectLayer::new(reject).layer(NotCalled);
                let mut future = task::spawn(service.call(request));
                assert_eq!(feed.drops(), 0);
                let (response, turns) = leave(&mut future);
                (response.unwrap(), feed.drops(), turns)
            };
            assert_eq!((drops, turns), (1, 1), "{expect}");
            assert_eq!(response.status(), status);
            assert_eq!(connection(&response), Some("close"), "{expect}");
            drop(response);
            assert_dropped_at_once(&feed, 0).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_body_that_hyper_cannot_complete_is_kept_behind_the_head() {
    let small = Linger::default().max_buf_size(1_000);
    let (default, small) = (ExpectLayer::default(), ExpectLayer::default().linger(small));
    for (layer, polls, length, is_kept) in [
        (&default, 0, 835_584, false),
        (&default, 0, 835_585, true),
        (&default, 1, 2_506_752, false),
        (&default, 1, 2_506_753, true),
        (&small, 0, 2_000, false),
        (&small, 0, 2_001, true),
        (&small, 1, 6_000, false),
        (&small, 1, 6_001, true),
    ] {
        let request = expecting(Version::HTTP_11).header("content-length", length);
        let (feed, mut exchange) = sent_through(layer, request, Some(length));
        for _ in 0..polls {
            poll_in_vain(exchange.request.body_mut());
        }
        let (response, turns) = responded(exchange, 200);
        assert_eq!(turns, usize::from(!is_kept), "{polls}, {length}");
        assert_eq!(feed.drops(), turns, "{polls}, {length}");
        assert_eq!(connection(&response), Some("close"), "{polls}, {length}");
        pass(1_000).await;
        assert_eq!((feed.polls(), feed.drops()), (polls, turns), "no head yet");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_the_client_owes_is_drained_behind_the_head() {
    for (request, invited) in [
        (post(Version::HTTP_11), false),
        (post(Version::HTTP_11), true),
        (post(Version::HTTP_10), false),
        (expecting(Version::HTTP_10), false),
        (expecting(Version::HTTP_11), true),
        (post(Version::HTTP_2), false),
        (expecting(Version::HTTP_2), false),
        (expecting(Version::HTTP_2), true),
        (post(Version::HTTP_3), false),
        (expecting(Version::HTTP_3), false),
    ] {
        let (mut feed, mut exchange) = sent(request);
        if invited {
            feed.data(3);
            assert_eq!(read(exchange.request.body_mut()), 3);
        }
        let (response, turns) = responded(exchange, 200);
        assert_eq!(turns, 0);
        pass(1_000).await;
        assert_eq!(
            (feed.polls(), feed.drops()),
            (usize::from(invited), 0),
            "the head is not out"
        );
        drop(response);
        assert_drained(&mut feed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_that_is_owed_decides_whether_the_connection_goes_on() {
    const CLOSE: Option<&str> = Some("close");
    const UP_TO: u64 = 65_536;
    let http10 = || post(Version::HTTP_10);
    let plain = || post(Version::HTTP_11);
    let http2 = || post(Version::HTTP_2);
    let announced = |length| plain().header("content-length", length);
    for (request, length, status, expected) in [
        (plain(), Some(1), 200, None),
        (plain(), Some(1), 404, None),
        (plain(), Some(UP_TO), 200, None),
        (plain(), Some(UP_TO), 404, None),
        (plain(), Some(UP_TO + 1), 200, CLOSE),
        (plain(), Some(UP_TO + 1), 404, CLOSE),
        // Where the body does not know it, the head tells.
        (announced("65536"), None, 404, None),
        (announced("65537"), None, 200, CLOSE),
        (announced("9"), Some(UP_TO + 1), 200, CLOSE),
        (announced("65537"), Some(9), 404, None),
        // Chunked.
        (plain(), None, 200, None),
        (plain(), None, 204, None),
        (plain(), None, 299, None),
        (plain(), None, 302, CLOSE),
        (plain(), None, 404, CLOSE),
        (plain(), None, 500, CLOSE),
        (announced("+1"), None, 404, CLOSE),
        (announced("1, 1"), None, 404, CLOSE),
        (http10(), Some(1), 200, CLOSE),
        (http10(), None, 200, CLOSE),
        (http2(), Some(UP_TO + 1), 404, None),
        (http2(), None, 404, None),
    ] {
        let what = format!("{request:?}, {length:?}, {status}");
        let (feed, exchange) = sent_through(&ExpectLayer::default(), request, length);
        let (response, turns) = responded(exchange, status);
        assert_eq!((turns, connection(&response)), (0, expected), "{what}");
        drop(response);
        pass(1).await;
        assert_eq!((feed.polls(), feed.drops()), (1, 0), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_read_is_no_part_of_the_rest() {
    let announced = |request: request::Builder| request.header("content-length", 100_000);
    for (request, read_of_it, expected) in [
        (announced(post(Version::HTTP_11)), 34_463, Some("close")),
        (announced(post(Version::HTTP_11)), 34_464, None),
        (
            announced(expecting(Version::HTTP_11)),
            34_463,
            Some("close"),
        ),
        (announced(expecting(Version::HTTP_11)), 34_464, None),
    ] {
        let layer = ExpectLayer::default();
        let (feed, mut exchange) = sent_through(&layer, request, Some(100_000));
        feed.data(read_of_it);
        assert_eq!(read(exchange.request.body_mut()), read_of_it);
        let (response, _) = responded(exchange, 404);
        assert_eq!(connection(&response), expected, "{read_of_it}");
    }
}

#[tokio::test(start_paused = true)]
async fn keep_alive_up_to_can_be_set() {
    for (up_to, length, expected) in [
        (0, 1, Some("close")),
        (9, 9, None),
        (9, 10, Some("close")),
        (u64::MAX, 1 << 40, None),
    ] {
        let layer = ExpectLayer::default().linger(Linger::default().keep_alive_up_to(up_to));
        let (_feed, exchange) = sent_through(&layer, post(Version::HTTP_11), Some(length));
        let (response, _) = responded(exchange, 200);
        assert_eq!(connection(&response), expected, "{up_to}, {length}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rest_of_unknown_length_needs_a_place_for_the_connection_to_go_on() {
    let layer = ExpectLayer::default().linger(Linger::default().max_drains(1));
    let sent = || sent_through(&layer, post(Version::HTTP_11), None);

    let (mut feed, exchange) = sent();
    let (first, _) = responded(exchange, 200);
    assert_eq!(connection(&first), None);
    let (_, exchange) = sent();
    let (second, _) = responded(exchange, 200);
    assert_eq!(connection(&second), Some("close"), "the place is taken");
    let (_, exchange) = sent_through(&layer, post(Version::HTTP_11), Some(1));
    let (short, _) = responded(exchange, 200);
    assert_eq!(connection(&short), None, "it needs none");

    drop(first);
    feed.end();
    pass(1).await;
    assert_eq!(feed.drops(), 1);
    let (_, exchange) = sent();
    let (next, _) = responded(exchange, 200);
    assert_eq!(connection(&next), None, "the place is free again");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_read_to_its_end_changes_nothing() {
    for request in [expecting(Version::HTTP_11), post(Version::HTTP_11)] {
        let (mut feed, mut exchange) = sent(request);
        feed.data(3);
        feed.end();
        assert_eq!(content(exchange.request.body_mut()).len(), 3);
        let polls = feed.polls();
        let (response, turns) = responded(exchange, 200);
        assert_eq!((turns, connection(&response)), (0, None));
        assert_dropped_at_once(&feed, polls).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_knows_its_end_need_not_be_polled_past_it() {
    let request = expecting(Version::HTTP_11);
    let request = request.body(Reply::from("abc")).unwrap();
    let mut exchange: InFlight<_, Reply> = start(&ExpectLayer::default(), request);
    assert_ready!(task::spawn(exchange.request.body_mut().frame()).poll());
    drop(exchange.request);
    exchange.respond.send_response(reply());
    let response = assert_ready_ok!(exchange.future.poll());
    assert_eq!(connection(&response), None);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_broke_closes_as_there_may_be_more_that_cannot_be_read() {
    for request in [expecting(Version::HTTP_11), post(Version::HTTP_11)] {
        let (feed, mut exchange) = sent(request);
        feed.item(Err(Broken));
        let error = assert_ready!(task::spawn(exchange.request.body_mut().frame()).poll());
        assert!(error.unwrap().unwrap_err().is::<Broken>());
        let (response, turns) = responded(exchange, 200);
        assert_eq!((turns, connection(&response)), (0, Some("close")));
        assert_dropped_at_once(&feed, 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_broke_closes_also_while_it_is_held() {
    for request in [expecting(Version::HTTP_11), post(Version::HTTP_11)] {
        let (feed, mut exchange) = sent(request);
        feed.item(Err(Broken));
        let error = assert_ready!(task::spawn(exchange.request.body_mut().frame()).poll());
        assert!(error.unwrap().is_err());
        let (response, turns, _body) = responded_early(exchange).await;
        assert_eq!((turns, connection(&response)), (0, Some("close")));
    }
}

/// How far the application has read the body that it holds.
#[derive(Clone, Copy, Debug)]
enum Held {
    Unpolled,
    Polled,
    ReadInPart,
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_held_closes_unless_the_client_owes_it() {
    use Held::{Polled, ReadInPart, Unpolled};

    for (request, held, turns, expected, is_drained) in [
        (
            expecting(Version::HTTP_11),
            Unpolled,
            0,
            Some("close"),
            false,
        ),
        (expecting(Version::HTTP_11), Polled, 1, Some("close"), false),
        (expecting(Version::HTTP_11), ReadInPart, 0, None, true),
        (post(Version::HTTP_11), Unpolled, 0, None, true),
        (post(Version::HTTP_11), Polled, 0, None, true),
        (post(Version::HTTP_11), ReadInPart, 0, None, true),
        (expecting(Version::HTTP_2), Unpolled, 0, None, true),
        (expecting(Version::HTTP_2), Polled, 0, None, true),
        (post(Version::HTTP_2), Unpolled, 0, None, true),
    ] {
        let what = format!("{request:?}, {held:?}");
        let (mut feed, mut exchange) = sent(request);
        match held {
            Unpolled => {}
            Polled => poll_in_vain(exchange.request.body_mut()),
            ReadInPart => {
                feed.data(3);
                assert_eq!(read(exchange.request.body_mut()), 3);
            }
        }
        let before = feed.polls();
        let (response, taken, body) = responded_early(exchange).await;
        assert_eq!((taken, connection(&response)), (turns, expected), "{what}");
        drop(response);
        pass(60_000).await;
        assert_eq!((feed.polls(), feed.drops()), (before, 0), "{what}");
        drop(body);
        match is_drained {
            true => assert_drained(&mut feed).await,
            false => assert_dropped_at_once(&feed, before).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_comes_in_the_turn_proves_that_the_client_owes_the_rest() {
    let (mut feed, mut exchange) = sent(expecting(Version::HTTP_11));
    poll_in_vain(exchange.request.body_mut());
    exchange.respond.send_response(reply());
    assert_pending!(exchange.future.poll());
    assert!(exchange.future.is_woken());
    feed.data(3);
    assert_eq!(read(exchange.request.body_mut()), 3);
    let response = assert_ready_ok!(exchange.future.poll());
    assert_eq!(connection(&response), None);
    drop((response, exchange.request));
    assert_drained(&mut feed).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_back_in_the_turn_is_dropped_before_the_response() {
    let (feed, mut exchange) = sent(expecting(Version::HTTP_11));
    poll_in_vain(exchange.request.body_mut());
    exchange.respond.send_response(reply());
    assert_pending!(exchange.future.poll());
    drop(exchange.request);
    assert_eq!(feed.drops(), 1);
    assert_pending!(exchange.future.poll(), "it is owed a turn of its own");
    assert!(exchange.future.is_woken());
    let response = assert_ready_ok!(exchange.future.poll());
    assert_eq!(connection(&response), Some("close"));
    drop(response);
    assert_dropped_at_once(&feed, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_behind_the_response_proves_it_as_well() {
    let (mut feed, exchange) = sent(expecting(Version::HTTP_11));
    let (response, _, mut body) = responded_early(exchange).await;
    assert_eq!(connection(&response), Some("close"));
    drop(response);
    feed.data(3);
    assert_eq!(read(&mut body), 3);
    drop(body);
    assert_drained(&mut feed).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_back_between_the_response_and_its_head_waits_for_the_head_if_owed() {
    let (mut feed, exchange) = sent(post(Version::HTTP_11));
    let (response, _, body) = responded_early(exchange).await;
    drop(body);
    pass(1_000).await;
    assert_eq!((feed.polls(), feed.drops()), (0, 0));
    drop(response);
    assert_drained(&mut feed).await;
}

/// It is not kept: as soon as the head is out, hyper might complete a short one and go on.
#[tokio::test(start_paused = true)]
async fn an_uninvited_body_that_comes_back_between_the_response_and_its_head_is_dropped() {
    for polls in 0..2 {
        let (feed, mut exchange) = sent(expecting(Version::HTTP_11));
        for _ in 0..polls {
            poll_in_vain(exchange.request.body_mut());
        }
        let (_response, _, body) = responded_early(exchange).await;
        drop(body);
        assert_dropped_at_once(&feed, polls).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_held_and_read_to_its_end_is_just_dropped() {
    let (mut feed, exchange) = sent(post(Version::HTTP_11));
    let (response, _, mut body) = responded_early(exchange).await;
    drop(response);
    feed.data(3);
    feed.end();
    assert_eq!(content(&mut body).len(), 3);
    let polls = feed.polls();
    drop(body);
    assert_dropped_at_once(&feed, polls).await;
}

#[tokio::test(start_paused = true)]
async fn a_response_that_goes_on_lets_the_draining_begin_at_its_first_poll() {
    for breaks in [false, true] {
        let (mut feed, body) = fed();
        let request = post(Version::HTTP_11).body(body).unwrap();
        let mut exchange = start(&ExpectLayer::default(), request);
        drop(exchange.request);
        let (going_on, body) = fed();
        exchange.respond.send_response(Response::new(body));
        let mut response = assert_ready_ok!(exchange.future.poll());
        pass(1_000).await;
        assert_eq!(feed.polls(), 0);
        if breaks {
            going_on.item(Err(Broken));
        } else {
            going_on.item(Ok(Frame::data("on and on".into())));
        }
        assert_ready!(task::spawn(response.body_mut().frame()).poll());
        assert_drained(&mut feed).await;
        assert_eq!(going_on.drops(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn behind_a_rejection_that_was_written_the_body_is_drained() {
    let reject = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    let (mut feed, body) = fed();
    let request = post(Version::HTTP_11).body(body).unwrap();
    let response = at_once(ExpectLayer::new(reject).layer(NotCalled), request);
    assert_eq!(connection(&response), Some("close"));
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
    assert_drained(&mut feed).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_the_inner_future_holds_to_its_end_counts_as_come_back() {
    for (request, turns) in [
        (post(Version::HTTP_11), 0),
        (expecting(Version::HTTP_11), 1),
    ] {
        let inner = service_fn(|request: Request<ExpectBody<FedBody>>| {
            poll_fn(move |_| {
                assert_eq!(request.uri(), "/");
                Poll::Ready(Ok::<_, Infallible>(reply()))
            })
        });
        let (feed, body) = fed();
        let mut service = ExpectLayer::default().layer(inner);
        let mut future = task::spawn(service.call(request.body(body).unwrap()));
        let (response, taken) = leave(&mut future);
        drop(response.unwrap());
        pass(1).await;
        assert_eq!(taken, turns);
        assert_eq!((feed.polls(), feed.drops()), (1 - turns, turns));
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_takes_the_turn_as_well_but_polls_no_body() {
    use Held::{Polled, ReadInPart, Unpolled};

    for (held, comes_back, turns, is_drained) in [
        (Unpolled, true, 1, false),
        (Polled, true, 1, false),
        (ReadInPart, true, 0, true),
        (Unpolled, false, 0, false),
        (Polled, false, 1, false),
        (ReadInPart, false, 0, true),
    ] {
        let (mut feed, mut exchange) = sent(expecting(Version::HTTP_11));
        match held {
            Unpolled => {}
            Polled => poll_in_vain(exchange.request.body_mut()),
            ReadInPart => {
                feed.data(3);
                assert_eq!(read(exchange.request.body_mut()), 3);
            }
        }
        let before = feed.polls();
        let kept = (!comes_back).then_some(exchange.request);
        exchange.respond.send_error("broken");
        if turns == 1 {
            assert_pending!(exchange.future.poll());
            assert!(exchange.future.is_woken());
            assert_eq!(feed.drops(), usize::from(comes_back));
        }
        assert_ready_err!(exchange.future.poll());
        assert_eq!(feed.polls(), before);
        drop(kept);
        match is_drained {
            true => assert_drained(&mut feed).await,
            false => assert_dropped_at_once(&feed, before).await,
        }
    }
}
