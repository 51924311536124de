//! `git push` to an axum route in front of `git http-backend`.

use std::{
    fs,
    future::IntoFuture,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
};

use axum::{body::Body, extract::State, routing::any, Router};
use http::{request::Parts, HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use tokio::{io::AsyncWriteExt, process};
use tower_expect::{rules, ExpectLayer};

use super::{run, Scratch};
use crate::support::listen;

const LIMIT: u64 = 1 << 20;

/// The requests that have reached the application: method, path, headers.
type Log = Arc<Mutex<Vec<(String, HeaderMap)>>>;

#[derive(Clone)]
struct Backend {
    root: PathBuf,
    log: Log,
}

impl Backend {
    /// The program with the variables of CGI (RFC 3875 §4.1).
    fn program(&self, head: &Parts) -> process::Command {
        let mut backend = process::Command::new("git");
        let variables = [
            ("CONTENT_TYPE", "content-type"),
            ("HTTP_CONTENT_ENCODING", "content-encoding"),
            ("HTTP_GIT_PROTOCOL", "git-protocol"),
            ("CONTENT_LENGTH", "content-length"),
        ];
        for (variable, header) in variables {
            if let Some(value) = head.headers.get(header) {
                backend.env(variable, value.to_str().unwrap());
            }
        }
        backend
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("PATH_INFO", head.uri.path())
            .env("QUERY_STRING", head.uri.query().unwrap_or(""))
            .env("REQUEST_METHOD", head.method.as_str())
            .env("REMOTE_USER", "alice")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        backend
    }
}

async fn backend(State(state): State<Backend>, request: Request<Body>) -> Response<Body> {
    let (head, mut body) = request.into_parts();
    let seen = (
        format!("{} {}", head.method, head.uri.path()),
        head.headers.clone(),
    );
    state.log.lock().unwrap().push(seen);
    let mut program = state.program(&head).spawn().unwrap();
    let mut input = program.stdin.take().unwrap();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            // Dropped, the program is killed before it has the end of a pack.
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            return response;
        };
        if let Ok(data) = frame.into_data() {
            _ = input.write_all(&data).await;
        }
    }
    drop(input);
    let output = program.wait_with_output().await.unwrap().stdout;
    let end = output
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let mut response = Response::builder();
    for line in std::str::from_utf8(&output[..end]).unwrap().lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(&value[..3]),
            _ => response.header(name, value),
        };
    }
    response.body(output[end + 4..].to_vec().into()).unwrap()
}

async fn serve(root: &Path, log: &Log) -> SocketAddr {
    let state = Backend {
        root: root.to_owned(),
        log: Arc::clone(log),
    };
    let rule = rules::bearer_token("s3cr3t").and(rules::content_length(..=LIMIT));
    let app = Router::new()
        .fallback(any(backend))
        .with_state(state)
        .layer(ExpectLayer::new(rule));
    let (listener, address) = listen().await;
    tokio::spawn(axum::serve(listener, app).into_future());
    address
}

fn git(at: &Path, arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.current_dir(at)
        .args(["-c", "user.name=a", "-c", "user.email=a@b"])
        .args(["-c", "http.postBuffer=65536", "-c", "http.proxy="])
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", at)
        .stdin(Stdio::null());
    git
}

async fn done(at: &Path, arguments: &[&str]) -> Option<String> {
    let output = run(git(at, arguments)).await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

/// Bytes that do not compress, and differ from commit to commit.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let bytes = (0..len).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    });
    bytes.collect()
}

async fn commit(work: &Path, len: usize) -> Option<String> {
    fs::write(work.join("file"), noise(len, len.try_into().unwrap())).unwrap();
    done(work, &["add", "file"]).await?;
    done(work, &["commit", "--quiet", "--message", "more"]).await?;
    done(work, &["rev-parse", "HEAD"]).await
}

async fn push(work: &Path, address: SocketAddr, token: &str) -> Output {
    let header = format!("http.extraHeader=Authorization: Bearer {token}");
    // git itself sends it only where Negotiate is offered.
    let expect = "http.extraHeader=Expect: 100-continue";
    let url = format!("http://{address}/repository.git");
    let arguments = [
        "-c",
        &header,
        "-c",
        expect,
        "push",
        "--quiet",
        &url,
        "HEAD:refs/heads/main",
    ];
    run(git(work, &arguments)).await.unwrap()
}

#[tokio::test]
async fn git_pushes_what_the_token_and_the_limit_allow() {
    let scratch = Scratch::new("git");
    let root = scratch.path();
    let Some(_) = done(root, &["init", "--quiet", "--bare", "repository.git"]).await else {
        return;
    };
    let (repository, work) = (root.join("repository.git"), root.join("work"));
    done(root, &["init", "--quiet", "work"]).await.unwrap();
    let log = Log::default();
    let address = serve(root, &log).await;
    let stored = || async {
        let head = ["rev-parse", "--verify", "--quiet", "refs/heads/main"];
        let output = run(git(&repository, &head)).await.unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };

    let small = commit(&work, 300_000).await.unwrap();
    let output = push(&work, address, "wrong").await;
    assert!(!output.status.success());
    assert_eq!(stored().await, "");
    assert!(
        log.lock().unwrap().is_empty(),
        "rejected from the first GET"
    );

    let output = push(&work, address, "s3cr3t").await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(stored().await, small);
    // Larger than the buffer: four bytes to try the credentials, then the pack, chunked.
    let posts: Vec<_> = log
        .lock()
        .unwrap()
        .drain(..)
        .filter(|(line, _)| line.starts_with("POST"))
        .collect();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0].1["content-length"], "4");
    assert_eq!(posts[1].1["transfer-encoding"], "chunked");
    assert_eq!(posts[1].1["expect"], "100-continue");

    commit(&work, 3_000_000).await.unwrap();
    let output = push(&work, address, "s3cr3t").await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && errors.contains("413"),
        "{errors}"
    );
    assert_eq!(stored().await, small);
}
