//! The client's half, on a connection of hyper's client to a server that answers from memory.

mod server;

use std::{
    cell::RefCell,
    future::Future,
    hint::black_box,
    pin::{pin, Pin},
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::http1::{handshake, Connection, SendRequest},
};
use tower::{layer::util::Identity, Layer, Service};
use tower_expect::client::ExpectContinueLayer;

use self::server::Server;
use super::{
    exchange::{Exchange, WAKER},
    in_runtime::in_runtime,
    requests::{get, put},
    Case, BARE_CLIENT,
};

type Upload = Full<Bytes>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn cases() -> Vec<Case> {
    let case = |scenario, layer, build| Case {
        scenario,
        layer,
        build,
    };
    let (reading, uploading) = ("Client, GET", "Client, PUT");
    vec![
        case(reading, BARE_CLIENT, || on_hyper(&Identity::new(), get)),
        case(reading, "ExpectContinueLayer", || on_hyper(&layer(), get)),
        case(uploading, BARE_CLIENT, || on_hyper(&Identity::new(), put)),
        // Shorter than `min_length`.
        case(uploading, "ExpectContinueLayer, not asking", || {
            on_hyper(&layer(), put)
        }),
        case(uploading, "ExpectContinueLayer, continued", || {
            on_hyper(&layer().min_length(0), put)
        }),
    ]
}

fn layer() -> ExpectContinueLayer {
    ExpectContinueLayer::new()
}

fn on_hyper<L, B, R>(layer: &L, request: fn() -> Request<Upload>) -> Box<dyn Exchange>
where
    L: Layer<Sender<B>>,
    L::Service: Service<Request<Upload>, Response = Response<R>, Error = hyper::Error> + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let opening = pin!(handshake(Server::default()));
    let Poll::Ready(Ok((sender, connection))) = opening.poll(&mut context()) else {
        panic!("a handshake that waits for nothing");
    };
    // Its timers are for bodies that ask.
    in_runtime(Box::new(Client {
        service: layer.layer(Sender(Rc::new(RefCell::new(sender)))),
        connection,
        make: request,
        requests: Vec::new(),
    }))
}

fn context() -> Context<'static> {
    Context::from_waker(&WAKER)
}

/// hyper's own, as a service that can be cloned.
struct Sender<B>(Rc<RefCell<SendRequest<B>>>);

impl<B> Clone for Sender<B> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<B: Body + 'static> Service<Request<B>> for Sender<B> {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.0.borrow_mut().poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(self.0.borrow_mut().send_request(request))
    }
}

struct Client<S, B: Body<Data = Bytes, Error: Into<BoxError>> + 'static> {
    service: S,
    connection: Connection<Server, B>,
    make: fn() -> Request<Upload>,
    requests: Vec<Request<Upload>>,
}

impl<S, B, R> Exchange for Client<S, B>
where
    S: Service<Request<Upload>, Response = Response<R>, Error = hyper::Error>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    fn prepare(&mut self, requests: usize) {
        self.requests.extend((0..requests).map(|_| (self.make)()));
    }

    // The task of the connection and that of its caller take turns.
    #[inline(never)]
    fn run(&mut self) {
        let request = self.requests.pop().expect("a request was prepared");
        let mut turn = || {
            let polled = Pin::new(&mut self.connection).poll(&mut context());
            assert!(polled.is_pending(), "the connection has ended");
        };
        turn();
        let ready = self.service.poll_ready(&mut context());
        assert!(ready.is_ready(), "the connection was not ready");
        let mut future = pin!(self.service.call(request));
        for _ in 0..TURNS {
            let polled = black_box(future.as_mut()).poll(&mut context());
            if let Poll::Ready(response) = polled {
                let response = response.expect("a response");
                assert!(response.status().is_success(), "{}", response.status());
                return drop(black_box(response));
            }
            turn();
        }
        panic!("the response was not there after {TURNS} turns");
    }
}

/// For a body that asks: the head; then, told by the 100, the body; then the response.
const TURNS: usize = 4;
