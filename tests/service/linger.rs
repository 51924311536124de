//! The bounds of draining, in virtual time.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{request, HeaderMap, Version};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{Layer, Service};
use tower_expect::{ExpectLayer, Linger, Rejection, RequestHead};

use crate::support::{
    expecting, fed, fed_of, leave_in_time, pass, post, rejected, reply, start, Broken, FedBody,
    Feed, InFlight, NotCalled,
};

fn reject(_: &RequestHead) -> Result<(), Rejection> {
    Err(Rejection::forbidden())
}

/// A request that is rejected, with the response out.
fn rejected_with(linger: &Linger, request: request::Builder) -> Feed {
    rejected_of(linger, request, None)
}

/// The body may know its length, in bytes.
fn rejected_of(linger: &Linger, request: request::Builder, length: Option<u64>) -> Feed {
    let (feed, body) = fed_of(length);
    let layer = ExpectLayer::new(reject).linger(linger.clone());
    drop(rejected(&layer, request.body(body).unwrap()));
    feed
}

/// A request to which the application responds without having read more than a frame, with the
/// response out.
fn left(request: request::Builder, reads: bool) -> Feed {
    let (feed, body) = fed();
    let request = request.body(body).unwrap();
    let mut exchange: InFlight<FedBody, Full<Bytes>> = start(&ExpectLayer::default(), request);
    if reads {
        feed.data(1);
        assert_ready!(task::spawn(exchange.request.body_mut().frame()).poll());
    }
    drop(exchange.request);
    exchange.respond.send_response(reply());
    drop(assert_ready_ok!(exchange.future.poll()));
    feed
}

/// The body is dropped when that time has passed, and not before.
async fn assert_dropped_after(feed: &Feed, milliseconds: u64) {
    pass(milliseconds - 1).await;
    assert_eq!(feed.drops(), 0, "dropped early");
    pass(2).await;
    assert_eq!(feed.drops(), 1, "dropped late");
}

