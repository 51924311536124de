//! The smallest axum application that takes uploads. The lines of `tower_expect` are left out for the
//! one without.

use axum::{routing::put, Router};
use tower_expect::{rules, ExpectLayer};

async fn store(content: String) -> String {
    format!("stored {} bytes\n", content.len())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new().route("/upload", put(store));
    let app = app.layer(ExpectLayer::new(rules::content_length(..=1 << 20))); // tower_expect
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    axum::serve(listener, app).await
}
