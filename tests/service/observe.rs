//! What observers are told, and when.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{request, Request, Version};
use http_body_util::{BodyExt, Full};
use tokio_test::{assert_pending, assert_ready_ok, task};
use tower::{Layer, Service};
use tower_expect::{
    ContinueSignal, ContinueUnavailable, Event, ExpectLayer, Linger, Rejection, RequestHead,
};

use crate::support::{
    at_once, expecting, fed, fed_of, leave, leave_in_time, pass, post, rejected, reply, start,
    within_a_turn, FedBody, Feed, InFlight, NotCalled,
};

/// What an observer was told, a line an event.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn observe<V>(&self, layer: ExpectLayer<V>) -> ExpectLayer<V> {
        let told = self.clone();
        layer.observe(move |event: &Event| told.0.lock().unwrap().push(line(event)))
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn line(event: &Event) -> String {
    match event {
        Event::Accepted {
            expecting,
            content_length,
            ..
        } => format!("accepted, expecting {expecting}, {content_length:?}"),
        Event::Rejected {
            status,
            reason,
            content_length,
            ..
        } => format!("rejected {} {reason}, {content_length:?}", status.as_u16()),
        Event::Continued { delay, .. } => {
            format!("continued within a minute {}", delay.as_secs() < 60)
        }
        Event::NeverRead {
            status,
            expecting,
            content_length,
            ..
        } => format!(
            "never read {}, expecting {expecting}, {content_length:?}",
            status.as_u16()
        ),
        Event::Lingering { .. } => "lingering".to_owned(),
        Event::Lingered {
            bytes, spared, end, ..
        } => format!("lingered {bytes}, spared {spared:?}, {end}"),
        other => panic!("an event that is new: {other:?}"),
    }
}

fn upload(length: u64) -> request::Builder {
    expecting(Version::HTTP_11).header("content-length", length)
}

fn begin(told: &Told, request: request::Builder) -> (Feed, InFlight<FedBody, Full<Bytes>>) {
    let (feed, body) = fed();
    let request = request.body(body).unwrap();
    (feed, start(&told.observe(ExpectLayer::default()), request))
}

fn answer(mut exchange: InFlight<FedBody, Full<Bytes>>) {
    drop(exchange.request);
    exchange.respond.send_response(reply());
    drop(leave(&mut exchange.future).0.unwrap());
}

