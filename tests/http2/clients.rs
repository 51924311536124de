//! Clients that wait for the 100, over TLS: Java, Node.js and Go, where they are installed.
//!
//! Against hyper's HTTP/2 an accepted upload takes Go a second, its timer, and Java and Node.js for
//! ever.

use std::{future::IntoFuture, path::Path, process::Command, sync::Arc};

use axum::{body::Body, Router};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tower_expect::{rules, ExpectLayer};

use crate::{support::collect, tls::identity, tools::run};

const RUNS: usize = 10;
/// Little, so that the time is that of the waiting, not of TLS in a debug build.
const BYTES: usize = 128 << 10;

/// An axum app behind TLS.
async fn serve() -> u16 {
    let store = |body: Body| async { collect(body).await.expect("whole").len().to_string() };
    let rule = rules::bearer(|token| token == "s3cr3t");
    let app = Router::new().fallback(store).layer(ExpectLayer::new(rule));
    let acceptor = TlsAcceptor::from(Arc::new(identity().0));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    let server = tower_expect::serve(listener, app);
    let server = server.with_acceptor(move |tcp| acceptor.accept(tcp));
    tokio::spawn(server.into_future());
    port
}

/// Status and milliseconds of each upload; `None` if the client is not installed.
async fn upload(program: &[&str], file: &str, token: &str) -> Option<Vec<(String, u64)>> {
    let port = serve().await;
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("clients")
        .join(file);
    let mut command = Command::new(program[0]);
    // Go builds the program first, and wants a folder for what it has built.
    command.env("GO111MODULE", "off").env("GOFLAGS", "");
    command.env("GOCACHE", std::env::temp_dir().join("tower-expect-go"));
    command.args(&program[1..]).arg(file);
    command.arg(format!("https://localhost:{port}/"));
    command.args([&BYTES.to_string(), token, &RUNS.to_string()]);
    let printed = tokio::task::block_in_place(|| run(&mut command))?;
    let uploads = printed.lines().map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        assert_eq!(words[0], "HTTP_2", "{line}");
        (words[1].to_owned(), words[2].parse().expect("milliseconds"))
    });
    let uploads: Vec<_> = uploads.collect();
    assert_eq!(uploads.len(), RUNS, "{printed:?}");
    Some(uploads)
}

async fn assert_accepted(program: &[&str], file: &str) {
    let Some(uploads) = upload(program, file, "s3cr3t").await else {
        return;
    };
    assert!(
        uploads.iter().all(|(status, _)| status == "200"),
        "{uploads:?}"
    );
    // The first ones also start the client and make the connection.
    let fastest = uploads.iter().map(|(_, took)| *took).min();
    assert!(fastest < Some(100), "{uploads:?}");
}

async fn assert_rejected(program: &[&str], file: &str) {
    let Some(uploads) = upload(program, file, "wrong").await else {
        return;
    };
    assert!(
        uploads.iter().all(|(status, _)| status == "401"),
        "{uploads:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_uploads_after_its_100() {
    // A rejection over HTTP/2 hangs Java 17 whatever the server does (JDK-8286171).
    assert_accepted(&["java"], "Upload.java").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_uploads_after_its_100_and_sees_a_rejection() {
    assert_accepted(&["node"], "upload.mjs").await;
    assert_rejected(&["node"], "upload.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_uploads_after_its_100_and_sees_a_rejection() {
    assert_accepted(&["go", "run"], "upload.go").await;
    assert_rejected(&["go", "run"], "upload.go").await;
}
