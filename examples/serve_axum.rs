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

use axum::{body::Bytes, http::Version, routing::any, Router};
use tokio::net::TcpListener;
use tower_expect::{rules, ExpectLayer};

const LIMIT: u64 = 1 << 20;

/// The first poll of the body, by the extractor, sends the 100. What announces no length is counted by the
/// layer, and rejected with 413 past the limit.
async fn upload(version: Version, body: Bytes) -> String {
    let version = match version {
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1",
    };
    format!("{} bytes by {version}\n", body.len())
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
        .await
}
