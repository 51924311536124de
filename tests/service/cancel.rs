//! What a future lets go of when it is dropped, at each state.

use std::{
    convert::Infallible,
    future::{pending, ready, Future},
    panic::{catch_unwind, AssertUnwindSafe},
    sync::{atomic::AtomicUsize, Arc, Mutex},
    task::Poll,
};

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::Full;
use tokio::sync::oneshot;
use tokio_test::{assert_pending, assert_ready_ok, task};
use tower::{Layer, Service};
use tower_expect::{ContinueSignal, ExpectBody, ExpectLayer, Rejection, RequestHead};

use crate::support::{
    counted_signal, counter, expecting, fed, reply, Counted, FedBody, Feed, NotCalled,
};

type Inner = Request<ExpectBody<FedBody>>;

/// A request of which everything that is dropped is counted, as its caller keeps it in view.
struct Client {
    feed: Feed,
    signal: ContinueSignal,
    sent: Box<dyn Fn() -> usize>,
}

fn request() -> (Client, Request<FedBody>) {
    let (feed, body) = fed();
    let (signal, sent) = counted_signal();
    let request = expecting(Version::HTTP_2).extension(signal.clone());
    let client = Client {
        feed,
        signal,
        sent: Box::new(sent),
    };
    (client, request.body(body).unwrap())
}

impl Client {
    fn assert_untouched(&self) {
        assert_eq!(self.feed.drops(), 0);
        assert_eq!(self.feed.polls(), 0);
        assert_eq!((self.sent)(), 0);
    }

    fn assert_body_dropped(&self) {
        assert_eq!(self.feed.drops(), 1, "drops of the body");
        assert_eq!(self.feed.polls(), 0);
    }

    fn assert_over(&self) {
        self.assert_body_dropped();
        assert!(!self.signal.fire(), "the signal is still open");
        assert_eq!((self.sent)(), 0);
    }
}

/// A service whose future holds the request, counts its drops, and resolves when told.
fn held(
    drops: Arc<AtomicUsize>,
    answer: oneshot::Receiver<()>,
) -> impl Service<
    Inner,
    Response = Response<Full<Bytes>>,
    Error = Infallible,
    Future = impl Future<Output = Result<Response<Full<Bytes>>, Infallible>>,
> + Clone {
    let answer = Arc::new(Mutex::new(Some(answer)));
    tower::service_fn(move |request: Inner| {
        let held = (Counted(Arc::clone(&drops)), request);
        let answer = answer.lock().unwrap().take().expect("called once");
        async move {
            answer.await.unwrap();
            drop(held);
            Ok(reply())
        }
    })
}

#[test]
fn a_rejection_that_is_never_polled_drops_the_body() {
    let reject = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    let (client, request) = request();
    let future = ExpectLayer::new(reject).layer(NotCalled).call(request);
    assert!(!client.signal.fire(), "known to be rejected");
    drop(future);
    client.assert_over();
}

#[test]
fn a_rejected_expect_field_that_is_never_polled_drops_the_body() {
    for is_async in [false, true] {
        let (client, mut request) = request();
        let value = http::HeaderValue::from_static("foo");
        request.headers_mut().insert("expect", value);
        if is_async {
            let accept = |_: &RequestHead| ready(Ok(()));
            drop(
                ExpectLayer::new_async(accept)
                    .layer(NotCalled)
                    .call(request),
            );
        } else {
            drop(ExpectLayer::default().layer(NotCalled).call(request));
        }
        client.assert_over();
    }
}

#[test]
fn while_the_validator_decides_it_and_the_body_are_dropped() {
    let (validator, validator_drops) = counter();
    let layer = ExpectLayer::new_async(move |_: &RequestHead| {
        let held = Counted(Arc::clone(&validator));
        async move {
            let _held = held;
            pending::<Result<(), Rejection>>().await
        }
    });
    for polls in 0..3 {
        let (client, request) = request();
        let mut future = task::spawn(layer.layer(NotCalled).call(request));
        for _ in 0..polls {
            assert_pending!(future.poll());
        }
        assert_eq!(validator_drops(), polls);
        client.assert_untouched();
        drop(future);
        assert_eq!(validator_drops(), polls + 1);
        client.assert_body_dropped();
    }
}

