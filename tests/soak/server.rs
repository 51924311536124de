//! The server: rejects `/rejected`, reads all of `/accepted`.

use axum::{
    body::Body, extract::Request, http::StatusCode, routing::put, serve::ListenerExt, Router,
};
use http_body_util::BodyExt;
use tower_expect::{ExpectLayer, Rejection, RequestHead};

use crate::process;

pub(crate) fn run() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback");
        let address = listener.local_addr().expect("bound");
        process::announce(address);
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, app())
            .await
            .expect("runs until killed");
    });
}

fn app() -> Router {
    Router::new()
        .route("/accepted", put(accept))
        .route("/rejected", put(|| async { StatusCode::OK }))
        .layer(ExpectLayer::new(|head: &RequestHead| {
            match head.uri.path() {
                "/rejected" => Err(Rejection::unauthorized("Bearer")),
                _ => Ok(()),
            }
        }))
}

async fn accept(request: Request<Body>) -> StatusCode {
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return StatusCode::BAD_REQUEST;
        }
    }
    StatusCode::OK
}
