//! curl: schemes that begin with an empty PUT, and a chunked upload.

use std::{
    fs::File,
    net::SocketAddr,
    process::{Command, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
};

use base64::{engine::general_purpose::STANDARD, Engine};
use http::Method;
use tower_expect::{
    rules::{self, Rule},
    Rejection, RequestHead,
};

use super::{run, store::Store, Scratch};

const LEN: usize = 300 << 10;

/// The status, and the bytes of the last request that were sent. The file is standard input.
async fn put(address: SocketAddr, arguments: &[&str], input: Stdio) -> Option<(u16, usize)> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "20"])
        .args(["--noproxy", "*", "--output", "/dev/null"])
        .args(["--write-out", "%{http_code} %{size_upload}"])
        .args(arguments)
        .arg(format!("http://{address}/file"))
        .stdin(input)
        .stderr(Stdio::inherit());
    let output = run(curl).await?;
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments:?}: {printed}");
    let (status, uploaded) = printed.split_once(' ').unwrap();
    Some((status.parse().unwrap(), uploaded.parse().unwrap()))
}

/// Accepts what carries credentials of the scheme; nobody's password is at stake here.
fn digest(head: &RequestHead) -> Result<(), Rejection> {
    match head.authorization() {
        Some(credentials) if credentials.is("Digest") => Ok(()),
        _ => Err(Rejection::unauthorized(
            "Digest realm=\"a\", nonce=\"1\", qop=\"auth\"",
        )),
    }
}

const NTLM: &[u8] = b"NTLMSSP\0";
const TYPE_3: u8 = 3;

/// The three messages of NTLM, on one connection (MS-NLMP §2.2.1).
fn ntlm(head: &RequestHead) -> Result<(), Rejection> {
    let token = head.headers.get("authorization");
    let token = token.and_then(|value| value.to_str().ok()?.strip_prefix("NTLM "));
    let message = token.and_then(|token| STANDARD.decode(token).ok());
    match message.as_deref().map(|message| message.get(8)) {
        Some(Some(&TYPE_3)) => Ok(()),
        Some(_) => {
            let mut challenge = NTLM.to_vec();
            challenge.extend([2, 0, 0, 0]);
            challenge.extend([0, 0, 0, 0, 40, 0, 0, 0]); // no target name
            challenge.extend([0x01, 0x82, 0, 0]); // Unicode, NTLM, always sign
            challenge.extend(*b"at least");
            challenge.extend([0; 8]);
            Err(Rejection::unauthorized(format!(
                "NTLM {}",
                STANDARD.encode(challenge)
            )))
        }
        None => Err(Rejection::unauthorized("NTLM")),
    }
}

/// Such a client sends an empty PUT first, which must not replace the file.
async fn assert_not_truncated(scheme: &str, check: fn(&RequestHead) -> Result<(), Rejection>) {
    let scratch = Scratch::new(&scheme[2..]);
    let file = scratch.file("new", LEN);
    let file = file.to_str().unwrap();
    let store = Store::default();
    let empty = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&empty);
    let rule = Rule::new(move |head: &RequestHead| {
        check(head).inspect_err(|_| {
            let is_empty = head.method == Method::PUT && !head.has_body();
            counted.fetch_add(usize::from(is_empty), Ordering::Relaxed);
        })
    });
    for (server, address) in store.servers(rule.boxed()).await.into_iter().enumerate() {
        let arguments = [scheme, "--user", "alice:secret", "--upload-file", file];
        let Some((status, _)) = put(address, &arguments, Stdio::null()).await else {
            return;
        };
        assert_eq!(status, 201);
        assert_eq!(store.stored(), vec![LEN; server + 1]);
        assert!(
            empty.load(Ordering::Relaxed) > server,
            "no empty PUT was sent"
        );
    }
}

#[tokio::test]
async fn the_empty_put_of_digest_replaces_no_file() {
    assert_not_truncated("--digest", digest).await;
}

#[tokio::test]
async fn the_empty_puts_of_ntlm_replace_no_file() {
    assert_not_truncated("--ntlm", ntlm).await;
}

#[tokio::test]
async fn a_chunked_upload_is_rejected_by_its_token_and_by_its_length() {
    let scratch = Scratch::new("chunked");
    let fits = scratch.file("fits", LEN);
    let exceeds = scratch.file("exceeds", 8 << 20);
    let limit = u64::try_from(LEN).unwrap();
    let rule = rules::bearer_token("s3cr3t").and(rules::content_length(..=limit));
    let store = Store::default();
    for (server, address) in store.servers(rule.boxed()).await.into_iter().enumerate() {
        for (token, file, status) in [
            ("s3cr3t", &fits, 201),
            ("wrong", &fits, 401),
            ("s3cr3t", &exceeds, 413),
        ] {
            let token = format!("authorization: Bearer {token}");
            let arguments = ["--header", &token, "--upload-file", "-"];
            let Some((seen, uploaded)) =
                put(address, &arguments, File::open(file).unwrap().into()).await
            else {
                return;
            };
            assert_eq!(seen, status);
            assert!(status != 401 || uploaded == 0, "{uploaded} bytes were sent");
        }
        assert_eq!(store.stored(), vec![LEN; server + 1]);
    }
}
