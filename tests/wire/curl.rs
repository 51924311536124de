//! curl as a client that nobody here has written.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
};

use tower::Layer;

use crate::{
    app::App,
    support::{layer, serve},
};

const LENGTH: usize = 3 << 20;

/// Whether curl can be run, and with that option.
fn curl_has(option: Option<&str>) -> bool {
    let version = Command::new("curl").arg("--version").output();
    let features = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let has = features.is_ok_and(|features| option.is_none_or(|name| features.contains(name)));
    if !has {
        eprintln!(
            "skipped: no curl{}",
            option.map_or(String::new(), |o| format!(" with {o}"))
        );
    }
    has
}

/// A file of 3 MiB that is removed when it is dropped.
struct Upload(PathBuf);

impl Upload {
    fn new(test: &str) -> Self {
        let name = format!("tower-expect-{}-{test}", process::id());
        let path = env::temp_dir().join(name);
        fs::write(&path, vec![b'x'; LENGTH]).unwrap();
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.0);
    }
}

struct Outcome {
    success: bool,
    status: u16,
    version: String,
    uploaded: usize,
    /// What curl says it has received, such as `HTTP/1.1 100 Continue`.
    status_lines: Vec<String>,
}

/// Uploads the file with an Expect field, for which curl waits up to a minute.
async fn upload(address: SocketAddr, file: &Path, more: &[&str]) -> Outcome {
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--verbose",
        "--max-time",
        "20",
        "--noproxy",
        "*",
    ])
    .args([
        "--expect100-timeout",
        "60",
        "--header",
        "Expect: 100-continue",
    ])
    .args(["--output", "/dev/null", "--upload-file"])
    .arg(file)
    .args(["--write-out", "%{http_code} %{http_version} %{size_upload}"])
    .args(more)
    .arg(format!("http://{address}/sink"))
    .stdin(Stdio::null());
    let run = tokio::task::spawn_blocking(move || curl.output());
    let output = run.await.unwrap().unwrap();
    let written = String::from_utf8(output.stdout).unwrap();
    let mut words = written.split(' ');
    let mut word = || words.next().unwrap();
    let status_lines = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter_map(|line| Some(line.strip_prefix("< HTTP/")?.trim().to_owned()))
        .collect();
    Outcome {
        success: output.status.success(),
        status: word().parse().unwrap(),
        version: word().to_owned(),
        uploaded: word().parse().unwrap(),
        status_lines,
    }
}

#[tokio::test]
async fn curl_uploads_after_the_100() {
    if !curl_has(None) {
        return;
    }
    let file = Upload::new("accepted");
    let address = serve(layer().layer(App::new())).await;
    let outcome = upload(address, file.path(), &[]).await;
    assert!(outcome.success);
    assert_eq!(outcome.status_lines, ["1.1 100 Continue", "1.1 200 OK"]);
    assert_eq!(outcome.uploaded, LENGTH);
}

#[tokio::test]
async fn curl_sees_each_rejection_and_sends_nothing() {
    if !curl_has(None) {
        return;
    }
    let file = Upload::new("rejected");
    let app = App::new();
    let address = serve(layer().layer(app.clone())).await;
    for status in [401, 413, 415, 417, 503] {
        let reject = format!("x-reject: {status}");
        let outcome = upload(address, file.path(), &["--header", &reject]).await;
        assert!(outcome.success, "{status}");
        assert_eq!(outcome.status, status);
        assert_eq!(outcome.uploaded, 0, "{status}");
        assert_eq!(outcome.status_lines.len(), 1, "{:?}", outcome.status_lines);
    }
    assert_eq!(app.calls(), 0);
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn curl_sees_each_rejection_when_it_does_not_wait() {
    if !curl_has(None) {
        return;
    }
    let file = Upload::new("hasty");
    let app = App::new();
    let address = serve(layer().layer(app.clone())).await;
    for _ in 0..5 {
        for status in [401, 413] {
            let reject = format!("x-reject: {status}");
            let more = ["--header", &reject, "--header", "Expect:"];
            let outcome = upload(address, file.path(), &more).await;
            assert!(outcome.success, "{status}");
            assert_eq!(outcome.status, status);
        }
    }
    assert_eq!(app.calls(), 0);
}

#[tokio::test]
async fn curl_uploads_over_http_2() {
    if !curl_has(Some("HTTP2")) {
        return;
    }
    let file = Upload::new("accepted-h2");
    let address = serve(layer().layer(App::new())).await;
    let outcome = upload(address, file.path(), &["--http2-prior-knowledge"]).await;
    assert!(outcome.success);
    assert_eq!(outcome.version, "2");
    assert_eq!(outcome.status_lines, ["2 200"]);
    assert_eq!(outcome.uploaded, LENGTH);
}

/// With an empty answer: curl over HTTP/2 loses a few in a thousand that have content.
#[cfg(feature = "tokio")]
#[tokio::test]
async fn curl_sees_each_rejection_over_http_2() {
    use tower_expect::render::Empty;

    if !curl_has(Some("HTTP2")) {
        return;
    }
    let file = Upload::new("rejected-h2");
    let app = App::new();
    let address = serve(layer().render_with(Empty).layer(app.clone())).await;
    for _ in 0..5 {
        for status in [401, 413, 417] {
            let reject = format!("x-reject: {status}");
            let more = ["--http2-prior-knowledge", "--header", &reject];
            let outcome = upload(address, file.path(), &more).await;
            assert!(outcome.success, "{status}");
            assert_eq!((outcome.status, outcome.version.as_str()), (status, "2"));
        }
    }
    assert_eq!(app.calls(), 0);
}
