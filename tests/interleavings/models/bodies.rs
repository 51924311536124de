//! The application's body and the response, at the same time: what is unread is drained once or dropped
//! once, and the 100 is sent once at most and not after the response.

use std::sync::atomic::AtomicUsize as Tally;

use http::Version;
use loom::{
    model,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        Arc,
    },
    thread,
};
use tower_expect::ContinueSignal;

use crate::exchange::{closes, poll_in_vain, read, respond, Exchange};

/// The body was seen to its end after three polls in all, and then dropped.
const READ: [usize; 3] = [3, 1, 1];
const UNTOUCHED: [usize; 3] = [0, 0, 0];
const DROPPED: [usize; 3] = [0, 0, 1];

/// Each order in which the threads may run must have come about.
fn assert_all_seen(outcomes: &[Tally]) {
    assert!(outcomes.iter().all(|outcome| outcome.load(SeqCst) > 0));
}

/// `give_back` against `before`, `responds` and `head_is_out`.
#[test]
fn an_uninvited_body_that_comes_back_as_the_response_leaves_is_never_read_and_dropped_once() {
    static TURNS: [Tally; 2] = [Tally::new(0), Tally::new(0)];
    model(|| {
        let exchange = Exchange::expecting(Version::HTTP_11);
        let entered = exchange.aftermath.enter();
        let body = exchange.body;
        let dropping = thread::spawn(move || drop(body));
        let (response, turns) = respond(exchange.response);
        assert!(closes(&response));
        if turns == 1 {
            assert_eq!(exchange.fate.counts(), DROPPED, "before the response");
        }
        drop(response);
        dropping.join().unwrap();
        drop(entered);
        exchange.aftermath.happens();
        assert_eq!(exchange.fate.counts(), DROPPED);
        TURNS[turns].fetch_add(1, SeqCst);
    });
    assert_all_seen(&TURNS);
}

#[test]
fn an_owed_body_that_comes_back_as_the_response_leaves_is_drained_once() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        model(move || {
            let exchange = Exchange::plain(version);
            let entered = exchange.aftermath.enter();
            let body = exchange.body;
            let dropping = thread::spawn(move || drop(body));
            let (response, turns) = respond(exchange.response);
            assert!(turns == 0 && !closes(&response));
            drop(response);
            dropping.join().unwrap();
            drop(entered);
            assert_eq!(exchange.fate.counts(), UNTOUCHED, "somebody must have it");
            exchange.aftermath.happens();
            assert_eq!(exchange.fate.counts(), READ);
        });
    }
}

/// `note` against `before` and `responds`.
#[test]
fn a_frame_that_arrives_as_the_response_leaves_makes_the_rest_owed() {
    static CLOSES: [Tally; 2] = [Tally::new(0), Tally::new(0)];
    model(|| {
        let exchange = Exchange::expecting(Version::HTTP_11);
        let entered = exchange.aftermath.enter();
        let mut body = exchange.body;
        let reading = thread::spawn(move || {
            assert!(read(&mut body));
            body
        });
        let (mut response, turns) = respond(exchange.response);
        assert_eq!(turns, 0, "held, and never polled in vain");
        CLOSES[usize::from(closes(&response))].fetch_add(1, SeqCst);
        assert!(read(response.body_mut()));
        drop(response);
        drop(reading.join().unwrap());
        drop(entered);
        assert_eq!(exchange.fate.counts(), [1, 0, 0], "somebody must have it");
        exchange.aftermath.happens();
        assert_eq!(exchange.fate.counts(), READ);
    });
    assert_all_seen(&CLOSES);
}

#[test]
fn a_poll_in_vain_as_the_response_leaves_takes_a_turn_or_none_and_closes() {
    static TURNS: [Tally; 2] = [Tally::new(0), Tally::new(0)];
    model(|| {
        let exchange = Exchange::expecting_that_pauses();
        let entered = exchange.aftermath.enter();
        let mut body = exchange.body;
        let polling = thread::spawn(move || {
            poll_in_vain(&mut body);
            body
        });
        let (response, turns) = respond(exchange.response);
        assert!(closes(&response));
        drop(response);
        drop(polling.join().unwrap());
        drop(entered);
        assert_eq!(
            exchange.fate.counts(),
            [1, 0, 1],
            "dropped as it comes back"
        );
        TURNS[turns].fetch_add(1, SeqCst);
    });
    assert_all_seen(&TURNS);
}

