//! Handlers that respond while they hold a body that has not been read: an echo, a relay, a call with a
//! stream in both directions. A client that sends nothing without a 100 must get one.

mod grpc;
mod http1;
mod http2;
mod programs;

use axum::{body::Body, response::Response, routing::post, Router};

use crate::stack::default;

/// The handlers with nothing around them.
fn handlers() -> Router {
    Router::new()
        .route("/echo", post(|body: Body| async { body }))
        .route("/relay", post(relay))
        .merge(grpc::routes())
}

fn app() -> Router {
    default(handlers())
}

async fn relay(body: Body) -> Response {
    Response::new(Body::from_stream(body.into_data_stream()))
}
