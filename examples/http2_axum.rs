//! An axum application on HTTP/1.1 and HTTP/2, with the 100 on both.
//!
//! Run with `cargo run --features serve --example http2_axum`, and in another terminal:
//!
//! ```console
//! $ head -c 1000000 /dev/zero > file
//! $ nghttp -v --expect-continue -d file http://127.0.0.1:3000/upload   # 100, then 200
//! $ curl --http2-prior-knowledge -T file http://127.0.0.1:3000/upload  # 200
//! $ curl -T file http://127.0.0.1:3000/upload                          # 200, by HTTP/1.1
//! $ head -c 2000000 /dev/zero > file
//! $ nghttp -v --expect-continue -d file http://127.0.0.1:3000/upload   # 413, before any content
//! ```
//!
//! It ends with Ctrl-C, when what has begun is finished.

use axum::{
    body::Body,
    http::{Request, StatusCode, Version},
    routing::any,
    Router,
};
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tower_expect::{rules, ExpectLayer};

const LIMIT: u64 = 1 << 20;

async fn upload(request: Request<Body>) -> Result<String, StatusCode> {
    let version = match request.version() {
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1",
    };
    // The first poll sends the 100.
    let mut body = request.into_body();
    let mut len = 0;
    while let Some(frame) = body.frame().await {
        // Not whole: nothing may be stored.
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        len += frame.data_ref().map_or(0, |data| data.len() as u64);
        // Content of unannounced length is counted.
        if len > LIMIT {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
    }
    Ok(format!("{len} bytes by {version}\n"))
}

fn app() -> Router {
    Router::new()
        .route("/upload", any(upload))
        .layer(ExpectLayer::new(rules::content_length(..=LIMIT)))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    tower_expect::serve(listener, app())
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await;
    Ok(())
}
