//! Handlers that respond while they hold the body of an expecting request unpolled, as an echo does: the
//! response body is polled once before its head, so that it may ask for the request body.

use std::{
    convert::Infallible,
    future::ready,
    pin::Pin,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc, Mutex,
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{request, Request, Response, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{service_fn, Layer, Service};
use tower_expect::{ContinueSignal, ExpectBody, ExpectLayer, ResponseBody, ResponseFuture};

use crate::support::{
    at_once, connection, counted_signal, counter, expecting, fed, leave, post, FedBody, Feed,
};

/// Gives back what it gets, and counts how often it is polled.
#[derive(Debug)]
struct Echo {
    body: ExpectBody<FedBody>,
    polls: Arc<AtomicUsize>,
}

impl Body for Echo {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.polls.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

type Echoed = Result<Response<Echo>, Infallible>;
type Future = task::Spawn<ResponseFuture<std::future::Ready<Echoed>>>;

/// A request to a service that echoes, and how often the response body was polled.
fn echo(request: request::Builder, status: u16) -> (Feed, Future, impl Fn() -> usize) {
    let (feed, body) = fed();
    let (polls, polled) = counter();
    let inner = service_fn(move |request: Request<ExpectBody<FedBody>>| {
        let (body, polls) = (request.into_body(), Arc::clone(&polls));
        let response = Response::builder().status(status);
        ready(Ok::<_, Infallible>(
            response.body(Echo { body, polls }).unwrap(),
        ))
    });
    let mut service = ExpectLayer::default().layer(inner);
    let future = task::spawn(service.call(request.body(body).unwrap()));
    (feed, future, polled)
}

fn signalled(version: Version) -> (request::Builder, ContinueSignal, impl Fn() -> usize) {
    let (signal, sent) = counted_signal();
    (expecting(version).extension(signal.clone()), signal, sent)
}

fn next(body: &mut ResponseBody<Echo>) -> Poll<Option<usize>> {
    let polled = task::spawn(body.frame()).poll();
    polled.map(|frame| frame.map(|frame| frame.unwrap().into_data().unwrap().len()))
}

#[test]
fn an_echo_asks_and_the_connection_has_a_turn_to_send_the_100() {
    let (feed, mut future, polled) = echo(expecting(Version::HTTP_11), 200);
    assert_pending!(future.poll());
    assert!(future.is_woken());
    assert_eq!((polled(), feed.polls()), (1, 1));
    let response = assert_ready_ok!(future.poll());
    assert_eq!((polled(), feed.polls()), (1, 1), "once only");
    assert_eq!(connection(&response), Some("close"), "no frame has come");
    feed.data(3);
    let mut body = response.into_body();
    assert_eq!(next(&mut body), Poll::Ready(Some(3)));
}

#[test]
fn a_frame_that_is_there_already_is_kept_for_the_server() {
    let (mut feed, mut future, polled) = echo(expecting(Version::HTTP_11), 200);
    feed.data(3);
    feed.data(4);
    let (response, turns) = leave(&mut future);
    let mut response = response.unwrap();
    assert_eq!((turns, polled()), (0, 1));
    assert_eq!(connection(&response), None, "the client owes the rest");
    let body = response.body_mut();
    assert_eq!(next(body), Poll::Ready(Some(3)));
    assert_eq!(polled(), 1, "it is the frame that was kept");
    assert_eq!(next(body), Poll::Ready(Some(4)));
    feed.end();
    assert_eq!(next(body), Poll::Ready(None));
}

#[test]
fn with_a_signal_the_100_is_sent_before_the_response_on_every_version() {
    for version in [Version::HTTP_11, Version::HTTP_2, Version::HTTP_3] {
        let (request, signal, sent) = signalled(version);
        let (_feed, mut future, polled) = echo(request, 200);
        let (response, turns) = leave(&mut future);
        assert_eq!((turns, polled(), sent()), (0, 1, 1), "{version:?}");
        assert_eq!(connection(&response.unwrap()), None, "{version:?}");
        assert!(signal.has_fired());
    }
}

#[test]
fn where_a_poll_would_ask_for_nothing_the_response_body_is_not_polled() {
    for (request, status, turns) in [
        (post(Version::HTTP_11), 200, 0),
        (expecting(Version::HTTP_10), 200, 0),
        (post(Version::HTTP_2), 200, 0),
        (expecting(Version::HTTP_2), 200, 0),
        // The response that fails holds the request body, which so comes back.
        (expecting(Version::HTTP_11), 101, 1),
        (signalled(Version::HTTP_11).0, 101, 1),
    ] {
        let what = format!("{request:?}, {status}");
        let (feed, mut future, polled) = echo(request, status);
        let (response, taken) = leave(&mut future);
        drop(response.unwrap());
        let polls = (polled(), feed.polls());
        assert_eq!((taken, polls), (turns, (0, 0)), "{what}");
    }
}

/// Has no frame, which only a poll tells, and counts the polls.
struct Counting(Arc<AtomicUsize>);

impl Body for Counting {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(None)
    }
}

#[test]
fn neither_is_it_for_a_request_body_that_was_polled_or_has_come_back() {
    for (polls, is_held, turns, primes) in [
        (0, true, 0, 1),
        (1, true, 1, 0),
        (0, false, 1, 0),
        (1, false, 1, 0),
    ] {
        let ((_feed, body), (count, polled)) = (fed(), counter());
        let held = Mutex::new(None);
        let inner = service_fn(|mut request: Request<ExpectBody<FedBody>>| {
            for _ in 0..polls {
                assert_pending!(task::spawn(request.body_mut().frame()).poll());
            }
            *held.lock().unwrap() = is_held.then_some(request);
            ready(Ok::<_, Infallible>(Response::new(Counting(Arc::clone(
                &count,
            )))))
        });
        let mut service = ExpectLayer::default().layer(inner);
        let request = expecting(Version::HTTP_11).body(body).unwrap();
        let (response, taken) = leave(&mut task::spawn(service.call(request)));
        assert_eq!(connection(&response.unwrap()), Some("close"));
        assert_eq!((taken, polled()), (turns, primes), "{polls}, {is_held}");
    }
}

#[test]
fn an_end_that_the_poll_tells_is_kept() {
    let ((_feed, body), (count, polled)) = (fed(), counter());
    let held = Mutex::new(None);
    let inner = service_fn(|request: Request<ExpectBody<FedBody>>| {
        *held.lock().unwrap() = Some(request);
        ready(Ok::<_, Infallible>(Response::new(Counting(Arc::clone(
            &count,
        )))))
    });
    let request = expecting(Version::HTTP_11).body(body).unwrap();
    let response = at_once(ExpectLayer::default().layer(inner), request);
    let mut body = response.into_body();
    assert!(body.is_end_stream());
    assert!(assert_ready!(task::spawn(body.frame()).poll()).is_none());
    assert_eq!(polled(), 1);
}

/// Says the same length before and after it has given it, as many bodies do that are written by hand.
struct Steadfast {
    _request: ExpectBody<FedBody>,
    hint: SizeHint,
    data: Option<Bytes>,
}

impl Body for Steadfast {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

#[test]
fn the_length_is_what_the_response_body_said_before_it_was_polled() {
    let mut widest = SizeHint::new();
    widest.set_upper(u64::MAX);
    for hint in [SizeHint::with_exact(5), SizeHint::new(), widest] {
        let inner = service_fn(move |request: Request<ExpectBody<FedBody>>| {
            ready(Ok::<_, Infallible>(Response::new(Steadfast {
                _request: request.into_body(),
                hint,
                data: Some(Bytes::from_static(b"hello")),
            })))
        });
        let request = expecting(Version::HTTP_11).body(fed().1).unwrap();
        let response = at_once(ExpectLayer::default().layer(inner), request);
        let shown = response.body().size_hint();
        assert_eq!((shown.lower(), shown.upper()), (hint.lower(), hint.upper()));
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_signal_has_fired_nobody_is_asked_or_waited_for() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let (request, signal, sent) = signalled(version);
        signal.fire();
        let (_feed, mut future, polled) = echo(request, 200);
        let (response, turns) = leave(&mut future);
        assert_eq!((turns, polled(), sent()), (0, 0, 1), "{version:?}");
        drop(response.unwrap());

        let (request, signal, _) = signalled(version);
        signal.fire();
        let (count, _) = counter();
        let held = Mutex::new(None);
        let inner = service_fn(|request: Request<ExpectBody<FedBody>>| {
            *held.lock().unwrap() = Some(request);
            ready(Ok::<_, Infallible>(Response::new(Counting(Arc::clone(
                &count,
            )))))
        });
        let request = request.body(fed().1).unwrap();
        drop(at_once(ExpectLayer::default().layer(inner), request));
    }
}

/// tokio panics at a timer there.
#[cfg(feature = "tokio")]
#[test]
fn where_there_is_no_clock_no_other_task_is_waited_for() {
    let inner = service_fn(|request: Request<ExpectBody<FedBody>>| {
        ready(Ok::<_, Infallible>(Response::new(Steadfast {
            _request: request.into_body(),
            hint: SizeHint::new(),
            data: None,
        })))
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let _entered = runtime.enter();
    let request = expecting(Version::HTTP_11).body(fed().1).unwrap();
    let response = at_once(ExpectLayer::default().layer(inner), request);
    assert_eq!(connection(&response), Some("close"));
}