#[test]
fn while_the_validator_decides_a_drop_closes_the_signal() {
    let layer = ExpectLayer::new_async(|_: &RequestHead| pending::<Result<(), Rejection>>());
    let (client, request) = request();
    drop(layer.layer(NotCalled).call(request));
    client.assert_over();
}

#[test]
fn while_the_inner_service_works_its_future_and_the_body_are_dropped() {
    for polls in 0..3 {
        let (drops, inner_drops) = counter();
        let (_answer, receiver) = oneshot::channel();
        let (client, request) = request();
        let mut service = ExpectLayer::default().layer(held(drops, receiver));
        let mut future = task::spawn(service.call(request));
        for _ in 0..polls {
            assert_pending!(future.poll());
        }
        assert_eq!(inner_drops(), 0);
        client.assert_untouched();
        drop(future);
        assert_eq!(inner_drops(), 1);
        client.assert_over();
    }
}

#[test]
fn after_an_async_validator_the_inner_future_is_dropped_and_the_validator_was_before_it() {
    let (validator, validator_drops) = counter();
    let (drops, inner_drops) = counter();
    let (_answer, receiver) = oneshot::channel();
    let (client, request) = request();
    let layer = ExpectLayer::new_async(move |_: &RequestHead| {
        let held = Counted(Arc::clone(&validator));
        async move {
            let _held = held;
            Ok(())
        }
    });
    let mut future = task::spawn(layer.layer(held(drops, receiver)).call(request));
    assert_pending!(future.poll());
    assert_eq!((validator_drops(), inner_drops()), (1, 0));
    client.assert_untouched();
    drop(future);
    assert_eq!((validator_drops(), inner_drops()), (1, 1));
    client.assert_over();
}

#[test]
fn once_done_the_future_holds_nothing_any_more() {
    let (drops, inner_drops) = counter();
    let (answer, receiver) = oneshot::channel();
    let (client, request) = request();
    let mut service = ExpectLayer::default().layer(held(drops, receiver));
    let mut future = task::spawn(service.call(request));
    assert_pending!(future.poll());
    answer.send(()).unwrap();
    let response = assert_ready_ok!(future.poll());
    assert_eq!(inner_drops(), 1);
    drop(response);
    client.assert_over();
    drop(future);
    assert_eq!(inner_drops(), 1);
    client.assert_over();
}

#[test]
fn a_body_that_outlives_the_dropped_future_is_dropped_once_when_it_is_let_go() {
    let kept = Arc::<Mutex<Option<Inner>>>::default();
    let keep = Arc::clone(&kept);
    let inner = tower::service_fn(move |request: Inner| {
        *keep.lock().unwrap() = Some(request);
        pending::<Result<Response<Full<Bytes>>, Infallible>>()
    });
    let (client, request) = request();
    let future = ExpectLayer::default().layer(inner).call(request);
    drop(future);
    client.assert_untouched();
    drop(kept.lock().unwrap().take());
    client.assert_over();
}

#[test]
#[should_panic(expected = "polled after it was ready")]
fn polling_a_finished_rejection_again_panics() {
    let reject = |_: &RequestHead| Err::<(), _>(Rejection::forbidden());
    let mut service = ExpectLayer::new(reject).layer(NotCalled);
    let mut future = task::spawn(service.call(request().1));
    assert_ready_ok!(future.poll());
    let _ = future.poll();
}

#[test]
fn a_panic_of_the_inner_future_closes_the_signal() {
    let inner = tower::service_fn(|request: Inner| {
        std::future::poll_fn(
            move |_| -> Poll<Result<Response<Full<Bytes>>, Infallible>> {
                panic!("the application's own, with {} at hand", request.uri())
            },
        )
    });
    let (client, request) = request();
    let mut future = task::spawn(ExpectLayer::default().layer(inner).call(request));
    let polled = catch_unwind(AssertUnwindSafe(|| future.poll().is_ready()));
    assert!(polled.is_err());
    drop(future);
    client.assert_over();
}
