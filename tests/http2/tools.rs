//! Clients from elsewhere: curl and nghttp, where they are installed.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use axum::{body::Body, Router};
use tokio::net::TcpListener;
use tower_expect::{rules, ExpectLayer};

use crate::{skip::note_skipped, support::collect};

async fn serve() -> SocketAddr {
    let store = |body: Body| async { collect(body).await.expect("whole").len().to_string() };
    let rule = rules::bearer(|token| token == "s3cr3t");
    let app = Router::new().fallback(store);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    let server = tower_expect::serve(listener, app.layer(ExpectLayer::new(rule)));
    tokio::spawn(std::future::IntoFuture::into_future(server));
    address
}

/// What the command prints, or `None` if there is none.
pub(crate) fn run(command: &mut Command) -> Option<String> {
    match command.output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) => {
            note_skipped(command, &error);
            None
        }
    }
}

fn content(len: usize) -> String {
    let name = format!("tower-expect-{}-{len}", std::process::id());
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, vec![7; len]).expect("a temporary file");
    file.to_str().expect("UTF-8").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_sees_every_answer() {
    let address = serve().await;
    let file = content(8 << 20);
    for (token, expect, answer) in [
        ("s3cr3t", "expect: 100-continue", "8388608 200"),
        ("s3cr3t", "expect:", "8388608 200"),
        ("wrong", "expect: 100-continue", " 401"),
        ("wrong", "expect:", " 401"),
    ] {
        for _ in 0..25 {
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--show-error", "--http2-prior-knowledge"])
                .args([
                    "--max-time",
                    "20",
                    "--upload-file",
                    &file,
                    "--header",
                    expect,
                ])
                .args(["--header", &format!("authorization: Bearer {token}")])
                .args(["--write-out", " %{http_code} %{exitcode}"])
                .arg(format!("http://{address}/"))
                .stderr(Stdio::inherit());
            let Some(seen) = tokio::task::block_in_place(|| run(&mut curl)) else {
                return;
            };
            let expected = format!("{answer} 0");
            assert!(seen.ends_with(&expected), "{token} {expect}: {seen}");
        }
    }
    std::fs::remove_file(file).expect("there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nghttp_waits_for_the_100_and_gets_it() {
    let address = serve().await;
    let file = content(100_000);
    for (token, statuses) in [
        ("s3cr3t", &[":status: 100", ":status: 200"][..]),
        ("wrong", &[":status: 401"]),
    ] {
        let started = Instant::now();
        let mut nghttp = Command::new("nghttp");
        nghttp
            .args([
                "--verbose",
                "--no-dep",
                "--expect-continue",
                "--data",
                &file,
            ])
            .args(["--header", &format!("authorization: Bearer {token}")])
            .arg(format!("http://{address}/"));
        let Some(seen) = tokio::task::block_in_place(|| run(&mut nghttp)) else {
            return;
        };
        let took = started.elapsed();
        let received = seen.lines().filter(|line| line.contains(":status: "));
        let received: Vec<_> = received.collect();
        assert_eq!(received.len(), statuses.len(), "{seen}");
        for (line, status) in received.iter().zip(statuses) {
            assert!(line.contains(status), "{seen}");
        }
        // It sends after a second without a 100.
        assert!(took < Duration::from_millis(900), "{took:?}");
    }
    std::fs::remove_file(file).expect("there");
}
