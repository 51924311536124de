//! TLS above and below a socket that lingers.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use http::StatusCode;
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};
use tokio_rustls::{
    client::TlsStream,
    rustls::{
        pki_types::{CertificateDer, PrivateKeyDer, ServerName},
        ClientConfig, RootCertStore, ServerConfig,
    },
    TlsAcceptor, TlsConnector,
};
use tower_expect::LingerStream;

#[path = "../linger/support.rs"]
#[allow(dead_code, reason = "shared with tests/linger")]
mod support;

use support::{connect, listen, within};

#[derive(Clone, Copy, Debug)]
enum Tls {
    /// Above the socket that lingers.
    Above,
    Below,
}

async fn serve(tls: Tls) -> (SocketAddr, TlsConnector) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
    let certificate: CertificateDer<'static> = signed.cert.into();
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("a key");
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("a pair");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("valid");
    let client = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();

    let (listener, address) = listen().await;
    let acceptor = TlsAcceptor::from(Arc::new(server));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                match tls {
                    Tls::Above => {
                        let stream = acceptor.accept(LingerStream::new(stream)).await;
                        respond(stream.expect("a handshake")).await;
                    }
                    Tls::Below => {
                        let stream = acceptor.accept(stream).await.expect("a handshake");
                        respond(LingerStream::new(stream)).await;
                    }
                }
            });
        }
    });
    (address, TlsConnector::from(Arc::new(client)))
}

async fn respond(io: impl AsyncRead + AsyncWrite + Unpin + 'static) {
    let app = Router::new().fallback(|| async { StatusCode::UNAUTHORIZED });
    let service = TowerToHyperService::new(app);
    let server = http1::Builder::new();
    let _ = server.serve_connection(TokioIo::new(io), service).await;
}

async fn open(tls: Tls) -> TlsStream<TcpStream> {
    let (address, connector) = serve(tls).await;
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = connector.connect(name, connect(address).await).await;
    stream.expect("a handshake")
}

#[tokio::test]
async fn a_client_that_sends_all_before_it_looks_sees_the_response() {
    for tls in [Tls::Above, Tls::Below] {
        let mut stream = open(tls).await;
        let head = b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 8388608\r\n\r\n";
        stream.write_all(head).await.expect("open");
        let sent = within(20, stream.write_all(&vec![0; 8 << 20])).await;
        sent.unwrap_or_else(|error| panic!("{tls:?}: reset while it sends: {error}"));
        let mut seen = String::new();
        let read = within(5, stream.read_to_string(&mut seen)).await;
        read.unwrap_or_else(|error| panic!("{tls:?}: reset while it reads: {error}"));
        assert!(seen.starts_with("HTTP/1.1 401 "), "{tls:?}: {seen}");
    }
}

#[tokio::test]
async fn the_end_is_announced_by_tls_at_once_and_lingering_ends_when_the_client_ends() {
    for tls in [Tls::Above, Tls::Below] {
        let mut stream = open(tls).await;
        let head = b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 8388608\r\n\r\n";
        stream.write_all(head).await.expect("open");
        let started = Instant::now();
        let mut seen = String::new();
        // rustls reports an end without close_notify as an error.
        within(5, stream.read_to_string(&mut seen))
            .await
            .expect("close_notify");
        assert!(started.elapsed() < Duration::from_millis(200), "{tls:?}");
        stream.shutdown().await.expect("still open");
        let (mut stream, _) = stream.into_inner();
        let end = within(1, stream.read(&mut [0])).await;
        assert_eq!(end.expect("no reset"), 0, "{tls:?}");
    }
}
