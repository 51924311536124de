//! The bounds of reading on, in virtual time.

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
use tokio_test::{assert_pending, assert_ready_ok, task};
use tower_expect::{ExpectLayer, Linger, Rejection, RequestHead};

use crate::support::{
    expecting, fed, pass, post, rejected, reply, start, Broken, FedBody, Feed, InFlight,
};

fn refuse(_: &RequestHead) -> Result<(), Rejection> {
    Err(Rejection::forbidden())
}

/// A request that is rejected, with the response out.
fn refused(linger: &Linger, request: request::Builder) -> Feed {
    let (feed, body) = fed();
    let layer = ExpectLayer::new(refuse).linger(linger.clone());
    drop(rejected(&layer, request.body(body).unwrap()));
    feed
}

/// A request that the application answers without having read all, with the response out.
fn left(request: request::Builder, polled: bool) -> Feed {
    let (feed, body) = fed();
    let request = request.body(body).unwrap();
    let mut exchange: InFlight<FedBody, Full<Bytes>> = start(&ExpectLayer::default(), request);
    if polled {
        assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
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

#[tokio::test(start_paused = true)]
async fn the_first_poll_for_an_expecting_http_1_request_waits_20_ms() {
    let feeds = [
        refused(&Linger::default(), expecting(Version::HTTP_11)),
        left(expecting(Version::HTTP_11), false),
    ];
    pass(19).await;
    for feed in &feeds {
        assert_eq!(feed.polls(), 0);
    }
    pass(2).await;
    for feed in &feeds {
        assert_eq!(feed.polls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_polled_or_nobody_waits_for_is_read_on_without_delay() {
    let feeds = [
        (refused(&Linger::default(), post(Version::HTTP_11)), 0),
        (refused(&Linger::default(), expecting(Version::HTTP_2)), 0),
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
async fn an_expecting_client_has_500_ms_to_its_first_byte_on_http_1_and_250_on_http_2() {
    let default = Linger::default();
    assert_dropped_after(&refused(&default, expecting(Version::HTTP_11)), 520).await;
    assert_dropped_after(&left(expecting(Version::HTTP_11), false), 520).await;
    assert_dropped_after(&refused(&default, expecting(Version::HTTP_2)), 250).await;
    assert_dropped_after(&left(expecting(Version::HTTP_2), false), 250).await;
    let set = default.first_byte(milliseconds(100));
    assert_dropped_after(&refused(&set, expecting(Version::HTTP_11)), 120).await;
    assert_dropped_after(&refused(&set, expecting(Version::HTTP_2)), 100).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_let_go_late_has_the_bounds_of_its_kind() {
    for (polled, first_poll, dropped) in [(false, 20, 520), (true, 0, 5_000)] {
        let (feed, body) = fed();
        let request = expecting(Version::HTTP_11).body(body).unwrap();
        let mut exchange: InFlight<FedBody, Full<Bytes>> = start(&ExpectLayer::default(), request);
        exchange.respond.send_response(reply());
        drop(assert_ready_ok!(exchange.future.poll()));
        let mut body = exchange.request.into_body();
        if polled {
            assert_pending!(task::spawn(body.frame()).poll());
        }
        pass(1_000).await;
        let before = feed.polls();
        drop(body);
        pass(1).await;
        assert_eq!(feed.polls() - before, usize::from(first_poll == 0));
        pass(first_poll).await;
        assert_eq!(feed.polls() - before, 1);
        assert_dropped_after(&feed, dropped - first_poll - 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn after_its_first_byte_an_expecting_client_is_as_any_other() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let feed = refused(&Linger::default(), expecting(version));
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
    ];
    for request in requests {
        let feed = refused(&Linger::default(), request);
        for _ in 0..3 {
            pass(4_990).await;
            feed.data(1);
        }
        assert_dropped_after(&feed, 5_000).await;
    }
    assert_dropped_after(&left(expecting(Version::HTTP_11), true), 5_000).await;
    let set = Linger::default().idle(milliseconds(70));
    assert_dropped_after(&refused(&set, post(Version::HTTP_11)), 70).await;
}

#[tokio::test(start_paused = true)]
async fn http_1_0_lingers_with_an_expect_field_as_without() {
    assert_dropped_after(&left(expecting(Version::HTTP_10), false), 5_000).await;
    let feed = refused(&Linger::default(), expecting(Version::HTTP_10));
    assert_dropped_after(&feed, 5_000).await;
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
        let feed = refused(&Linger::default(), post(version));
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
    let feed = refused(&linger, post(Version::HTTP_11));
    drip(&feed, 2).await;
    assert_dropped_after(&feed, 540).await;
}

#[tokio::test(start_paused = true)]
async fn beyond_max_bytes_the_body_is_held_a_moment_unread() {
    for (version, hold) in [(Version::HTTP_11, 500), (Version::HTTP_2, 250)] {
        let feed = refused(&Linger::default().max_bytes(10), post(version));
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
    let mut ended = refused(&Linger::default(), post(Version::HTTP_11));
    ended.data(1);
    ended.item(Ok(Frame::trailers(HeaderMap::new())));
    ended.end();
    let broken = refused(&Linger::default(), post(Version::HTTP_11));
    broken.item(Err(Broken));
    pass(1).await;
    assert_eq!((ended.drops(), ended.polls()), (1, 3));
    assert_eq!((broken.drops(), broken.polls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn beyond_max_drains_a_body_is_held_unread_and_takes_no_place() {
    let linger = Linger::default().max_drains(1).max_bytes(10);
    let reading = refused(&linger, post(Version::HTTP_11));
    let held = refused(&linger, post(Version::HTTP_11));
    held.data(1);
    assert_dropped_after(&held, 500).await;
    assert_eq!(held.polls(), 0);
    assert_eq!((reading.polls(), reading.drops()), (1, 0));

    reading.data(11);
    pass(1).await;
    let next = refused(&linger, post(Version::HTTP_11));
    pass(1).await;
    assert_eq!(reading.drops(), 0, "held by now");
    assert_eq!(next.polls(), 1, "has the place of the one that is held");
    let held = refused(&linger, post(Version::HTTP_11));
    pass(1).await;
    assert_eq!(held.polls(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_end_frees_its_place() {
    let linger = Linger::default().max_drains(1);
    for _ in 0..3 {
        let mut feed = refused(&linger, post(Version::HTTP_11));
        pass(1).await;
        assert_eq!(feed.polls(), 1);
        feed.end();
        pass(1).await;
        assert_eq!(feed.drops(), 1);
    }
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
        &ExpectLayer::new(refuse).linger(linger),
        request.unwrap(),
    ));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let polls = polls.load(Ordering::SeqCst);
    assert!((1..=100).contains(&polls), "{polls}");
}
