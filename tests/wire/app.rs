//! The service inside the layer: each path says what is done with the body.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{
    header::{EXPECT, UPGRADE},
    Request, Response, StatusCode,
};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tokio::{sync::Semaphore, task::yield_now, time::sleep};
use tower::Service;

use crate::support::soon;

pub(crate) type Answer = Response<Full<Bytes>>;

#[derive(Clone)]
pub(crate) struct App(Arc<State>);

struct State {
    calls: AtomicUsize,
    hidden: AtomicUsize,
    entered: Semaphore,
    gate: Semaphore,
}

impl App {
    pub(crate) fn new() -> Self {
        Self(Arc::new(State {
            calls: AtomicUsize::new(0),
            hidden: AtomicUsize::new(0),
            entered: Semaphore::new(0),
            gate: Semaphore::new(0),
        }))
    }

    /// How many requests have reached the service.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// How many of them were for `/hidden`.
    pub(crate) fn hidden(&self) -> usize {
        self.0.hidden.load(Ordering::SeqCst)
    }

    /// Waits until a handler stands at the gate, its body untouched.
    pub(crate) async fn entered(&self) {
        let permit = soon("no handler at the gate", self.0.entered.acquire()).await;
        permit.unwrap().forget();
    }

    pub(crate) fn open_gate(&self) {
        self.0.gate.add_permits(1);
    }

    /// A place to wait until [`Self::open_gate`] for other code than this service.
    pub(crate) async fn stand_at_gate(self) {
        self.0.entered.add_permits(1);
        self.0.gate.acquire().await.unwrap().forget();
    }

    pub(crate) fn count(&self) {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
    }

    async fn answer<B>(self, request: Request<B>) -> Answer
    where
        B: Body + Send + Unpin + 'static,
        B::Data: Send,
        B::Error: Send,
    {
        self.count();
        let expect = request.headers().get(EXPECT).cloned();
        let path = request.uri().path().to_owned();
        let mut body = request.into_body();
        match path.as_str() {
            "/sink" => read_all(body).await,
            "/expect" => {
                read_all(body).await;
                let expect = expect.map_or(Bytes::new(), |value| value.as_bytes().to_vec().into());
                answer(StatusCode::OK, expect)
            }
            "/gated" => {
                self.stand_at_gate().await;
                read_all(body).await
            }
            "/early" => answer(StatusCode::CONFLICT, "unread"),
            "/early-later" => {
                drop(body);
                yield_now().await;
                answer(StatusCode::CONFLICT, "unread")
            }
            "/one-frame" => {
                body.frame().await;
                answer(StatusCode::CONFLICT, "read in part")
            }
            "/held" => {
                tokio::spawn(async move {
                    sleep(Duration::from_millis(30)).await;
                    drop(body);
                });
                answer(StatusCode::ACCEPTED, "held")
            }
            "/late" => {
                tokio::spawn(async move {
                    sleep(Duration::from_millis(30)).await;
                    _ = body.collect().await;
                });
                answer(StatusCode::ACCEPTED, "late")
            }
            "/never" => std::future::pending().await,
            "/upgrade" => {
                let mut response = read_all(body).await;
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                *response.body_mut() = Full::default();
                let headers = response.headers_mut();
                headers.insert(UPGRADE, "echo".parse().unwrap());
                headers.insert("connection", "upgrade".parse().unwrap());
                response
            }
            "/hidden" => {
                self.0.hidden.fetch_add(1, Ordering::SeqCst);
                answer(StatusCode::OK, "hidden")
            }
            _ => answer(StatusCode::NOT_FOUND, "no such path"),
        }
    }
}

async fn read_all<B: Body>(body: B) -> Answer {
    match body.collect().await {
        Ok(body) => answer(StatusCode::OK, body.to_bytes().len().to_string()),
        Err(_) => answer(StatusCode::BAD_REQUEST, "incomplete"),
    }
}

pub(crate) fn answer(status: StatusCode, content: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(content.into()));
    *response.status_mut() = status;
    response
}

impl<B> Service<Request<B>> for App
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let answer = self.clone().answer(request);
        Box::pin(async { Ok(answer.await) })
    }
}
