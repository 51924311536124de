//! One request through one stack, as a server would send it.

use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll, Wake, Waker},
};

use http::{Request, Response};
use tower::Service;

/// Nothing here waits but for the turn that the layer leaves to the connection.
pub(super) static WAKER: LazyLock<Waker> = LazyLock::new(|| Waker::from(Arc::new(Unused)));

struct Unused;

impl Wake for Unused {
    fn wake(self: Arc<Self>) {}
}

/// A stack whose types are hidden from the measurement.
pub(crate) trait Exchange {
    /// Makes so many requests, outside of what is measured.
    fn prepare(&mut self, requests: usize);

    /// Sends one of them through the stack and drops the response.
    fn run(&mut self);
}

struct Stack<S, B, M> {
    service: S,
    make: M,
    requests: Vec<Request<B>>,
}

pub(crate) fn stack<S, B, R, M>(service: S, make: M) -> Box<dyn Exchange>
where
    S: Service<Request<B>, Response = Response<R>> + 'static,
    B: 'static,
    M: Fn() -> Request<B> + 'static,
{
    let requests = Vec::new();
    Box::new(Stack {
        service,
        make,
        requests,
    })
}

impl<S, B, R, M> Exchange for Stack<S, B, M>
where
    S: Service<Request<B>, Response = Response<R>>,
    M: Fn() -> Request<B>,
{
    fn prepare(&mut self, requests: usize) {
        self.requests.extend((0..requests).map(|_| (self.make)()));
    }

    fn run(&mut self) {
        let request = self.requests.pop().expect("a request was prepared");
        exchange(&mut self.service, request);
    }
}

/// The server's part. Not inlined, so that each stack is compiled as a server's connection task is,
/// with nothing known of the request.
#[inline(never)]
fn exchange<S, B, R>(service: &mut S, request: Request<B>)
where
    S: Service<Request<B>, Response = Response<R>>,
{
    let mut context = Context::from_waker(&WAKER);
    let ready = service.poll_ready(&mut context);
    assert!(ready.is_ready(), "the service was not ready");
    let mut future = pin!(service.call(request));
    let mut polled = black_box(future.as_mut()).poll(&mut context);
    if polled.is_pending() {
        // The layer lets the connection run once before it rejects an expecting request.
        polled = black_box(future.as_mut()).poll(&mut context);
    }
    match polled {
        Poll::Ready(Ok(response)) => drop(black_box(response)),
        _ => panic!("the response was not there at the second poll"),
    }
}
