//! botocore, the Python SDK of Amazon, which sends aws-chunked bodies, over TLS only.

use std::{env, io, net::SocketAddr, process::Command, sync::Arc};

use http::StatusCode;
use tokio::net::TcpStream;
use tokio_rustls::{
    rustls::{pki_types::PrivateKeyDer, ServerConfig},
    TlsAcceptor,
};
use tower_expect::{
    rules::{self, Rule},
    Rejection, RequestHead,
};

use super::{run, store::Store};
use crate::{skip::note_skipped, support::listen};

/// TLS before the server of this address.
async fn tls_before(server: SocketAddr) -> SocketAddr {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.into()], key)
        .expect("a pair");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut client = acceptor.accept(stream).await.expect("a handshake");
                let mut server = TcpStream::connect(server).await.expect("a server");
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address
}

fn botocore() -> Command {
    let python = env::var_os("TOWER_EXPECT_PYTHON").unwrap_or_else(|| "python3".into());
    Command::new(python)
}

/// Older ones send no aws-chunked body.
async fn is_installed() -> bool {
    let mut import = botocore();
    import.args([
        "-c",
        "import botocore.httpchecksum as it; it.AwsChunkedWrapper",
    ]);
    run(import)
        .await
        .is_some_and(|output| output.status.success())
}

#[tokio::test]
async fn botocore_stores_aws_chunked_bodies_with_the_key_and_up_to_the_limit() {
    if !is_installed().await {
        return note_skipped(&botocore(), &io::Error::other("no botocore"));
    }
    let store = Store::default();
    let signed = |head: &RequestHead| {
        let known = "AWS4-HMAC-SHA256 Credential=good/";
        let is = |name: &str, known: &str| {
            let value = head.headers.get(name).and_then(|value| value.to_str().ok());
            value.is_some_and(|value| value.starts_with(known))
        };
        if is("content-encoding", "aws-chunked") && is("authorization", known) {
            return Ok(());
        }
        Err(Rejection::from(StatusCode::FORBIDDEN))
    };
    let rule = Rule::new(signed).and(rules::content_length(..=100_000));
    let rule = rule.boxed();
    let mut stored = Vec::new();
    for server in store.servers(rule).await {
        let address = tls_before(server).await;
        for (key, size, expected) in [
            ("good", 50_000, 201),
            ("bad", 50_000, 403),
            ("good", 200_000, 413),
        ] {
            let mut command = botocore();
            command
                .arg("tools/put_object.py")
                .arg(format!("https://localhost:{}", address.port()))
                .args([key, &size.to_string()]);
            let output = run(command).await.expect("it was there");
            let status = String::from_utf8_lossy(&output.stdout);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_eq!(
                status.trim(),
                expected.to_string(),
                "{key} {size}: {errors}"
            );
            if expected == 201 {
                stored.push(size);
            }
            let lengths = store.stored();
            assert_eq!(lengths.len(), stored.len(), "{key} {size}: {lengths:?}");
            // Beyond the file, its framing and the checksum.
            assert!(lengths.iter().all(|len| (50_001..50_200).contains(len)));
        }
    }
}
