//! Clients of others that send nothing without a 100, where they are installed.

use std::{io, path::Path, time::Duration};

use tokio::{process::Command, time::timeout};

use super::app;
use crate::{servers::SERVERS, skip::note_skipped};

/// Each client ends by itself after 10 s; Go and Java are compiled before they run.
const PATIENCE: Duration = Duration::from_secs(60);

const SIZES: [usize; 2] = [5, 100_000];

fn client(program: &str, arguments: &[&str], file: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let mut command = Command::new(program);
    command.args(arguments).arg(folder.join(file));
    command
}

/// The URL's and the size's place is the end of the command.
async fn assert_echoed(http2: bool, command: impl Fn(&str, usize) -> Command) {
    for server in SERVERS.iter().filter(|server| server.http2 || !http2) {
        let address = server.start(app()).await;
        for (path, size) in [("echo", SIZES[0]), ("echo", SIZES[1]), ("relay", SIZES[1])] {
            let mut command = command(&format!("http://{address}/{path}"), size);
            command.env("no_proxy", "*").kill_on_drop(true);
            let Some(printed) = printed(&mut command).await else {
                return;
            };
            let expected = format!("200 {size}");
            assert_eq!(printed.trim(), expected, "{}, {path}", server.name);
        }
    }
}

/// What the command prints, or `None` if there is none.
async fn printed(command: &mut Command) -> Option<String> {
    let output = timeout(PATIENCE, command.output());
    match output.await.expect("the client ends by itself") {
        Ok(output) => Some(
            String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr),
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            note_skipped(command.as_std(), &error);
            None
        }
        Err(error) => panic!("{command:?}: {error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_has_its_upload_back() {
    assert_echoed(false, |url, size| {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--max-time",
            "10",
            "--expect100-timeout",
            "60",
        ])
        .args([
            "--header",
            "expect: 100-continue",
            "--data-binary",
            &"x".repeat(size),
        ])
        .args([
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code} %{size_download}",
            url,
        ]);
        curl
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_has_its_upload_back() {
    assert_echoed(false, |url, size| {
        let mut go = client("go", &["run"], "echo.go");
        go.args([url, &size.to_string()]);
        // It wants a folder for what it has built.
        go.env("GO111MODULE", "off").env("GOFLAGS", "");
        go.env("GOCACHE", std::env::temp_dir().join("tower-expect-go"));
        go
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_has_its_upload_back() {
    assert_echoed(false, |url, size| {
        let mut node = client("node", &[], "echo_http1.mjs");
        node.args([url, &size.to_string()]);
        node
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_has_its_upload_back_over_http_2() {
    assert_echoed(true, |url, size| {
        let mut node = client("node", &[], "echo_http2.mjs");
        node.args([url, &size.to_string()]);
        node
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn java_has_its_upload_back() {
    assert_echoed(false, |url, size| {
        let mut java = client("java", &[], "Echo.java");
        java.args([url, &size.to_string()]);
        java
    })
    .await;
}
