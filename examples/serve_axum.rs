//! An axum application on HTTP/1.1 and HTTP/2, with the 100 on both, the address of each client, a limit
//! of connections, and a shutdown that has a deadline.
//!
//! Run with `cargo run --features serve --example serve_axum`, and in another terminal:
//!
//! ```console
//! $ head -c 1000000 /dev/zero > file
//! $ curl -T file http://127.0.0.1:3000/upload                          # 200, by HTTP/1.1
//! $ curl --http2-prior-knowledge -T file http://127.0.0.1:3000/upload  # 200, by HTTP/2
//! $ nghttp -v --expect-continue -d file http://127.0.0.1:3000/upload   # 100, then 200
//! $ head -c 2000000 /dev/zero > file
//! $ nghttp -v --expect-continue -d file http://127.0.0.1:3000/upload   # 413, before any of the body
//! ```
//!
//! It ends with Ctrl-C. An upload that is under way is finished if that takes at most 10 s:
//!
//! ```console
//! $ curl --limit-rate 200K -T file http://127.0.0.1:3000/upload        # takes 5 s
//! ```

use std::{net::SocketAddr, time::Duration};

use axum::{body::Bytes, extract::ConnectInfo, http::Version, routing::any, Router};
use tokio::net::TcpListener;
use tower_expect::{rules, Event, ExpectLayer};

const LIMIT: u64 = 1 << 20;

/// The first poll of the body, by the extractor, sends the 100. The layer counts bodies without a
/// `Content-Length`, and the response is 413 beyond the limit.
async fn upload(
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    version: Version,
    body: Bytes,
) -> String {
    let (length, client) = (body.len(), client.ip());
    format!("{length} bytes by {version:?} from {client}\n")
}

fn app() -> Router {
    Router::new()
        .route("/upload", any(upload))
        .layer(ExpectLayer::new(rules::content_length(..=LIMIT)))
}

/// Prints what an operator wants to know; the feature `tracing` logs it as well.
fn log(event: &Event) {
    match event {
        Event::AcceptFailed { message, .. } => eprintln!("cannot accept: {message}"),
        Event::MaxConnections { .. } => eprintln!("too many connections: accepting pauses"),
        Event::Disconnected {
            end,
            message: Some(message),
            ..
        } => eprintln!("connection {end}: {message}"),
        _ => {}
    }
}

pub(crate) async fn serve(listener: TcpListener) -> std::io::Result<()> {
    tower_expect::serve(listener, app())
        .with_connect_info(ConnectInfo)
        .max_connections(1024)
        .observe(log)
        .with_graceful_shutdown(async {
            // An error means that Ctrl-C is not available. Then nothing ends the server.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
        .graceful_timeout(Duration::from_secs(10))
        .await
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener).await
}
