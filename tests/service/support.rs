//! Bodies that tell what is done to them, and a request that is on its way.

use std::{
    convert::Infallible,
    future::{Future, Ready},
    pin::Pin,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{header::CONNECTION, request, Request, Response, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio_test::{assert_ready, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt};
use tower_expect::{
    ContinueSignal, ExpectBody, ExpectLayer, ResponseBody, ResponseFuture, Validator,
};
use tower_test::mock::{self, SendResponse};

/// A body that must be left alone.
pub(crate) struct PanicBody {
    pub(crate) ended: bool,
}

impl Body for PanicBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        panic!("the body was polled");
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

/// The error of a [`FedBody`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Broken {}

/// A body that yields what its [`Feed`] sends, and ends when the feed is dropped.
pub(crate) struct FedBody {
    items: UnboundedReceiver<Result<Frame<Bytes>, Broken>>,
    /// How many bytes are still to come, if it knows.
    left: Option<u64>,
    trace: Arc<Trace>,
}

#[derive(Default)]
struct Trace {
    polls: AtomicUsize,
    drops: AtomicUsize,
}

/// The client's side of a [`FedBody`].
pub(crate) struct Feed {
    items: Option<UnboundedSender<Result<Frame<Bytes>, Broken>>>,
    trace: Arc<Trace>,
}

pub(crate) fn fed() -> (Feed, FedBody) {
    fed_of(None)
}

/// A body that knows its length, in bytes.
pub(crate) fn fed_of(left: Option<u64>) -> (Feed, FedBody) {
    let (sender, items) = unbounded_channel();
    let trace = Arc::<Trace>::default();
    let feed = Feed {
        items: Some(sender),
        trace: Arc::clone(&trace),
    };
    (feed, FedBody { items, left, trace })
}

impl Feed {
    pub(crate) fn data(&self, length: usize) {
        self.item(Ok(Frame::data(Bytes::from(vec![b'x'; length]))));
    }

    pub(crate) fn item(&self, item: Result<Frame<Bytes>, Broken>) {
        let items = self.items.as_ref().expect("the body has not ended");
        // Nobody may be there to take it any more.
        let _ = items.send(item);
    }

    pub(crate) fn end(&mut self) {
        self.items = None;
    }

    pub(crate) fn polls(&self) -> usize {
        self.trace.polls.load(Ordering::SeqCst)
    }

    pub(crate) fn drops(&self) -> usize {
        self.trace.drops.load(Ordering::SeqCst)
    }
}

impl Body for FedBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.trace.polls.fetch_add(1, Ordering::SeqCst);
        let polled = self.items.poll_recv(cx);
        if let (Some(left), Poll::Ready(Some(Ok(frame)))) = (&mut self.left, &polled) {
            *left -= frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl Drop for FedBody {
    fn drop(&mut self) {
        self.trace.drops.fetch_add(1, Ordering::SeqCst);
    }
}

/// Counts its drops.
pub(crate) struct Counted(pub(crate) Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A counter, and a handle to read it by.
pub(crate) fn counter() -> (Arc<AtomicUsize>, impl Fn() -> usize) {
    let counter = Arc::<AtomicUsize>::default();
    let reader = Arc::clone(&counter);
    (counter, move || reader.load(Ordering::SeqCst))
}

/// A signal, and how often it has sent.
pub(crate) fn counted_signal() -> (ContinueSignal, impl Fn() -> usize) {
    let (sent, count) = counter();
    let signal = ContinueSignal::new(move || {
        sent.fetch_add(1, Ordering::SeqCst);
    });
    (signal, count)
}

pub(crate) fn post(version: Version) -> request::Builder {
    Request::post("/").version(version)
}

pub(crate) fn expecting(version: Version) -> request::Builder {
    post(version).header("expect", "100-continue")
}

pub(crate) fn reply() -> Response<Full<Bytes>> {
    Response::new(Full::from("ok"))
}

/// A request that the inner service has, and has not answered.
pub(crate) struct InFlight<B, R: Body> {
    pub(crate) request: Request<ExpectBody<B>>,
    pub(crate) respond: SendResponse<Response<R>>,
    pub(crate) future: task::Spawn<ResponseFuture<mock::future::ResponseFuture<Response<R>>>>,
}

pub(crate) fn start<V, B, R>(layer: &ExpectLayer<V>, request: Request<B>) -> InFlight<B, R>
where
    V: Validator,
    B: Body + Send + Unpin + 'static,
    R: Body,
{
    let (mut service, mut handle) = mock::spawn_layer(layer.clone());
    assert_ready_ok!(service.poll_ready());
    let future = task::spawn(service.call(request));
    let inner = assert_ready!(handle.poll_request());
    let (request, respond) = inner.expect("the inner service was not called");
    InFlight {
        request,
        respond,
        future,
    }
}

/// An inner service that must be left alone.
#[derive(Clone)]
pub(crate) struct NotCalled;

impl<B> Service<Request<B>> for NotCalled {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        panic!("the inner service was called");
    }
}

/// What the future gives, and how many turns it leaves to the connection before: one at most, for which
/// it is woken.
pub(crate) fn leave<F: Future>(future: &mut task::Spawn<F>) -> (F::Output, usize) {
    if let Poll::Ready(output) = future.poll() {
        return (output, 0);
    }
    assert!(future.is_woken(), "it waits for more than a turn");
    (assert_ready!(future.poll()), 1)
}

/// The same for a response whose body is still held, and may be asked for by another task: that is waited
/// for, for ten milliseconds.
#[cfg(feature = "tokio")]
pub(crate) async fn leave_in_time<F: Future>(future: &mut task::Spawn<F>) -> (F::Output, usize) {
    let polled = future.poll();
    match polled {
        Poll::Ready(output) => return (output, 0),
        Poll::Pending if future.is_woken() => return (assert_ready!(future.poll()), 1),
        Poll::Pending => {}
    }
    pass(9).await;
    assert!(future.poll().is_pending(), "not waited for");
    pass(1).await;
    leave(future)
}

/// The response of a layer that rejects the request.
pub(crate) fn rejected<V, B>(
    layer: &ExpectLayer<V>,
    request: Request<B>,
) -> Response<ResponseBody<Full<Bytes>>>
where
    V: Validator,
    B: Body + Send + Unpin + 'static,
{
    within_a_turn(layer.layer(NotCalled), request)
}

/// The response of a service that leaves the connection a turn at most.
pub(crate) fn within_a_turn<S, B, R>(service: S, request: Request<B>) -> Response<R>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
{
    let (response, _) = leave(&mut task::spawn(service.oneshot(request)));
    response.unwrap_or_else(|never| match never {})
}

/// The response of a service that is ready, and responds, at once.
pub(crate) fn at_once<S, B, R>(service: S, request: Request<B>) -> Response<R>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
{
    assert_ready_ok!(task::spawn(service.oneshot(request)).poll())
}

/// The content of a body that is there at once.
pub(crate) fn content<B>(body: B) -> Bytes
where
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    assert_ready_ok!(task::spawn(body.collect()).poll()).to_bytes()
}

/// The one `Connection` line.
pub(crate) fn connection<B>(response: &Response<B>) -> Option<&str> {
    let mut lines = response.headers().get_all(CONNECTION).iter();
    let first = lines.next()?;
    assert!(lines.next().is_none(), "more than one line");
    Some(first.to_str().unwrap())
}

/// Lets virtual time pass, and all tasks do what falls due meanwhile.
#[cfg(feature = "tokio")]
pub(crate) async fn pass(milliseconds: u64) {
    tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
}
