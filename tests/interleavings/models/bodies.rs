//! The application's body and the response, at the same time: what is unread is read on once or
//! dropped once, and the 100 is sent once at most and not after the response.

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

use crate::exchange::{answer, read, Exchange};

/// The content was seen to its end after three polls in all, and then dropped.
const READ: [usize; 3] = [3, 1, 1];

#[test]
fn a_body_that_is_dropped_unread_as_the_response_goes_out_is_read_on_once() {
    model(|| {
        let exchange = Exchange::begin(Version::HTTP_11, None);
        let entered = exchange.aftermath.enter();
        let body = exchange.body;
        let dropping = thread::spawn(move || drop(body));
        let response = answer(exchange.response);
        assert_eq!(response.headers()["connection"], "close");
        drop(response);
        dropping.join().unwrap();
        drop(entered);
        assert_eq!(exchange.fate.counts(), [0, 0, 0], "somebody must have it");
        exchange.aftermath.happens();
        assert_eq!(exchange.fate.counts(), READ);
    });
}

#[test]
fn a_body_that_is_dropped_half_read_as_the_response_goes_out_is_read_on_once() {
    model(|| {
        let exchange = Exchange::begin(Version::HTTP_11, None);
        let entered = exchange.aftermath.enter();
        let mut body = exchange.body;
        let reading = thread::spawn(move || assert!(read(&mut body)));
        let mut response = answer(exchange.response);
        assert!(read(response.body_mut()));
        drop(response);
        reading.join().unwrap();
        drop(entered);
        assert_eq!(exchange.fate.counts(), [1, 0, 0], "somebody must have it");
        exchange.aftermath.happens();
        assert_eq!(exchange.fate.counts(), READ);
    });
}

#[test]
fn a_body_that_is_read_to_its_end_as_the_response_goes_out_is_dropped_once() {
    model(|| {
        let exchange = Exchange::begin(Version::HTTP_11, None);
        let entered = exchange.aftermath.enter();
        let mut body = exchange.body;
        let reading = thread::spawn(move || while read(&mut body) {});
        drop(answer(exchange.response));
        reading.join().unwrap();
        drop(entered);
        assert_eq!(exchange.fate.counts(), READ);
        exchange.aftermath.happens();
        assert_eq!(exchange.fate.counts(), READ);
    });
}

#[test]
fn a_body_that_is_dropped_as_the_response_is_given_up_is_dropped_once() {
    model(|| {
        let exchange = Exchange::begin(Version::HTTP_11, None);
        let entered = exchange.aftermath.enter();
        let body = exchange.body;
        let dropping = thread::spawn(move || drop(body));
        drop(exchange.response);
        dropping.join().unwrap();
        drop(entered);
        assert_eq!(exchange.fate.counts(), [0, 0, 1]);
        exchange.aftermath.happens();
        assert_eq!(exchange.fate.counts(), [0, 0, 1]);
    });
}

#[test]
fn a_body_that_is_dropped_as_the_written_response_is_dropped_is_read_on_once() {
    model(|| {
        let exchange = Exchange::begin(Version::HTTP_2, None);
        let entered = exchange.aftermath.enter();
        let body = exchange.body;
        let response = answer(exchange.response);
        let writing = thread::spawn(move || drop(response));
        let dropping = thread::spawn(move || drop(body));
        writing.join().unwrap();
        dropping.join().unwrap();
        drop(entered);
        assert_eq!(exchange.fate.counts(), [0, 0, 0], "somebody must have it");
        exchange.aftermath.happens();
        assert_eq!(exchange.fate.counts(), READ);
    });
}

#[test]
fn the_100_is_sent_once_at_most_and_not_after_the_response() {
    model(|| {
        let (answered, sent) = <(Arc<AtomicBool>, Arc<AtomicUsize>)>::default();
        let signal = {
            let (answered, sent) = (Arc::clone(&answered), Arc::clone(&sent));
            ContinueSignal::new(move || {
                assert!(!answered.load(SeqCst), "the response is there");
                sent.fetch_add(1, SeqCst);
            })
        };
        let exchange = Exchange::begin(Version::HTTP_2, Some(signal.clone()));
        let entered = exchange.aftermath.enter();
        let mut body = exchange.body;
        let reading = thread::spawn(move || assert!(read(&mut body)));
        let firing = thread::spawn(move || signal.fire());
        let response = answer(exchange.response);
        answered.store(true, SeqCst);
        drop(response);
        reading.join().unwrap();
        firing.join().unwrap();
        drop(entered);
        assert!(sent.load(SeqCst) <= 1);
        exchange.aftermath.happens();
        assert_eq!(exchange.fate.counts(), READ);
    });
}
