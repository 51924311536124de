//! The signal: once, at the first poll of the body, and never after the answer.

use std::{convert::Infallible, future::ready, sync::Arc, thread};

use http::{Request, Version};
use http_body_util::{BodyExt, Full};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::{service_fn, Layer};
use tower_expect::{ContinueSignal, ExpectBody, ExpectLayer, Rejection, RequestHead};

use crate::support::{
    at_once, counted_signal, counter, expecting, fed, post, rejected, reply, start, FedBody,
    InFlight, NotCalled, PanicBody,
};

type Answer = Full<bytes::Bytes>;

fn in_flight(layer: &ExpectLayer, request: Request<FedBody>) -> InFlight<FedBody, Answer> {
    start(layer, request)
}

#[test]
fn it_fires_at_the_first_poll_of_the_body_and_not_again() {
    for version in [Version::HTTP_11, Version::HTTP_2, Version::HTTP_3] {
        let (signal, sent) = counted_signal();
        let (feed, body) = fed();
        let request = expecting(version)
            .extension(signal.clone())
            .body(body)
            .unwrap();
        let mut exchange = in_flight(&ExpectLayer::default(), request);
        assert_pending!(exchange.future.poll());
        let body = exchange.request.body_mut();
        assert!(!http_body::Body::is_end_stream(body));
        let _ = http_body::Body::size_hint(body);
        assert_eq!(sent(), 0, "{version:?}");
        assert!(!signal.has_fired());

        assert_pending!(task::spawn(body.frame()).poll());
        assert_eq!(sent(), 1, "{version:?}");
        assert!(signal.has_fired());
        feed.data(1);
        assert_ready!(task::spawn(body.frame()).poll())
            .unwrap()
            .unwrap();
        assert_pending!(task::spawn(body.frame()).poll());
        exchange.respond.send_response(reply());
        assert_ready_ok!(exchange.future.poll());
        assert_pending!(task::spawn(body.frame()).poll());
        assert_eq!(sent(), 1, "{version:?}");
    }
}

#[cfg(feature = "tokio")]
#[test]
fn it_fires_without_lingering_too() {
    let (signal, sent) = counted_signal();
    let (_feed, body) = fed();
    let request = expecting(Version::HTTP_2)
        .extension(signal)
        .body(body)
        .unwrap();
    let mut exchange = in_flight(&ExpectLayer::default().no_linger(), request);
    assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
    assert_eq!(sent(), 1);
}

#[test]
fn a_request_that_is_not_expecting_never_fires_it() {
    let requests = [
        post(Version::HTTP_2),
        post(Version::HTTP_11).header("expect", ""),
        expecting(Version::HTTP_10),
        expecting(Version::HTTP_2).method("CONNECT"),
    ];
    for request in requests {
        let (signal, sent) = counted_signal();
        let (_feed, body) = fed();
        let request = request.extension(signal).body(body).unwrap();
        let mut exchange = in_flight(&ExpectLayer::default(), request);
        assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
        assert_eq!(sent(), 0, "{:?}", exchange.request);
    }
}

#[test]
fn after_the_answer_it_is_not_fired_by_a_body_that_another_thread_polls() {
    let (signal, sent) = counted_signal();
    let (feed, body) = fed();
    let request = expecting(Version::HTTP_2)
        .extension(signal.clone())
        .body(body)
        .unwrap();
    let mut exchange = in_flight(&ExpectLayer::default(), request);
    exchange.respond.send_response(reply());
    let response = assert_ready_ok!(exchange.future.poll());
    assert_eq!(response.status(), 200);
    let mut body = exchange.request.into_body();
    feed.data(3);
    let reader = thread::spawn(move || {
        assert_ready!(task::spawn(body.frame()).poll())
            .unwrap()
            .unwrap()
    });
    let frame = reader.join().unwrap();
    assert_eq!(frame.into_data().unwrap().len(), 3);
    assert_eq!(sent(), 0);
    assert!(!signal.has_fired());
    assert!(!signal.fire());
}

#[test]
fn after_an_inner_error_it_is_not_fired_by_a_body_that_lives_on() {
    let (signal, sent) = counted_signal();
    let (_feed, body) = fed();
    let request = expecting(Version::HTTP_2)
        .extension(signal.clone())
        .body(body)
        .unwrap();
    let mut exchange = in_flight(&ExpectLayer::default(), request);
    exchange.respond.send_error("broken");
    assert_ready_err!(exchange.future.poll());
    assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
    assert_eq!(
        sent(),
        0,
        "an outer layer may have answered in place of the error"
    );
    assert!(!signal.fire());
}

