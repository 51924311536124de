//! The application behind each guard, and what it sees.

use std::{
    convert::Infallible,
    error::Error,
    future::IntoFuture,
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
    util::{BoxCloneSyncService, MapRequestLayer, ServiceExt},
    Layer, Service,
};
use tower_expect::ExpectLayer;

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
        for when in WHENS {
            for guard in &GUARDS {
                let layer = quick(ExpectLayer::new(guard.rule())).validate_when(when);
                let seen = Arc::clone(&seen);
                let handler = service_fn(move |request| read(Arc::clone(&seen), request));
                let inner = MapRequestLayer::new(|request: Request<_>| request.map(Body::new));
                let service = layer.layer(inner.layer(handler));
                let service = service.map_response(|response| response.map(Body::new));
                guarded.push(BoxCloneSyncService::new(service));
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

fn is_of_the_limit(error: &axum::Error) -> bool {
    matches!(error.source(), Some(source) if source.is::<LengthLimitError>())
}

async fn read(
    seen: Arc<Mutex<Vec<Seen>>>,
    request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    let number = number(request.headers(), "x-cell");
    let note = |act: fn(&mut Seen, u64), bytes| {
        act(&mut seen.lock().unwrap()[number], bytes);
    };
    note(|seen, _| seen.calls += 1, 0);
    let mut body = request.into_body();
    let mut status = StatusCode::OK;
    // Whoever goes on after an error must not get anything, either.
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                note(|seen, bytes| seen.bytes += bytes, bytes);
            }
            Err(error) if is_of_the_limit(&error) => {
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
