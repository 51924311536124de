//! Readiness, and what passes through unchanged.

use std::{
    convert::Infallible,
    future::{ready, Ready},
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use http::{Request, Response, Version};
use http_body_util::Full;
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service};
use tower_expect::{Expect, ExpectBody, ExpectLayer, Rejection, RequestHead, ValidateWhen};
use tower_test::mock;

use crate::support::{expecting, leave, reply, within_a_turn, PanicBody};

const UNREAD: PanicBody = PanicBody { ended: false };

type Inner = Request<ExpectBody<PanicBody>>;
type Reply = Response<Full<bytes::Bytes>>;

fn only_known(head: &RequestHead) -> Result<(), Rejection> {
    match head.bearer() {
        Some("known") => Ok(()),
        _ => Err(Rejection::unauthorized("Bearer")),
    }
}

fn by(user: &str) -> Request<PanicBody> {
    let request = expecting(Version::HTTP_11).header("authorization", format!("Bearer {user}"));
    request.body(UNREAD).unwrap()
}

#[test]
fn readiness_is_that_of_the_inner_service() {
    let (mut service, mut handle) = mock::spawn_layer::<Inner, Reply, _>(ExpectLayer::default());
    handle.allow(0);
    assert_pending!(service.poll_ready::<Request<PanicBody>>());
    handle.allow(1);
    assert!(service.is_woken());
    assert_ready_ok!(service.poll_ready::<Request<PanicBody>>());
}

#[test]
fn an_error_of_readiness_passes_unchanged() {
    #[derive(Debug)]
    struct Rejects;

    impl Service<Inner> for Rejects {
        type Response = Reply;
        type Error = &'static str;
        type Future = Ready<Result<Reply, &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            Poll::Ready(Err("out of order"))
        }

        fn call(&mut self, _: Inner) -> Self::Future {
            unreachable!()
        }
    }

    let mut service = mock::Spawn::new(ExpectLayer::default().layer(Rejects));
    let error: &'static str = assert_ready_err!(service.poll_ready::<Request<PanicBody>>());
    assert_eq!(error, "out of order");
}

#[test]
fn an_inner_error_passes_unchanged() {
    fn error_of<S: Service<Request<PanicBody>, Error = &'static str>>(
        mut service: S,
    ) -> &'static str
    where
        S::Response: std::fmt::Debug,
    {
        let (result, _) = leave(&mut task::spawn(service.call(by("known"))));
        result.unwrap_err()
    }

    let inner = tower::service_fn(|_: Inner| ready(Err::<Reply, _>("broken")));
    let layer = ExpectLayer::new(only_known);
    assert_eq!(error_of(layer.layer(inner)), "broken");
    let layer = ExpectLayer::new_async(|head: &RequestHead| ready(only_known(head)));
    assert_eq!(error_of(layer.layer(inner)), "broken");
}

#[test]
fn an_infallible_service_stays_infallible() {
    fn takes<S: Service<Request<PanicBody>, Error = Infallible>>(_: &S) {}

    let inner = tower::service_fn(|_: Inner| ready(Ok::<_, Infallible>(reply())));
    takes(&ExpectLayer::new(only_known).layer(inner));
    takes(&ExpectLayer::new_async(|head: &RequestHead| ready(only_known(head))).layer(inner));
}

#[test]
fn after_a_rejection_the_next_request_works() {
    let layer = ExpectLayer::new(only_known);
    let (mut service, mut handle) = mock::spawn_layer::<Inner, Reply, _>(layer);
    handle.allow(1);
    for _ in 0..3 {
        assert_ready_ok!(service.poll_ready::<Request<PanicBody>>());
        let (response, _) = leave(&mut task::spawn(service.call(by("stranger"))));
        let response = response.unwrap();
        assert_eq!(response.status(), 401);
        assert_pending!(handle.poll_request());
    }
    assert_ready_ok!(service.poll_ready::<Request<PanicBody>>());
    let mut future = task::spawn(service.call(by("known")));
    let (_, respond) = assert_ready!(handle.poll_request()).unwrap();
    assert_pending!(future.poll());
    respond.send_response(reply());
    assert!(future.is_woken());
    assert_eq!(leave(&mut future).0.unwrap().status(), 200);
    assert_pending!(service.poll_ready::<Request<PanicBody>>());
}

