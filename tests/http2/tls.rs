//! TLS, where the version is agreed on by ALPN.

use std::{future::IntoFuture, sync::Arc};

use axum::{body::Body, Router};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::{
    client::TlsStream,
    rustls::{
        pki_types::{CertificateDer, PrivateKeyDer, ServerName},
        ClientConfig, RootCertStore, ServerConfig,
    },
    TlsAcceptor, TlsConnector,
};
use tower_expect::ExpectLayer;

use crate::pipes::pipes;
use crate::support::{collect, expecting, interim, read, send, within, Client};

fn app() -> Router {
    let store = |body: Body| async { collect(body).await.expect("whole").len().to_string() };
    Router::new().fallback(store).layer(ExpectLayer::default())
}

/// A server's certificate for `localhost`, made anew, and how clients get to trust it.
pub(crate) fn identity() -> (ServerConfig, RootCertStore) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
    let certificate: CertificateDer<'static> = signed.cert.into();
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("a key");
    let mut server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("a pair");
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("valid");
    (server, roots)
}

async fn connect(protocol: &[u8]) -> TlsStream<DuplexStream> {
    let (server, roots) = identity();
    let mut client = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![protocol.to_vec()];

    let (near, far) = tokio::io::duplex(1 << 16);
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let (sender, pipes) = pipes();
    sender.send(near).expect("taken");
    let server = tower_expect::serve(pipes, app());
    let server = server.with_acceptor(move |pipe| acceptor.accept(pipe));
    tokio::spawn(server.into_future());
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(Arc::new(client));
    connector.connect(name, far).await.expect("a handshake")
}

#[tokio::test]
async fn both_versions_get_their_100() {
    let client = Client::over(connect(b"h2").await).await;
    let (mut response, mut content) = client.begin(expecting()).await;
    assert_eq!(interim(&mut response).await, Some(StatusCode::CONTINUE));
    send(&mut content, 300_000, true).await;
    assert_eq!(read(response).await.expect("answered").content, b"300000");

    let mut http1 = connect(b"http/1.1").await;
    let head = b"PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
    http1.write_all(head).await.expect("open");
    let mut seen = [0; 25];
    within(5, http1.read_exact(&mut seen)).await.expect("open");
    assert_eq!(&seen, b"HTTP/1.1 100 Continue\r\n\r\n");
}
