//! Layers nest: one for the whole app, and a stricter one for a single route.
//!
//! Run with `cargo run --example axum_routes`, and try
//!
//! ```text
//! head -c 5000000 /dev/urandom > some.bin
//! alias up="curl -sT some.bin -w '%{http_code}: %{size_upload} bytes sent\n'"
//! token='Authorization: Bearer s3cr3t' png='Content-Type: image/png'
//!
//! up http://127.0.0.1:3000/files                               # 401 from the outer layer
//! up -H "$token" http://127.0.0.1:3000/files                   # 200
//! up -H "$token" http://127.0.0.1:3000/avatar                  # 415 from the inner layer
//! up -H "$token" -H "$png" http://127.0.0.1:3000/avatar        # 413 from the inner layer
//! truncate -s 50k some.bin
//! up -H "$token" -H "$png" http://127.0.0.1:3000/avatar        # 200
//! truncate -s 50M some.bin
//! up -H "$token" http://127.0.0.1:3000/files                   # 413 from the outer layer
//! ```

use std::{env, io};

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
    routing::{get, put},
    serve::ListenerExt,
    Router,
};
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tower_expect::{rules, ExpectLayer};

pub(crate) fn app() -> Router {
    let everywhere =
        rules::bearer_token("s3cr3t").and(rules::content_length(..=10 << 20).required());
    let avatars =
        rules::content_type(["image/png", "image/jpeg"]).and(rules::content_length(1..=100 << 10));
    Router::new()
        .route("/files", put(upload))
        .route(
            "/avatar",
            put(upload).route_layer(ExpectLayer::new(avatars)),
        )
        .layer(ExpectLayer::new(everywhere))
        // Routes added below are outside of the layer.
        .route(
            "/",
            get(|| async { "PUT something to /files or /avatar\n" }),
        )
}

async fn upload(mut body: Body) -> Result<String, StatusCode> {
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        received += frame.data_ref().map_or(0, Bytes::len);
    }
    Ok(format!("received {received} bytes\n"))
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:3000")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|socket| {
        let _ = socket.set_nodelay(true);
    });
    axum::serve(listener, app()).await
}
