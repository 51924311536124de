//! What the layer makes of a request, polled by hand without a runtime, against the table in the
//! crate's documentation.

#![no_main]

use std::{
    future::{poll_fn, Future},
    pin::Pin,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc, Mutex, PoisonError,
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use tower::{Layer, Service};
use tower_expect::{
    Accepted, ContinueSignal, ExpectBody, ExpectLayer, Rejection, RequestHead, ResponseBody,
};
use tower_expect_fuzz::{
    answer,
    case::{Case, End},
    fed::{Delivered, Fed},
    table::{self, Leave, Outcome},
    watched::{Counts, Watched},
};

type Answer = Result<Response<Full<Bytes>>, &'static str>;

fuzz_target!(|case: Case| {
    let asked = Arc::<AtomicUsize>::default();
    let validator = {
        let (asked, status, max_body) = (Arc::clone(&asked), case.rejects(), case.max_body);
        move |_: &RequestHead| {
            asked.fetch_add(1, Ordering::Relaxed);
            let accepted = Accepted::new().with(Found);
            let accepted = match max_body {
                Some(bytes) => accepted.max_body(bytes.into()),
                None => accepted,
            };
            status.map_or(Ok(accepted), |status| Err(answer::rejection(status)))
        }
    };
    if case.asynchronous {
        let later = move |head: &RequestHead| after_a_poll(validator(head));
        let layer = set_up(&case, ExpectLayer::new_async(later));
        run(&case, layer.clone(), &asked);
        deliver(&case, layer);
    } else {
        let layer = set_up(&case, ExpectLayer::new(validator));
        run(&case, layer.clone(), &asked);
        deliver(&case, layer);
    }
});

/// The same request with frames in its body: no byte is delivered that was not accepted.
fn deliver<L>(case: &Case, layer: L)
where
    L: Layer<Application<Fed>>,
    L::Service: Service<Request<Fed>>,
{
    if case.body_ended {
        return;
    }
    let mut request = case.request(Fed::new(case));
    if case.signal {
        request.extensions_mut().insert(ContinueSignal::new(|| {}));
    }
    let application = Application::default();
    let mut future = Box::pin(layer.layer(application.clone()).call(request));
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..=usize::from(case.asynchronous) {
        let is_called = application.with(|inside| inside.calls) > 0;
        if is_called || future.as_mut().poll(&mut cx).is_ready() {
            break;
        }
    }
    let request = application.with(|inside| inside.request.take());
    let delivered = request.map(|request| Delivered::of(&mut request.into_body()));
    let expected = match table::outcome(case) {
        Outcome::Rejected { .. } => None,
        Outcome::Accepted { content, asked, .. } => {
            let limit = table::limit(case, content, asked);
            Some(Delivered::expected(case, limit))
        }
    };
    assert_eq!(delivered, expected);
}

fn set_up<V>(case: &Case, layer: ExpectLayer<V>) -> ExpectLayer<V> {
    let layer = layer
        .validate_when(case.scope())
        .when_continue_unavailable(case.continue_unavailable());
    let layer = case.supported().fold(layer, ExpectLayer::support);
    match case.lingers {
        true => layer,
        false => layer.no_linger(),
    }
}

/// What the validator has found out.
#[derive(Clone)]
struct Found;

async fn after_a_poll(decision: Result<Accepted, Rejection>) -> Result<Accepted, Rejection> {
    let mut polled = false;
    poll_fn(|_| match std::mem::replace(&mut polled, true) {
        false => Poll::Pending,
        true => Poll::Ready(()),
    })
    .await;
    decision
}

/// Keeps the request, and answers when it is told to.
struct Application<B>(Arc<Mutex<Inside<B>>>);

struct Inside<B> {
    calls: usize,
    request: Option<Request<ExpectBody<B>>>,
    answer: Option<Answer>,
}

/// Not derived: the body is not `Default`, nor `Clone`.
impl<B> Default for Application<B> {
    fn default() -> Self {
        let inside = Inside {
            calls: 0,
            request: None,
            answer: None,
        };
        Self(Arc::new(Mutex::new(inside)))
    }
}

impl<B> Clone for Application<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B> Application<B> {
    fn with<T>(&self, act: impl FnOnce(&mut Inside<B>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<B: Send + 'static> Service<Request<ExpectBody<B>>> for Application<B> {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = Pin<Box<dyn Future<Output = Answer>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ExpectBody<B>>) -> Self::Future {
        self.with(|inside| {
            inside.calls += 1;
            inside.request = Some(request);
        });
        let application = self.clone();
        Box::pin(poll_fn(move |_| {
            application.with(|inside| inside.answer.take().map_or(Poll::Pending, Poll::Ready))
        }))
    }
}

fn run<L>(case: &Case, layer: L, asked: &AtomicUsize)
where
    L: Layer<Application<Watched>>,
    L::Service: Service<
        Request<Watched>,
        Response = Response<ResponseBody<Full<Bytes>>>,
        Error = &'static str,
    >,
{
    let counts = Arc::<Counts>::default();
    let sent = Arc::<AtomicUsize>::default();
    let mut request = case.request(Watched {
        ended: case.body_ended,
        length: case.body_length,
        counts: Arc::clone(&counts),
    });
    let sender = Arc::clone(&sent);
    let signal = ContinueSignal::new(move || _ = sender.fetch_add(1, Ordering::Relaxed));
    if case.signal {
        request.extensions_mut().insert(signal.clone());
    }
    let application = Application::default();
    let mut service = layer.layer(application.clone());
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = Box::pin(service.call(request));
    let first = future.as_mut().poll(&mut cx);
    let outcome = table::outcome(case);
    let is_asked = match outcome {
        Outcome::Rejected { asked, .. } | Outcome::Accepted { asked, .. } => asked,
    };
    let mut polled = match first {
        Poll::Pending if is_asked && case.asynchronous => future.as_mut().poll(&mut cx),
        first => first,
    };
    assert_eq!(
        asked.load(Ordering::Relaxed),
        usize::from(is_asked),
        "times the validator was asked"
    );
    match outcome {
        Outcome::Rejected { status, reason, .. } => {
            // Whether the status is a success, and a gRPC client's always is, matters to the close only.
            for _ in 0..table::of_rejection(case, status).turns {
                assert!(polled.is_pending(), "{polled:?}");
                assert_eq!(counts.drops(), 1, "the turn is for nothing");
                polled = future.as_mut().poll(&mut cx);
            }
            let Poll::Ready(Ok(response)) = polled else {
                panic!("{reason:?} gives {polled:?}")
            };
            answer::check(case, status, &reason, response);
            assert_eq!(application.with(|inside| inside.calls), 0);
            assert_eq!((counts.polls(), counts.drops()), (0, 1));
            assert!(!case.signal || !signal.fire(), "the answer has begun");
        }
        Outcome::Accepted {
            content, expecting, ..
        } => {
            assert!(polled.is_pending(), "{polled:?}");
            let before = usize::from(case.application.polls % 4);
            let sends = usize::from(case.signal && expecting && before > 0);
            let leave = table::of_response(case, content, expecting);
            live(case, is_asked, &application, future, &counts, &leave);
            assert_eq!(sent.load(Ordering::Relaxed), sends);
            assert!(
                !(case.signal && expecting && signal.fire()),
                "the answer has begun"
            );
            assert_eq!(application.with(|inside| inside.calls), 1);
        }
    }
    assert_eq!(counts.drops(), 1);
}

/// The application does what the case says; in the end everything is dropped.
fn live<F>(
    case: &Case,
    asked: bool,
    application: &Application<Watched>,
    future: Pin<Box<F>>,
    counts: &Counts,
    leave: &Leave,
) where
    F: Future<Output = Result<Response<ResponseBody<Full<Bytes>>>, &'static str>>,
{
    let mut cx = Context::from_waker(Waker::noop());
    let plan = &case.application;
    let mut request = application
        .with(|inside| inside.request.take())
        .expect("it was called");
    assert_eq!(request.headers(), &case.headers());
    let found = request.extensions().get::<Found>();
    assert_eq!(found.is_some(), asked, "handed over");
    let mut poll = |request: &mut Request<ExpectBody<Watched>>, times| {
        for _ in 0..times % 4 {
            let polls = counts.polls();
            assert!(Pin::new(request.body_mut())
                .poll_frame(&mut cx)
                .is_pending());
            assert_eq!(counts.polls(), polls + 1);
        }
    };
    poll(&mut request, plan.polls);
    let mut held = (!plan.drops_body).then_some(request);
    let mut response = None;
    match plan.end {
        End::Answers => {
            application.with(|inside| inside.answer = Some(Ok(Response::new(Full::from("ok")))));
            let Some(Ok(answered)) = after_turns(leave.turns, future) else {
                panic!("the answer was held back")
            };
            answer::check_application(leave.closes, &answered);
            response = Some(answered);
        }
        End::Fails => {
            application.with(|inside| inside.answer = Some(Err("failed")));
            assert_eq!(
                after_turns(leave.turns, future)
                    .expect("the error was held back")
                    .unwrap_err(),
                "failed"
            );
        }
        End::Vanishes => drop(future),
    }
    if plan.response_first {
        drop(response.take());
    }
    if let Some(request) = &mut held {
        poll(request, plan.later_polls);
    }
}

/// Polls until so many turns are over, and drops the future.
fn after_turns<F: Future>(turns: usize, mut future: Pin<Box<F>>) -> Option<F::Output> {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..turns {
        assert!(future.as_mut().poll(&mut cx).is_pending(), "without a turn");
    }
    match future.as_mut().poll(&mut cx) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
