//! `serve_axum`: curl by both versions, nghttp.

use std::process::Command;

use tokio::net::TcpListener;

use crate::{
    serve_axum,
    tools::{curl, run, File},
};

async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(serve_axum::serve(listener));
    format!("http://{address}/upload")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_uploads_by_both_versions_and_the_handler_sees_who_it_is() {
    let url = start().await;
    let file = File::new("accepted", 1_000_000);
    for (version, number, seen) in [
        ("--http1.1", "1.1", "HTTP/1.1"),
        ("--http2-prior-knowledge", "2", "HTTP/2.0"),
    ] {
        let Some(printed) = curl(&[version, "--upload-file", file.path()], &url) else {
            return;
        };
        let expected = format!("1000000 bytes by {seen} from 127.0.0.1\n{number} 200 1000000");
        assert_eq!(printed, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_learns_that_its_body_is_too_long_before_it_sends_any() {
    let url = start().await;
    let file = File::new("rejected", 2_000_000);
    // A value of its own, so that curl waits longer than for a second.
    let options = ["--http1.1", "--expect100-timeout", "10"];
    let options = [&options[..], &["--upload-file", file.path()]].concat();
    let Some(printed) = curl(&options, &url) else {
        return;
    };
    assert!(printed.ends_with("1.1 413 0"), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nghttp_gets_its_100_or_is_rejected() {
    let url = start().await;
    for (len, statuses) in [
        (1_000_000, &[":status: 100", ":status: 200"][..]),
        (2_000_000, &[":status: 413"]),
    ] {
        let file = File::new(&format!("nghttp-{len}"), len);
        let mut nghttp = Command::new("nghttp");
        nghttp.args(["--verbose", "--no-dep", "--expect-continue"]);
        nghttp.args(["--data", file.path(), &url]);
        let Some(printed) = run(&mut nghttp) else {
            return;
        };
        let received = printed.lines().filter(|line| line.contains(":status: "));
        let received: Vec<_> = received.collect();
        assert_eq!(received.len(), statuses.len(), "{printed}");
        for (line, status) in received.iter().zip(statuses) {
            assert!(line.contains(status), "{printed}");
        }
    }
}