fn milliseconds(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// So much of a body is never read if its client was not invited: three frames of hyper's.
const MARGIN: u64 = 3 * 835_584;

#[tokio::test(start_paused = true)]
async fn of_an_uninvited_body_up_to_the_margin_nothing_is_read() {
    for (length, hold) in [(835_585, None), (MARGIN, None), (MARGIN, Some(40))] {
        let linger = match hold {
            Some(hold) => Linger::default().hold(milliseconds(hold)),
            None => Linger::default(),
        };
        let feed = rejected_of(&linger, expecting(Version::HTTP_11), Some(length));
        feed.data(1_000);
        assert_dropped_after(&feed, hold.unwrap_or(500)).await;
        assert_eq!(feed.polls(), 0, "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_longer_one_all_but_the_margin_is_read_and_the_first_poll_waits_20_ms() {
    let feed = rejected_of(
        &Linger::default(),
        expecting(Version::HTTP_11),
        Some(MARGIN + 10),
    );
    feed.data(9);
    pass(19).await;
    assert_eq!(feed.polls(), 0);
    pass(2).await;
    assert_eq!(feed.polls(), 2, "a byte is still to be read");
    pass(4_000).await;
    feed.data(1);
    feed.data(1);
    assert_dropped_after(&feed, 500).await;
    assert_eq!(feed.polls(), 3, "read while held");
}

#[tokio::test(start_paused = true)]
async fn the_margin_is_six_times_the_servers_buffer() {
    let linger = Linger::default().max_buf_size(100);
    let feed = rejected_of(&linger, expecting(Version::HTTP_11), Some(602));
    feed.data(1);
    pass(21).await;
    feed.data(1);
    feed.data(1);
    assert_dropped_after(&feed, 500).await;
    assert_eq!(feed.polls(), 2 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_owed_is_drained_without_delay() {
    let feeds = [
        (rejected_with(&Linger::default(), post(Version::HTTP_11)), 0),
        (
            rejected_with(&Linger::default(), expecting(Version::HTTP_2)),
            0,
        ),
        (left(post(Version::HTTP_11), false), 0),
        (left(expecting(Version::HTTP_2), false), 0),
        (left(expecting(Version::HTTP_11), true), 1),
    ];
    pass(1).await;
    for (feed, before) in &feeds {
        assert_eq!(feed.polls(), before + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_uninvited_client_has_500_ms_to_its_first_byte_on_http_1_and_250_on_http_2() {
    let default = Linger::default();
    let long = Some(MARGIN + 1);
    let http1 = || expecting(Version::HTTP_11);
    assert_dropped_after(&rejected_of(&default, http1(), long), 20 + 500).await;
    assert_dropped_after(&rejected_with(&default, expecting(Version::HTTP_2)), 250).await;
    assert_dropped_after(&left(expecting(Version::HTTP_2), false), 250).await;
    let set = default.first_byte(milliseconds(100));
    assert_dropped_after(&rejected_of(&set, http1(), long), 20 + 100).await;
    assert_dropped_after(&rejected_with(&set, expecting(Version::HTTP_2)), 100).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_back_late_has_the_bounds_of_its_kind() {
    for (request, reads, dropped) in [
        (post(Version::HTTP_11), false, 5_000),
        (expecting(Version::HTTP_11), true, 5_000),
        (expecting(Version::HTTP_2), true, 5_000),
        (expecting(Version::HTTP_2), false, 250),
    ] {
        let (feed, body) = fed();
        let request = request.body(body).unwrap();
        let mut exchange: InFlight<FedBody, Full<Bytes>> = start(&ExpectLayer::default(), request);
        exchange.respond.send_response(reply());
        drop(leave_in_time(&mut exchange.future).await.0.unwrap());
        let mut body = exchange.request.into_body();
        if reads {
            feed.data(1);
            assert_ready!(task::spawn(body.frame()).poll());
        }
        pass(1_000).await;
        let before = feed.polls();
        drop(body);
        pass(1).await;
        assert_eq!(feed.polls(), before + 1);
        assert_dropped_after(&feed, dropped - 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn after_its_first_byte_a_client_is_as_any_other() {
    for (version, length) in [
        (Version::HTTP_11, Some(MARGIN + 1_000)),
        (Version::HTTP_2, None),
    ] {
        let feed = rejected_of(&Linger::default(), expecting(version), length);
        pass(240).await;
        feed.data(1);
        assert_dropped_after(&feed, 5_000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_may_last_5_s() {
    let requests = [
        post(Version::HTTP_11),
        post(Version::HTTP_2),
        post(Version::HTTP_10),
        expecting(Version::HTTP_10),
    ];
    for request in requests {
        let feed = rejected_with(&Linger::default(), request);
        for _ in 0..3 {
            pass(4_990).await;
            feed.data(1);
        }
        assert_dropped_after(&feed, 5_000).await;
    }
    assert_dropped_after(&left(expecting(Version::HTTP_11), true), 5_000).await;
    let set = Linger::default().idle(milliseconds(70));
    assert_dropped_after(&rejected_with(&set, post(Version::HTTP_11)), 70).await;
}

/// Sends a byte every second, for that many seconds.
async fn drip(feed: &Feed, seconds: usize) {
    for _ in 0..seconds {
        feed.data(1);
        pass(1_000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn after_30_s_in_total_the_body_is_held_a_moment_unread() {
    for (version, hold) in [(Version::HTTP_11, 500), (Version::HTTP_2, 250)] {
        let feed = rejected_with(&Linger::default(), post(version));
        drip(&feed, 29).await;
        pass(999).await;
        let polls = feed.polls();
        feed.data(1);
        tokio::task::yield_now().await;
        assert!(feed.polls() > polls, "within its time");
        pass(2).await;
        let polls = feed.polls();
        feed.data(1);
        assert_dropped_after(&feed, hold - 1).await;
        assert_eq!(feed.polls(), polls, "read while held");
    }
}

#[tokio::test(start_paused = true)]
async fn total_and_hold_can_be_set() {
    let linger = Linger::default()
        .total(milliseconds(2_500))
        .hold(milliseconds(40));
    let feed = rejected_with(&linger, post(Version::HTTP_11));
    drip(&feed, 2).await;
    assert_dropped_after(&feed, 540).await;
}

#[tokio::test(start_paused = true)]
async fn beyond_max_bytes_the_body_is_held_a_moment_unread() {
    for (version, hold) in [(Version::HTTP_11, 500), (Version::HTTP_2, 250)] {
        let feed = rejected_with(&Linger::default().max_bytes(10), post(version));
        feed.data(4);
        feed.data(6);
        pass(100).await;
        assert_eq!(feed.polls(), 3, "waits for more");
        feed.data(1);
        feed.data(1);
        assert_dropped_after(&feed, hold).await;
        assert_eq!(feed.polls(), 4, "read while held");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_and_an_error_drop_the_body_at_once_but_trailers_do_not() {
    let mut ended = rejected_with(&Linger::default(), post(Version::HTTP_11));
    ended.data(1);
    ended.item(Ok(Frame::trailers(HeaderMap::new())));
    ended.end();
    let broken = rejected_with(&Linger::default(), post(Version::HTTP_11));
    broken.item(Err(Broken));
    pass(1).await;
    assert_eq!((ended.drops(), ended.polls()), (1, 3));
    assert_eq!((broken.drops(), broken.polls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn beyond_max_drains_a_body_is_held_unread_and_takes_no_place() {
    let linger = Linger::default().max_drains(1).max_bytes(10);
    let reading = rejected_with(&linger, post(Version::HTTP_11));
    let held = rejected_with(&linger, post(Version::HTTP_11));
    held.data(1);
    assert_dropped_after(&held, 500).await;
    assert_eq!(held.polls(), 0);
    assert_eq!((reading.polls(), reading.drops()), (1, 0));

    reading.data(11);
    pass(1).await;
    let next = rejected_with(&linger, post(Version::HTTP_11));
    pass(1).await;
    assert_eq!(reading.drops(), 0, "held by now");
    assert_eq!(next.polls(), 1, "has the place of the one that is held");
    let held = rejected_with(&linger, post(Version::HTTP_11));
    pass(1).await;
    assert_eq!(held.polls(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_end_frees_its_place() {
    let linger = Linger::default().max_drains(1);
    for _ in 0..3 {
        let mut feed = rejected_with(&linger, post(Version::HTTP_11));
        pass(1).await;
        assert_eq!(feed.polls(), 1);
        feed.end();
        pass(1).await;
        assert_eq!(feed.drops(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_only_waited_for_takes_no_place_until_its_first_byte() {
    let linger = Linger::default().max_drains(1);
    let waiting = || rejected_with(&linger, expecting(Version::HTTP_2));
    let (first, second) = (waiting(), waiting());
    pass(1).await;
    assert_eq!(
        (first.polls(), second.polls()),
        (1, 1),
        "both are waited for"
    );
    let drained = rejected_with(&linger, post(Version::HTTP_11));
    pass(1).await;
    assert_eq!(drained.polls(), 1, "the place is free");
    first.data(1);
    first.data(1);
    assert_dropped_after(&first, 250).await;
    assert_eq!(first.polls(), 2, "held, as the place is taken");

    let (taker, late) = (waiting(), waiting());
    pass(1).await;
    let mut drained = drained;
    drained.end();
    pass(1).await;
    taker.data(1);
    pass(1).await;
    assert_eq!((taker.polls(), taker.drops()), (3, 0), "it has the place");
    late.data(1);
    late.data(1);
    assert_dropped_after(&late, 250).await;
    assert_eq!(late.polls(), 2);
    assert_eq!(taker.drops(), 0);
}

#[tokio::test(start_paused = true)]
async fn so_it_is_on_http_1_where_the_body_is_long() {
    let linger = Linger::default().max_drains(1);
    let _drained = rejected_with(&linger, post(Version::HTTP_11));
    let feed = rejected_of(&linger, expecting(Version::HTTP_11), Some(MARGIN + 1_000));
    pass(21).await;
    assert_eq!(feed.polls(), 1);
    feed.data(1);
    feed.data(1);
    assert_dropped_after(&feed, 500).await;
    assert_eq!(feed.polls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_short_rest_needs_no_place_after_its_first_byte_either() {
    let linger = Linger::default().max_drains(0).max_bytes(1_000_000);
    let layer = ExpectLayer::new(reject).linger(linger);
    let (feed, body) = fed_of(Some(65_536));
    drop(rejected(&layer, post(Version::HTTP_11).body(body).unwrap()));
    feed.data(65_535);
    pass(1).await;
    assert_eq!((feed.polls(), feed.drops()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn sixteen_times_max_drains_are_waited_for() {
    let linger = Linger::default().max_drains(2);
    let waiting = || rejected_with(&linger, expecting(Version::HTTP_2));
    let feeds: Vec<_> = (0..32).map(|_| waiting()).collect();
    pass(1).await;
    assert!(feeds.iter().all(|feed| feed.polls() == 1));
    let one_more = waiting();
    pass(1).await;
    assert_eq!((one_more.polls(), one_more.drops()), (0, 1));
    pass(250).await;
    assert!(feeds.iter().all(|feed| feed.drops() == 1));
    let next = waiting();
    pass(1).await;
    assert_eq!((next.polls(), next.drops()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_longest_duration_is_no_limit() {
    const DAYS: u64 = 1_000 * 60 * 60 * 24 * 1_000;
    let max = Duration::MAX;
    let endless = || Linger::default().total(max).idle(max);
    let long = Some(MARGIN + 1);
    for (linger, request, length, polls) in [
        (endless(), post(Version::HTTP_11), None, 1),
        (
            endless().first_byte(max),
            expecting(Version::HTTP_2),
            None,
            1,
        ),
        (
            endless().first_byte(max),
            expecting(Version::HTTP_11),
            long,
            1,
        ),
        (
            Linger::default().hold(max),
            expecting(Version::HTTP_11),
            Some(MARGIN),
            0,
        ),
        (
            Linger::default().max_drains(0).hold(max),
            post(Version::HTTP_2),
            None,
            0,
        ),
    ] {
        let feed = rejected_of(&linger, request, length);
        pass(DAYS).await;
        assert_eq!((feed.polls(), feed.drops()), (polls, 0), "{linger:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn neither_is_it_for_draining_before_the_response() {
    let linger = Linger::default().idle(Duration::MAX);
    let linger = linger.drain_before_response(u64::MAX, Duration::MAX);
    let mut service = ExpectLayer::new(reject).linger(linger).layer(NotCalled);
    let (mut feed, body) = fed();
    let mut future = task::spawn(service.call(post(Version::HTTP_11).body(body).unwrap()));
    assert_pending!(future.poll());
    pass(1_000_000_000).await;
    assert_pending!(future.poll());
    feed.end();
    assert_eq!(future.await.unwrap().status(), 403);
}

/// Always ready, never at its end.
struct Endless(Arc<AtomicUsize>);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"x")))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_always_ready_lets_other_tasks_run() {
    let polls = Arc::<AtomicUsize>::default();
    let linger = Linger::default().max_bytes(1_000_000);
    let request = post(Version::HTTP_11).body(Endless(Arc::clone(&polls)));
    drop(rejected(
        &ExpectLayer::new(reject).linger(linger),
        request.unwrap(),
    ));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let polls = polls.load(Ordering::SeqCst);
    assert!((1..=100).contains(&polls), "{polls}");
}
