//! The application behind each guard, and what it sees.

use std::{
    convert::Infallible,
    error::Error,
    future::{ready, Future, IntoFuture},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
    serve::ListenerExt,
};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, LengthLimitError};
use tower::{
    make::Shared,
    service_fn,
    util::{BoxCloneSyncService, ServiceExt},
    Layer, Service,
};
use tower_expect::{ExpectBody, ExpectLayer, RequestHead, Validator};

use crate::{
    cell::{GUARDS, WHENS},
    support::{listen, quick},
};

/// What has reached the application of one request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) calls: usize,
    pub(crate) bytes: u64,
}

type Guarded = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// The application behind each guard, for each time to ask it.
#[derive(Clone)]
pub(crate) struct App {
    seen: Arc<Mutex<Vec<Seen>>>,
    guarded: Arc<Vec<Guarded>>,
}

impl App {
    /// For so many requests.
    pub(crate) fn new(requests: usize) -> Self {
        let seen = Arc::new(Mutex::new(vec![Seen::default(); requests]));
        let mut guarded = Vec::new();
        for (number, when) in WHENS.into_iter().enumerate() {
            for (guard, place) in GUARDS.iter().zip(number..) {
                let handler = read(&seen);
                // Each guard at one time as an asynchronous validator, at another not.
                guarded.push(if place % 2 == 0 {
                    let layer = quick(ExpectLayer::new(guard.rule()));
                    boxed(layer.validate_when(when).layer(handler))
                } else {
                    let rule = guard.rule();
                    let asked = move |head: &RequestHead| ready(rule.validate(head));
                    let layer = quick(ExpectLayer::new_async(asked));
                    boxed(layer.validate_when(when).layer(handler))
                });
            }
        }
        Self {
            seen,
            guarded: Arc::new(guarded),
        }
    }

    pub(crate) fn seen(&self, number: usize) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)[number]
    }

    fn service<B>(
        &self,
    ) -> impl Service<Request<B>, Response = Response<Body>, Error = Infallible, Future = impl Send>
           + Clone
           + Send
           + 'static
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let app = self.clone();
        service_fn(move |request: Request<B>| {
            let headers = request.headers();
            let guard = number(headers, "x-when") * GUARDS.len() + number(headers, "x-guard");
            let guarded = app.guarded[guard].clone();
            guarded.oneshot(request.map(Body::new))
        })
    }

    pub(crate) async fn under_axum(&self) -> SocketAddr {
        let (listener, address) = listen().await;
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        tokio::spawn(axum::serve(listener, Shared::new(self.service())).into_future());
        address
    }

    pub(crate) async fn under_serve(&self) -> SocketAddr {
        let (listener, address) = listen().await;
        tokio::spawn(tower_expect::serve(listener, self.service()).into_future());
        address
    }
}

fn number(headers: &HeaderMap, name: &str) -> usize {
    headers[name].to_str().unwrap().parse().unwrap()
}

fn boxed<S, R>(service: S) -> Guarded
where
    S: Service<Request<Body>, Response = Response<R>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<Box<dyn Error + Send + Sync>>,
{
    BoxCloneSyncService::new(service.map_response(|response| response.map(Body::new)))
}

/// The application, which goes on reading after an error: it must not get anything then, either.
fn read(
    seen: &Arc<Mutex<Vec<Seen>>>,
) -> impl Service<
    Request<ExpectBody<Body>>,
    Response = Response<Body>,
    Error = Infallible,
    Future = impl Future<Output = Result<Response<Body>, Infallible>> + Send,
> + Clone
       + Send
       + Sync
       + 'static {
    let seen = Arc::clone(seen);
    service_fn(move |request| note(Arc::clone(&seen), request))
}

async fn note(
    seen: Arc<Mutex<Vec<Seen>>>,
    request: Request<ExpectBody<Body>>,
) -> Result<Response<Body>, Infallible> {
    let number = number(request.headers(), "x-cell");
    let note = |act: fn(&mut Seen, u64), bytes| act(&mut seen.lock().unwrap()[number], bytes);
    note(|seen, _| seen.calls += 1, 0);
    let mut body = request.into_body();
    let mut status = StatusCode::OK;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                note(|seen, bytes| seen.bytes += bytes, bytes);
            }
            Err(error) if error.is::<LengthLimitError>() => {
                status = StatusCode::PAYLOAD_TOO_LARGE;
            }
            Err(_) if status == StatusCode::OK => {
                status = StatusCode::BAD_REQUEST;
                break;
            }
            Err(_) => break,
        }
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    Ok(response)
}
