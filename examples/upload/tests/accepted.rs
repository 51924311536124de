//! Files that the server takes: they arrive whole, and the user sees how far they are.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode},
    routing::put,
    Router,
};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use tokio::process::Command;
use tokio_rustls::{
    rustls::{pki_types::PrivateKeyDer, ServerConfig},
    TlsAcceptor,
};
use tower_expect::ExpectLayer;

use crate::{
    skip::note_skipped,
    support::{listen, run, scripted, serve, upload, Ended, Temporary, PROGRAM},
};

/// Responds with the checksum of what it gets.
fn app() -> Router {
    let checksum = |headers: HeaderMap, mut body: Body| async move {
        let mut sum = Sha256::new();
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
            let piece = frame.data_ref().map_or(&[][..], |piece| &piece[..]);
            sum.update(piece);
            length += piece.len();
        }
        let tags: Vec<_> = headers
            .get_all("x-tag")
            .iter()
            .map(|tag| tag.to_str().expect("ASCII"))
            .collect();
        let tags = tags.join("+");
        Ok::<_, StatusCode>(format!("{length} {} {tags}\n", hex(sum)))
    };
    Router::new()
        .route("/", put(checksum))
        .layer(ExpectLayer::default())
}

fn hex(sum: Sha256) -> String {
    format!("{:x}", sum.finalize())
}

/// Of so many bytes, no two pieces of it the same.
fn content(length: usize) -> Vec<u8> {
    let numbers = (0u64..).flat_map(|number| (number * number).to_be_bytes());
    numbers.take(length).collect()
}

fn expected(content: &[u8], tags: &str) -> String {
    let sum = Sha256::new().chain_update(content);
    format!("{} {} {tags}\n", content.len(), hex(sum))
}

/// No bar, no colours, no line that is written over.
fn is_plain(ended: &Ended) -> bool {
    !ended.said.contains(['\r', '\u{1b}', '█', '░'])
}

#[tokio::test]
async fn a_file_arrives_whole_and_without_a_terminal_there_is_no_bar() {
    let url = format!("http://{}/", serve(app()).await);
    for length in [1, 65_536, 5_000_000] {
        let content = content(length);
        let file = Temporary::new("file.bin", &content);
        let ended = upload(
            file.path(),
            &url,
            &["-H", "x-tag: a", "--header", "X-Tag:b"],
        )
        .await;
        assert_eq!(
            (ended.status, &*ended.output),
            (0, &*expected(&content, "a+b")),
            "{ended:?}"
        );
        let lines = ended.lines();
        assert_eq!(lines.len(), 3, "{ended:?}");
        assert!(lines[0].starts_with("asked whether to send "), "{ended:?}");
        assert_eq!(lines[1], "the server asked for it after x ms");
        assert!(lines[2].starts_with("accepted: 200 OK, sent "), "{ended:?}");
        assert!(is_plain(&ended), "{ended:?}");
    }
}

#[tokio::test]
async fn an_empty_file_arrives_without_being_asked_for() {
    let url = format!("http://{}/", serve(app()).await);
    let ended = upload(Temporary::new("a", b"").path(), &url, &[]).await;
    assert_eq!(
        (ended.status, &*ended.output),
        (0, &*expected(b"", "")),
        "{ended:?}"
    );
    assert_eq!(ended.lines(), ["accepted: 200 OK, sent 0 B"]);
}

#[tokio::test]
async fn a_file_is_never_in_memory_as_a_whole() {
    let count = |mut body: Body| async move {
        let mut length = 0;
        while let Some(Ok(frame)) = body.frame().await {
            length += frame.data_ref().map_or(0, axum::body::Bytes::len);
        }
        length.to_string()
    };
    let url = format!(
        "http://{}/",
        serve(Router::new().route("/", put(count))).await
    );
    let file = Temporary::sparse("big", 1 << 30);
    // In KiB, of addresses: less than a quarter of the file.
    let script = "ulimit -v 250000; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command
        .args(["-c", script, PROGRAM])
        .arg(file.path())
        .arg(&url);
    let ended = run(command.env("MALLOC_ARENA_MAX", "1")).await;
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(ended.output, "1073741824");
}

#[tokio::test]
async fn a_server_that_is_silent_gets_the_file_after_a_while() {
    let address = scripted(&[&[(7, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]]).await;
    let file = Temporary::new("a", b"content");
    let options = ["--expect-timeout", "0.3"];
    let ended = upload(file.path(), &format!("http://{address}/"), &options).await;
    let expected = [
        "asked whether to send 7 B",
        "no response in x ms, sending it",
        "accepted: 200 OK, sent 7 B",
    ];
    assert_eq!(ended.lines(), expected);
    assert_eq!(ended.status, 0);
}

#[tokio::test]
async fn a_server_without_the_expectation_gets_the_file_without() {
    let address = scripted(&[
        &[(0, "HTTP/1.1 417 No\r\ncontent-length: 0\r\n\r\n")],
        &[(7, "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n")],
    ])
    .await;
    let file = Temporary::new("a", b"content");
    let ended = upload(file.path(), &format!("http://{address}/"), &[]).await;
    let expected = [
        "asked whether to send 7 B",
        "the server knows no such question, sending it",
        "accepted: 201 Created, sent 7 B",
    ];
    assert_eq!(ended.lines(), expected);
    assert_eq!(ended.status, 0);
}

async fn serve_tls() -> String {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("valid");
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("DER");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.into()], key)
        .expect("a pair");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (listener, address) = listen().await;
    let server = tower_expect::serve(listener, app());
    let server = server.with_acceptor(move |tcp| acceptor.accept(tcp));
    tokio::spawn(std::future::IntoFuture::into_future(server));
    format!("https://localhost:{}/", address.port())
}

#[tokio::test]
async fn over_tls_the_certificate_is_verified_unless_the_user_says_otherwise() {
    let url = serve_tls().await;
    let content = content(1_000_000);
    let file = Temporary::new("file.bin", &content);
    let ended = upload(file.path(), &url, &["--insecure"]).await;
    assert_eq!(
        (ended.status, &*ended.output),
        (0, &*expected(&content, "")),
        "{ended:?}"
    );

    let ended = upload(file.path(), &url, &[]).await;
    assert_eq!((ended.status, &*ended.output), (2, ""), "{ended:?}");
    assert!(ended.said.contains("certificate"), "{ended:?}");
}

/// By util-linux's `script`.
#[tokio::test]
async fn on_a_terminal_there_is_a_bar_while_the_file_is_sent() {
    let slow = |mut body: Body| async move {
        while let Some(Ok(_)) = body.frame().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let app = Router::new()
        .route("/", put(slow))
        .layer(ExpectLayer::default());
    let url = format!("http://{}/", serve(app).await);
    let file = Temporary::sparse("file.bin", 20 << 20);
    let line = format!("{PROGRAM} {} {url}", file.path().display());
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.env("TERM", "xterm").env("COLUMNS", "100");
    let output = match script.output().await {
        Ok(output) => output,
        Err(error) => return note_skipped(script.as_std(), &error),
    };
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains(" of 20.00 MiB, "), "{shown}");
    assert!(
        shown.contains("accepted: 200 OK, sent 20.00 MiB\r\n"),
        "{shown}"
    );
}