#[test]
fn after_an_async_rejection_the_next_request_works() {
    let layer = ExpectLayer::new_async(|head: &RequestHead| ready(only_known(head)));
    let (mut service, mut handle) = mock::spawn_layer::<Inner, Reply, _>(layer);
    for _ in 0..3 {
        assert_ready_ok!(service.poll_ready::<Request<PanicBody>>());
        let (response, _) = leave(&mut task::spawn(service.call(by("stranger"))));
        let response = response.unwrap();
        assert_eq!(response.status(), 401);
        assert_pending!(handle.poll_request());
    }
    assert_ready_ok!(service.poll_ready::<Request<PanicBody>>());
    let mut future = task::spawn(service.call(by("known")));
    assert_pending!(future.poll());
    let (_, respond) = assert_ready!(handle.poll_request()).unwrap();
    respond.send_response(reply());
    assert_eq!(leave(&mut future).0.unwrap().status(), 200);
}

/// Numbers its instances, logs which one is called, and panics if that one was not made ready.
struct Numbered {
    number: usize,
    ready: bool,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    clones: Mutex<usize>,
    called: Mutex<Vec<usize>>,
}

impl Clone for Numbered {
    fn clone(&self) -> Self {
        let mut clones = self.log.clones.lock().unwrap();
        *clones += 1;
        Self {
            number: *clones,
            ready: false,
            log: Arc::clone(&self.log),
        }
    }
}

impl Service<Inner> for Numbered {
    type Response = Reply;
    type Error = Infallible;
    type Future = Ready<Result<Reply, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Inner) -> Self::Future {
        assert!(self.ready, "instance {} was not made ready", self.number);
        self.ready = false;
        self.log.called.lock().unwrap().push(self.number);
        ready(Ok(reply()))
    }
}

fn numbered() -> (Arc<Log>, Numbered) {
    let log = Arc::<Log>::default();
    let service = Numbered {
        number: 0,
        ready: false,
        log: Arc::clone(&log),
    };
    (log, service)
}

#[test]
fn an_async_validator_is_followed_by_a_call_of_the_very_instance_that_was_made_ready() {
    let (log, inner) = numbered();
    let decided = Arc::<Mutex<Vec<tokio::sync::oneshot::Sender<()>>>>::default();
    let senders = Arc::clone(&decided);
    let layer = ExpectLayer::new_async(move |_: &RequestHead| {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        senders.lock().unwrap().push(sender);
        async move {
            receiver.await.unwrap();
            Ok(())
        }
    });
    let mut service = mock::Spawn::new(layer.layer(inner));

    assert_ready_ok!(service.poll_ready::<Request<PanicBody>>());
    let mut first = task::spawn(service.call(by("known")));
    assert_pending!(first.poll());
    assert_ready_ok!(service.poll_ready::<Request<PanicBody>>());
    let mut second = task::spawn(service.call(by("known")));
    assert_pending!(second.poll());
    assert_eq!(*log.called.lock().unwrap(), [] as [usize; 0]);

    let mut decided = std::mem::take(&mut *decided.lock().unwrap());
    decided.pop().unwrap().send(()).unwrap();
    assert!(second.is_woken());
    leave(&mut second).0.unwrap();
    assert_eq!(*log.called.lock().unwrap(), [1]);
    decided.pop().unwrap().send(()).unwrap();
    leave(&mut first).0.unwrap();
    assert_eq!(*log.called.lock().unwrap(), [1, 0]);
}

#[test]
fn an_async_validator_that_is_not_asked_clones_nothing() {
    let (log, inner) = numbered();
    let layer =
        ExpectLayer::new_async(|_: &RequestHead| ready(Err::<(), _>(Rejection::forbidden())));
    let layer = layer.validate_when(ValidateWhen::HasBody);
    let mut service = mock::Spawn::new(layer.layer(inner));
    for expect in [None, Some("foo")] {
        assert_ready_ok!(service.poll_ready::<Request<PanicBody>>());
        let mut request = Request::new(PanicBody { ended: true });
        if let Some(expect) = expect {
            request
                .headers_mut()
                .insert("expect", expect.parse().unwrap());
        }
        let status = match expect {
            None => 200,
            Some(_) => 417,
        };
        let (response, _) = leave(&mut task::spawn(service.call(request)));
        assert_eq!(response.unwrap().status(), status);
    }
    assert_eq!(*log.called.lock().unwrap(), [0]);
    assert_eq!(*log.clones.lock().unwrap(), 0);
}

#[test]
fn a_synchronous_validator_needs_no_clone() {
    struct NotClone;

    impl Service<Inner> for NotClone {
        type Response = Reply;
        type Error = Infallible;
        type Future = Ready<Result<Reply, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Inner) -> Self::Future {
            ready(Ok(reply()))
        }
    }

    let service: Expect<NotClone, _> = ExpectLayer::new(only_known).layer(NotClone);
    let response = within_a_turn(service, by("known"));
    assert_eq!(response.status(), 200);
}
