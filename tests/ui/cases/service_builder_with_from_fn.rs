use axum::{body::Body, middleware::{from_fn, Next}, response::Response, Router};
use http::Request;
use tower::ServiceBuilder;
use tower_expect::ExpectLayer;

async fn log(request: Request<Body>, next: Next) -> Response {
    next.run(request).await
}

fn main() {
    let layers = ServiceBuilder::new()
        .layer(ExpectLayer::default())
        .layer(from_fn(log));
    let _: Router = Router::new().layer(layers);
}
