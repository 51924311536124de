//! Handlers that respond while they hold a body that has not been read: an echo, a relay, a call with a
//! stream in both directions. A client that sends nothing without a 100 must get one.

mod grpc;
mod http1;
mod http2;
mod programs;

use axum::{body::Body, response::Response, routing::post, Router};
use tokio::sync::mpsc;
use tokio_stream::{wrappers::ReceiverStream, StreamExt};

use crate::stack::default;

/// The handlers with nothing around them.
fn handlers() -> Router {
    Router::new()
        .route("/echo", post(|body: Body| async { body }))
        .route("/relay", post(relay))
        .route("/relay-by-task", post(relay_by_task))
        .merge(grpc::routes())
}

fn app() -> Router {
    default(handlers())
}

/// Another task reads what the response then gives.
async fn relay_by_task(body: Body) -> Response {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        let mut data = body.into_data_stream();
        while let Some(data) = data.next().await {
            if sender.send(data).await.is_err() {
                return;
            }
        }
    });
    Response::new(Body::from_stream(ReceiverStream::new(receiver)))
}

async fn relay(body: Body) -> Response {
    Response::new(Body::from_stream(body.into_data_stream()))
}
