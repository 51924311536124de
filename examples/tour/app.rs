//! The server: one upload route with the layer around it.

use std::{io, net::SocketAddr, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
    routing::put,
    serve::ListenerExt,
    Router,
};
use http_body_util::BodyExt;
use tokio::{net::TcpListener, time::sleep};
use tower_expect::{rules, ExpectLayer, Rejection};

use super::exchange::MIB;

/// What the handler needs before it reads.
pub(crate) const PREPARATION: Duration = Duration::from_millis(300);

pub(crate) fn app() -> Router {
    let address = "https://files.example/upload";
    let moved = Rejection::redirect(StatusCode::PERMANENT_REDIRECT, address);
    let rule = rules::when(|head| head.uri.path() == "/old", moved)
        .and(rules::bearer_token("s3cr3t"))
        .and(rules::content_type(["image/*"]))
        .and(rules::content_length(..=MIB as u64));
    Router::new()
        .route("/upload", put(upload))
        .layer(ExpectLayer::new(rule))
}

async fn upload(mut body: Body) -> Result<String, StatusCode> {
    sleep(PREPARATION).await;
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        received += frame.data_ref().map_or(0, Bytes::len);
    }
    Ok(format!("received {received} bytes\n"))
}

/// Serves the app on a free port of the loopback interface.
pub(crate) async fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|socket| {
        let _ = socket.set_nodelay(true);
    });
    tokio::spawn(async { axum::serve(listener, app()).await });
    Ok(address)
}
