//! Layers of tower and tower-http that respond, replace, delay, collect or drop.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body, error_handling::HandleErrorLayer, extract::Request, response::Response, Router,
};
use http::{
    header::{AUTHORIZATION, CONNECTION},
    HeaderValue, StatusCode,
};
use tower::{
    buffer::BufferLayer, filter::FilterLayer, layer::layer_fn, limit::ConcurrencyLimitLayer,
    load_shed::LoadShedLayer, spawn_ready::SpawnReadyLayer, timeout::TimeoutLayer, BoxError,
    Service, ServiceBuilder,
};
use tower_http::{
    auth::AsyncRequireAuthorizationLayer,
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    cors::CorsLayer,
    csrf::CsrfLayer,
    decompression::RequestDecompressionLayer,
    limit::RequestBodyLimitLayer,
    map_response_body::MapResponseBodyLayer,
    set_header::SetResponseHeaderLayer,
    set_status::SetStatusLayer,
    timeout::ResponseBodyTimeoutLayer,
    trace::TraceLayer,
    validate_request::{AcceptHeader, ValidateRequestHeaderLayer},
};

const DELAY: Duration = Duration::from_millis(20);

/// Makes a response of a layer's error.
macro_rules! fails_with {
    ($status:expr) => {
        HandleErrorLayer::new(|_: BoxError| async { $status })
    };
}

pub(crate) fn handle_error_timeout(app: Router) -> Router {
    let layers = ServiceBuilder::new().layer(fails_with!(StatusCode::GATEWAY_TIMEOUT));
    app.layer(layers.layer(TimeoutLayer::new(DELAY)))
}

pub(crate) fn timeout(app: Router) -> Router {
    let status = StatusCode::REQUEST_TIMEOUT;
    app.layer(tower_http::timeout::TimeoutLayer::with_status_code(
        status, DELAY,
    ))
}

pub(crate) fn catch_panic(app: Router) -> Router {
    app.layer(CatchPanicLayer::new())
}

pub(crate) fn compression(app: Router) -> Router {
    app.layer(CompressionLayer::new())
}

pub(crate) fn body_limit(app: Router) -> Router {
    app.layer(RequestBodyLimitLayer::new(10))
}

pub(crate) fn validate_request(app: Router) -> Router {
    type Layer = ValidateRequestHeaderLayer<AcceptHeader<Body>>;
    app.layer(Layer::accept("application/json"))
}

pub(crate) fn async_authorization(app: Router) -> Router {
    let check = |request: Request| async {
        tokio::time::sleep(DELAY / 4).await;
        match request.headers().contains_key(AUTHORIZATION) {
            true => Ok(request),
            false => Err(status(StatusCode::UNAUTHORIZED)),
        }
    };
    app.layer(AsyncRequireAuthorizationLayer::new(check))
}

pub(crate) fn csrf(app: Router) -> Router {
    app.layer(CsrfLayer::new())
}

pub(crate) fn request_decompression(app: Router) -> Router {
    app.layer(RequestDecompressionLayer::new())
}

pub(crate) fn cors(app: Router) -> Router {
    app.layer(CorsLayer::permissive())
}

pub(crate) fn set_status(app: Router) -> Router {
    app.layer(SetStatusLayer::new(StatusCode::NOT_FOUND))
}

pub(crate) fn set_header(app: Router) -> Router {
    let keep_alive = HeaderValue::from_static("keep-alive");
    app.layer(SetResponseHeaderLayer::overriding(CONNECTION, keep_alive))
}

pub(crate) fn map_response_body(app: Router) -> Router {
    app.layer(MapResponseBodyLayer::new(|_: Body| Body::from("replaced")))
}

pub(crate) fn response_body_timeout(app: Router) -> Router {
    app.layer(ResponseBodyTimeoutLayer::new(DELAY))
}

pub(crate) fn trace(app: Router) -> Router {
    app.layer(TraceLayer::new_for_http())
}

pub(crate) fn buffer(app: Router) -> Router {
    let layers = ServiceBuilder::new().layer(fails_with!(StatusCode::SERVICE_UNAVAILABLE));
    app.layer(layers.layer(BufferLayer::new(64)))
}

pub(crate) fn spawn_ready(app: Router) -> Router {
    let layers = ServiceBuilder::new().layer(fails_with!(StatusCode::SERVICE_UNAVAILABLE));
    app.layer(
        layers
            .layer(BufferLayer::new(64))
            .layer(SpawnReadyLayer::new()),
    )
}

/// Sheds everything.
pub(crate) fn load_shed(app: Router) -> Router {
    let layers = ServiceBuilder::new().layer(fails_with!(StatusCode::SERVICE_UNAVAILABLE));
    app.layer(
        layers
            .layer(LoadShedLayer::new())
            .layer(ConcurrencyLimitLayer::new(0)),
    )
}

pub(crate) fn concurrency_limit(app: Router) -> Router {
    app.layer(ConcurrencyLimitLayer::new(4))
}

pub(crate) fn filter(app: Router) -> Router {
    let layers = ServiceBuilder::new().layer(fails_with!(StatusCode::FORBIDDEN));
    let check = |request: Request| match request.headers().contains_key(AUTHORIZATION) {
        true => Ok(request),
        false => Err(BoxError::from("no token")),
    };
    app.layer(layers.layer(FilterLayer::new(check)))
}

/// Runs the service in a task of its own.
pub(crate) fn spawn(app: Router) -> Router {
    app.layer(layer_fn(Spawn))
}

#[derive(Clone)]
struct Spawn<S>(S);

impl<S> Service<Request> for Spawn<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let response = tokio::spawn(self.0.call(request));
        Box::pin(async { response.await.expect("no panic") })
    }
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::from("a layer's own response"));
    *response.status_mut() = status;
    response
}