const CONTINUED: &str = "continued within a minute true";

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_read_is_accepted_and_continued() {
    let told = Told::default();
    let (mut feed, mut exchange) = begin(&told, upload(3));
    assert_eq!(told.take(), ["accepted, expecting true, Some(3)"]);
    assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
    assert_eq!(told.take(), [""; 0], "hyper may or may not have sent it");
    feed.data(3);
    feed.end();
    for _ in 0..2 {
        let _ = task::spawn(exchange.request.body_mut().frame()).poll();
    }
    assert_eq!(told.take(), [CONTINUED]);
    answer(exchange);
    pass(60_000).await;
    assert_eq!(told.take(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_never_read_is_told_before_it_is_lingered() {
    let told = Told::default();
    let (_feed, exchange) = begin(&told, upload(1_000));
    told.take();
    answer(exchange);
    let closed = "lingered 0, spared Some(1000), closed";
    let never_read = "never read 200, expecting true, Some(1000)";
    assert_eq!(told.take(), ["lingering", closed, never_read]);
    pass(60_000).await;
    assert_eq!(told.take(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn one_that_the_client_owes_is_told_before_it_is_lingered() {
    let told = Told::default();
    let (_feed, exchange) = begin(&told, post(Version::HTTP_11).header("content-length", 9));
    told.take();
    answer(exchange);
    let never_read = "never read 200, expecting false, Some(9)";
    assert_eq!(told.take(), [never_read, "lingering"]);
    pass(60_000).await;
    assert_eq!(told.take(), ["lingered 0, spared Some(9), idle"]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_the_response_asks_for_was_not_never_read() {
    let told = Told::default();
    let (feed, body) = fed();
    let service = tower::service_fn(|request: Request<_>| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(request.into_body()))
    });
    feed.data(1);
    let layer = told.observe(ExpectLayer::default()).layer(service);
    let response = at_once(layer, upload(2).body(body).unwrap());
    let accepted = "accepted, expecting true, Some(2)";
    assert_eq!(told.take(), [accepted, CONTINUED]);
    drop(response);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_drained_before_a_101_is_continued() {
    let told = Told::default();
    let (mut feed, mut exchange) = begin(&told, upload(5).header("upgrade", "x"));
    told.take();
    drop(exchange.request);
    let mut response = reply();
    *response.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
    exchange.respond.send_response(response);
    assert_pending!(exchange.future.poll());
    assert_eq!(told.take(), ["lingering"]);
    feed.data(5);
    feed.end();
    assert_eq!(exchange.future.await.unwrap().status(), 101);
    assert_eq!(
        told.take(),
        [CONTINUED, "lingered 5, spared None, complete"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_is_not_counted_as_spared() {
    let told = Told::default();
    let (feed, mut exchange) = begin(&told, post(Version::HTTP_11).header("content-length", 9));
    assert_eq!(told.take(), ["accepted, expecting false, Some(9)"]);
    feed.data(2);
    assert_ready_ok!(task::spawn(exchange.request.body_mut().frame())
        .poll()
        .map(Option::unwrap));
    answer(exchange);
    feed.data(4);
    pass(60_000).await;
    assert_eq!(told.take(), ["lingering", "lingered 4, spared None, idle"]);
}

#[tokio::test(start_paused = true)]
async fn a_body_polled_after_the_response_is_not_continued() {
    let told = Told::default();
    let (_feed, mut exchange) = begin(&told, upload(1));
    exchange.respond.send_response(reply());
    let (response, _) = leave_in_time(&mut exchange.future).await;
    told.take();
    assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
    assert_eq!(told.take(), [""; 0]);
    drop(response);
}

#[test]
fn a_request_on_which_there_is_nothing_to_decide_makes_no_event() {
    let told = Told::default();
    let layer = told.observe(ExpectLayer::default());
    let service = tower::service_fn(|_| async { Ok(reply()) });
    at_once(layer.layer(service), Request::new(Full::<Bytes>::default()));
    assert_eq!(told.take(), [""; 0]);
}

#[test]
fn a_moot_expectation_is_accepted_and_neither_continued_nor_never_read() {
    let told = Told::default();
    let layer = told.observe(ExpectLayer::default());
    let service = tower::service_fn(|_| async { Ok(reply()) });
    let request = expecting(Version::HTTP_11).header("content-length", 0);
    at_once(
        layer.layer(service),
        request.body(Full::<Bytes>::default()).unwrap(),
    );
    assert_eq!(told.take(), ["accepted, expecting false, Some(0)"]);
}

#[test]
fn each_rejection_says_why() {
    let reject = |_: &RequestHead| Err::<(), _>(Rejection::content_too_large(1));
    let closed = &["lingering", "lingered 0, spared Some(7), closed"][..];
    for (expect, version, line) in [
        (
            "y 100-continue",
            Version::HTTP_11,
            "rejected 400 malformed, Some(7)",
        ),
        (
            "200-ok",
            Version::HTTP_11,
            "rejected 417 unsupported, Some(7)",
        ),
        (
            "100-continue",
            Version::HTTP_2,
            "rejected 417 continue_unavailable, Some(7)",
        ),
        (
            "100-continue",
            Version::HTTP_11,
            "rejected 413 validator, Some(7)",
        ),
    ] {
        let told = Told::default();
        let layer = ExpectLayer::new(reject).when_continue_unavailable(ContinueUnavailable::Reject);
        let request = post(version)
            .header("expect", expect)
            .header("content-length", 7);
        rejected(
            &told.observe(layer).no_linger(),
            request.body(fed().1).unwrap(),
        );
        let told = told.take();
        assert_eq!(told[0], line);
        let expected = if version == Version::HTTP_2 {
            &[]
        } else {
            closed
        };
        assert_eq!(told[1..], *expected, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_decision_that_comes_too_late_is_told_as_such() {
    let told = Told::default();
    let layer = ExpectLayer::new_async(|_: &RequestHead| pending::<Result<(), Rejection>>());
    let layer = told.observe(layer.decision_timeout(Duration::from_secs(1)).no_linger());
    let request = upload(7).body(fed().1).unwrap();
    layer.layer(NotCalled).call(request).await.unwrap();
    let rejected = "rejected 503 timed_out, Some(7)";
    let closed = "lingered 0, spared Some(7), closed";
    assert_eq!(told.take(), [rejected, "lingering", closed]);
}

/// What is told of a body of that length, if it knows one, behind a rejection.
async fn lingering_of(
    linger: Linger,
    (request, length): (request::Builder, Option<u64>),
    sends: usize,
    ends: bool,
) -> Vec<String> {
    let told = Told::default();
    let (mut feed, body) = fed_of(length);
    let layer = ExpectLayer::new(|_: &RequestHead| Err::<(), _>(Rejection::forbidden()));
    let layer = told.observe(layer.linger(linger));
    drop(rejected(&layer, request.body(body).unwrap()));
    if sends > 0 {
        feed.data(sends);
    }
    if ends {
        feed.end();
    }
    pass(60_000).await;
    told.take().split_off(1)
}

#[tokio::test(start_paused = true)]
async fn every_end_of_the_draining_is_told_with_the_bytes() {
    let default = Linger::default;
    let second = Duration::from_secs(1);
    for (linger, ends, line) in [
        (default(), true, "5, spared Some(95), complete"),
        (default(), false, "5, spared Some(95), idle"),
        (
            default().total(second),
            false,
            "5, spared Some(95), total_time",
        ),
        (
            default().max_bytes(4),
            false,
            "5, spared Some(95), max_bytes",
        ),
        (
            default().max_drains(0).keep_alive_up_to(9),
            false,
            "0, spared Some(100), max_drains",
        ),
    ] {
        let request = post(Version::HTTP_11).header("content-length", 100);
        let told = lingering_of(linger, (request, Some(100)), 5, ends).await;
        assert_eq!(told, ["lingering", &*format!("lingered {line}")]);
    }
}

#[tokio::test(start_paused = true)]
async fn so_is_every_end_of_a_body_to_which_nobody_was_invited() {
    let default = Linger::default;
    let http1 = |length| (upload(length), Some(length));
    let http2 = || (upload(100).version(Version::HTTP_2), None);
    for (linger, request, sends, line) in [
        (default(), http1(100), 5, "0, spared Some(100), closed"),
        (
            default(),
            (upload(100), None),
            5,
            "0, spared Some(100), closed",
        ),
        (default(), http1(900_000), 5, "0, spared Some(900000), held"),
        (
            default(),
            http1(2_506_757),
            5,
            "5, spared Some(2506752), held",
        ),
        (
            default(),
            http1(2_506_757),
            0,
            "0, spared Some(2506757), nothing_sent",
        ),
        (default(), http2(), 0, "0, spared Some(100), nothing_sent"),
        (
            default().max_drains(0),
            http2(),
            0,
            "0, spared Some(100), max_drains",
        ),
    ] {
        let told = lingering_of(linger, request, sends, false).await;
        assert_eq!(told, ["lingering", &*format!("lingered {line}")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_while_it_is_read_is_told_as_gone() {
    let told = Told::default();
    let (feed, body) = fed();
    let layer = told.observe(ExpectLayer::new(|_: &RequestHead| {
        Err::<(), _>(Rejection::forbidden())
    }));
    let request = upload(100).version(Version::HTTP_2);
    drop(rejected(&layer, request.body(body).unwrap()));
    feed.data(2);
    feed.item(Err(crate::support::Broken));
    pass(60_000).await;
    assert_eq!(told.take()[2..], ["lingered 2, spared Some(98), gone"]);
}

#[test]
fn lingering_ends_with_the_runtime() {
    let told = Told::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (_feed, body) = fed();
    let layer = told.observe(ExpectLayer::new(Rejection::forbidden()));
    runtime.block_on(async {
        let request = upload(100).version(Version::HTTP_2);
        drop(rejected(&layer, request.body(body).unwrap()));
        tokio::task::yield_now().await;
    });
    drop(runtime);
    assert_eq!(
        told.take()[1..],
        ["lingering", "lingered 0, spared Some(100), cancelled"]
    );
}

#[test]
fn with_a_signal_it_is_continued_if_the_signal_was_sent() {
    for (closed, lines) in [(false, vec![CONTINUED]), (true, vec![])] {
        let told = Told::default();
        let signal = ContinueSignal::new(|| {});
        if closed {
            signal.close();
        }
        let request = upload(3).version(Version::HTTP_2).extension(signal);
        let (_feed, mut exchange) = begin(&told, request);
        told.take();
        assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
        assert_eq!(told.take(), lines);
    }
}

#[test]
fn where_nothing_sends_a_100_it_is_not_continued() {
    let told = Told::default();
    let (_feed, mut exchange) = begin(&told, upload(3).version(Version::HTTP_2));
    assert_eq!(told.take(), ["accepted, expecting true, Some(3)"]);
    assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
    assert_eq!(told.take(), [""; 0]);
}

#[test]
fn two_observers_are_told_in_turn_and_nested_layers_each_tell() {
    let (outer, inner) = (Told::default(), Told::default());
    let layer = inner.observe(outer.observe(ExpectLayer::default()));
    let nested = (outer.observe(ExpectLayer::default()), layer);
    let service = tower::service_fn(|request: Request<_>| async {
        drop(request);
        Ok(reply())
    });
    let signal = ContinueSignal::new(|| {});
    let request = upload(3).extension(signal).body(fed().1).unwrap();
    within_a_turn(nested.layer(service), request);
    let accepted = "accepted, expecting true, Some(3)";
    let never_read = "never read 200, expecting true, Some(3)";
    let closed = "lingered 0, spared Some(3), closed";
    // What is dropped or drained is the outer layer's.
    assert_eq!(inner.take(), [accepted, never_read]);
    assert_eq!(
        outer.take(),
        [
            accepted,
            accepted,
            "lingering",
            closed,
            never_read,
            never_read
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_observer_changes_nothing_of_the_response() {
    let layers = [
        ExpectLayer::default(),
        ExpectLayer::default().no_linger(),
        ExpectLayer::default().linger(Linger::at_socket()),
    ];
    let requests: [fn(Version) -> request::Builder; 2] = [expecting, post];
    for (layer, number) in layers.iter().zip(0..) {
        for request in requests {
            let run = |layer: &ExpectLayer| {
                let (_feed, body) = fed();
                let request = request(Version::HTTP_11).body(body).unwrap();
                let mut exchange: InFlight<_, Full<Bytes>> = start(layer, request);
                drop(exchange.request);
                exchange.respond.send_response(reply());
                let (response, turns) = leave(&mut exchange.future);
                (turns, response.unwrap().headers().clone())
            };
            let observed = run(&Told::default().observe(layer.clone()));
            assert_eq!(observed, run(layer), "{number}");
        }
    }
}

/// The marker of the outer layer, and its own exchange.
#[tokio::test(start_paused = true)]
async fn a_nested_layer_only_observes() {
    let (outer, inner) = (Told::default(), Told::default());
    let nested = (
        outer.observe(ExpectLayer::default()),
        inner.observe(ExpectLayer::default()),
    );
    let service = tower::service_fn(|request: Request<_>| async {
        drop(request);
        Ok(reply())
    });
    let request = post(Version::HTTP_11).extension(7_u8);
    let (mut feed, body) = fed();
    drop(at_once(nested.layer(service), request.body(body).unwrap()));
    feed.data(4);
    feed.end();
    pass(1).await;
    let events = [
        "accepted, expecting false, None",
        "never read 200, expecting false, None",
    ];
    assert_eq!(inner.take(), events);
    let drained = ["lingering", "lingered 4, spared None, complete"];
    assert_eq!(outer.take(), [events, drained].concat());
}

#[test]
fn nothing_that_the_client_sent_is_in_an_event() {
    let told = Arc::<Mutex<Vec<String>>>::default();
    let log = Arc::clone(&told);
    let layer = ExpectLayer::default()
        .observe(move |event: &Event| log.lock().unwrap().push(format!("{event:?}")));
    for expect in ["evil-expectation", "evil evil"] {
        let request = Request::builder()
            .method("EVIL")
            .uri("/evil")
            .header("expect", expect)
            .header("content-length", "evil");
        rejected(&layer, request.body(fed().1).unwrap());
    }
    let told = told.lock().unwrap().concat().to_lowercase();
    assert!(
        told.contains("rejected") && !told.contains("evil"),
        "{told}"
    );
}

#[test]
fn the_status_that_is_told_is_the_one_that_is_sent_and_the_sentence_is_the_rejections() {
    let seen = Arc::<Mutex<Vec<_>>>::default();
    let log = Arc::clone(&seen);
    let layer = ExpectLayer::new(Rejection::forbidden().with_message("not you"))
        .render_with(|_: &Rejection, _: &RequestHead| {
            let response = http::Response::builder().status(404);
            response.body(Bytes::new()).unwrap()
        })
        .observe(move |event: &Event| {
            if let Event::Rejected {
                status, message, ..
            } = event
            {
                log.lock().unwrap().push((*status, message.to_string()));
            }
        });
    let response = rejected(&layer, upload(7).body(fed().1).unwrap());
    assert_eq!(response.status(), 404);
    let expected = (http::StatusCode::NOT_FOUND, "not you".to_owned());
    assert_eq!(*seen.lock().unwrap(), [expected]);
}