#[test]
fn after_the_future_is_dropped_it_is_not_fired_by_a_body_that_lives_on() {
    let (signal, sent) = counted_signal();
    let (_feed, body) = fed();
    let request = expecting(Version::HTTP_2)
        .extension(signal)
        .body(body)
        .unwrap();
    let mut exchange = in_flight(&ExpectLayer::default(), request);
    drop(exchange.future);
    assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
    assert_eq!(sent(), 0);
}

#[test]
fn clones_share_the_shot() {
    let (signal, sent) = counted_signal();
    let (_feed, body) = fed();
    let request = expecting(Version::HTTP_2)
        .extension(signal.clone())
        .body(body)
        .unwrap();
    let mut exchange = in_flight(&ExpectLayer::default(), request);
    let inner = exchange.request.extensions().get::<ContinueSignal>();
    let inner = inner.expect("it stays in the extensions");
    assert!(inner.fire());
    assert!(!inner.fire());
    assert!(signal.has_fired());
    assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
    assert_eq!(sent(), 1);
    signal.close();
    assert!(signal.has_fired(), "closing does not undo it");
}

/// Its client owes the rest, as if the body had been polled.
#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn whoever_fires_it_has_invited_the_client() {
    use crate::support::{connection, pass};

    for version in [Version::HTTP_11, Version::HTTP_2] {
        for responds in [true, false] {
            let (signal, sent) = counted_signal();
            let (mut feed, body) = fed();
            let request = expecting(version).extension(signal).body(body).unwrap();
            let mut exchange = in_flight(&ExpectLayer::default(), request);
            let extensions = exchange.request.extensions();
            assert!(extensions.get::<ContinueSignal>().unwrap().fire());
            drop(exchange.request);
            if responds {
                exchange.respond.send_response(reply());
                let response = assert_ready_ok!(exchange.future.poll());
                assert_eq!(connection(&response), None);
            } else {
                drop(exchange.future);
            }
            pass(4_999).await;
            assert_eq!((feed.polls(), feed.drops()), (1, 0), "{version:?}");
            feed.end();
            pass(1).await;
            assert_eq!((feed.drops(), sent()), (1, 1), "{version:?}");
        }
    }
}

#[test]
fn nested_layers_fire_it_once() {
    type Twice = ExpectBody<ExpectBody<FedBody>>;

    let (signal, sent) = counted_signal();
    let (_feed, body) = fed();
    let count = Arc::new(sent);
    let seen = Arc::clone(&count);
    let inner = service_fn(move |mut request: Request<Twice>| {
        assert_eq!(seen(), 0);
        assert_pending!(task::spawn(request.body_mut().frame()).poll());
        assert_eq!(seen(), 1);
        assert_pending!(task::spawn(request.body_mut().frame()).poll());
        ready(Ok::<_, Infallible>(reply()))
    });
    let service = ExpectLayer::default().layer(ExpectLayer::default().layer(inner));
    let request = expecting(Version::HTTP_2)
        .extension(signal)
        .body(body)
        .unwrap();
    assert_eq!(at_once(service, request).status(), 200);
    assert_eq!(count(), 1);
}

#[test]
fn a_rejection_closes_it() {
    let unread = || PanicBody { ended: false };
    let reject = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    for expect in ["100-continue", "foo", "a b"] {
        let (signal, sent) = counted_signal();
        let request = || {
            let request = post(Version::HTTP_2).header("expect", expect);
            request.extension(signal.clone()).body(unread()).unwrap()
        };
        rejected(&ExpectLayer::new(reject), request());
        assert!(!signal.fire(), "{expect}");
        let layer = ExpectLayer::new_async(move |head: &RequestHead| ready(reject(head)));
        at_once(layer.layer(NotCalled), request());
        assert_eq!(sent(), 0, "{expect}");
        assert!(!signal.has_fired());
    }
}

#[test]
fn closing_drops_the_closure_and_so_does_firing() {
    for fires in [false, true] {
        let (drops, dropped) = counter();
        let held = crate::support::Counted(drops);
        let signal = ContinueSignal::new(move || drop(held));
        let clone = signal.clone();
        match fires {
            true => assert!(signal.fire()),
            false => signal.close(),
        }
        assert_eq!(dropped(), 1);
        assert!(!clone.fire());
        assert_eq!(clone.has_fired(), fires);
    }
}