#[test]
fn a_body_that_is_read_to_its_end_as_the_response_leaves_is_dropped_once() {
    model(|| {
        let exchange = Exchange::expecting(Version::HTTP_11);
        let entered = exchange.aftermath.enter();
        let mut body = exchange.body;
        let reading = thread::spawn(move || while read(&mut body) {});
        drop(respond(exchange.response));
        reading.join().unwrap();
        drop(entered);
        assert_eq!(exchange.fate.counts(), READ);
        exchange.aftermath.happens();
        assert_eq!(exchange.fate.counts(), READ);
    });
}

/// `give_back` against `abandon`.
#[test]
fn an_uninvited_body_that_comes_back_as_the_response_is_abandoned_is_dropped_once() {
    model(|| {
        let exchange = Exchange::expecting(Version::HTTP_11);
        let entered = exchange.aftermath.enter();
        let body = exchange.body;
        let dropping = thread::spawn(move || drop(body));
        drop(exchange.response);
        dropping.join().unwrap();
        drop(entered);
        assert_eq!(exchange.fate.counts(), DROPPED);
        exchange.aftermath.happens();
        assert_eq!(exchange.fate.counts(), DROPPED);
    });
}

#[test]
fn an_owed_body_that_comes_back_as_the_response_is_abandoned_is_drained_once() {
    model(|| {
        let exchange = Exchange::plain(Version::HTTP_11);
        let entered = exchange.aftermath.enter();
        let body = exchange.body;
        let dropping = thread::spawn(move || drop(body));
        drop(exchange.response);
        dropping.join().unwrap();
        drop(entered);
        assert_eq!(exchange.fate.counts(), UNTOUCHED, "somebody must have it");
        exchange.aftermath.happens();
        assert_eq!(exchange.fate.counts(), READ);
    });
}

/// `give_back` against `head_is_out`.
#[test]
fn a_body_that_comes_back_as_the_written_response_is_dropped_is_drained_once() {
    model(|| {
        let exchange = Exchange::expecting(Version::HTTP_2);
        let entered = exchange.aftermath.enter();
        let body = exchange.body;
        let (response, _) = respond(exchange.response);
        let writing = thread::spawn(move || drop(response));
        let dropping = thread::spawn(move || drop(body));
        writing.join().unwrap();
        dropping.join().unwrap();
        drop(entered);
        assert_eq!(exchange.fate.counts(), UNTOUCHED, "somebody must have it");
        exchange.aftermath.happens();
        assert_eq!(exchange.fate.counts(), READ);
    });
}

#[test]
fn the_100_is_sent_once_at_most_and_not_after_the_response() {
    model(|| {
        let (responded, sent) = <(Arc<AtomicBool>, Arc<AtomicUsize>)>::default();
        let signal = {
            let (responded, sent) = (Arc::clone(&responded), Arc::clone(&sent));
            ContinueSignal::new(move || {
                assert!(!responded.load(SeqCst), "the response is there");
                sent.fetch_add(1, SeqCst);
            })
        };
        let exchange = Exchange::signalled(Version::HTTP_2, signal.clone());
        let entered = exchange.aftermath.enter();
        let mut body = exchange.body;
        let reading = thread::spawn(move || assert!(read(&mut body)));
        let firing = thread::spawn(move || signal.fire());
        let (response, _) = respond(exchange.response);
        responded.store(true, SeqCst);
        drop(response);
        reading.join().unwrap();
        firing.join().unwrap();
        drop(entered);
        assert!(sent.load(SeqCst) <= 1);
        exchange.aftermath.happens();
        assert_eq!(exchange.fate.counts(), READ);
    });
}
