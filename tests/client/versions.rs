//! HTTP/2, where hyper tells of no 100: nothing waits.

use std::{future::pending, sync::Arc, time::Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::{connect::HttpConnector, Client},
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::net::TcpListener;
use tokio_rustls::{
    rustls::{
        pki_types::{CertificateDer, PrivateKeyDer},
        ClientConfig, RootCertStore, ServerConfig,
    },
    TlsAcceptor,
};
use tower::{Layer, Service, ServiceExt};
use tower_expect::client::{PatientConnector, WaitingBody};

use crate::support::{patient, Seen, SOON};

/// The server's and the client's half, with a certificate for `localhost`.
pub(crate) fn tls(protocols: &[&[u8]]) -> (TlsAcceptor, ClientConfig) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate: CertificateDer<'static> = signed.cert.into();
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let mut server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    server.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (TlsAcceptor::from(Arc::new(server)), client)
}

/// Says how the request came, and how long its body is.
async fn echo(request: Request<Incoming>) -> Result<http::Response<Full<Bytes>>, hyper::Error> {
    let version = request.version();
    let asks = request.headers().contains_key("expect");
    let length = request.into_body().collect().await?.to_bytes().len();
    let text = format!("{version:?} {asks} {length}");
    Ok(http::Response::new(text.into()))
}

/// hyper's server, in both versions; returns its port.
async fn server(tls: Option<TlsAcceptor>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                let builder = auto::Builder::new(TokioExecutor::new());
                let service = service_fn(echo);
                match tls {
                    Some(tls) => {
                        let io = TokioIo::new(tls.accept(socket).await.unwrap());
                        builder.serve_connection(io, service).await
                    }
                    None => {
                        builder
                            .serve_connection(TokioIo::new(socket), service)
                            .await
                    }
                }
            });
        }
        pending::<()>().await;
    });
    port
}

/// Two uploads, none of which may wait for the timer, which runs for longer than the test.
async fn uploads<S>(client: S, uri: &str) -> (Vec<String>, Vec<String>)
where
    S: Service<
            Request<WaitingBody<Full<Bytes>>>,
            Response = http::Response<Incoming>,
            Error = hyper_util::client::legacy::Error,
        > + Clone,
{
    let seen = Seen::default();
    let client = seen.observe(patient()).layer(client);
    let mut heads = Vec::new();
    for _ in 0..2 {
        let begun = Instant::now();
        let request = Request::put(uri)
            .body(Full::from(vec![0; 100_000]))
            .unwrap();
        let response = client.clone().oneshot(request).await.unwrap();
        let text = response.into_body().collect().await.unwrap().to_bytes();
        assert!(begun.elapsed() < SOON);
        heads.push(String::from_utf8(text.to_vec()).unwrap());
    }
    (heads, seen.names())
}

fn https(config: ClientConfig) -> hyper_rustls::HttpsConnector<HttpConnector> {
    hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .enable_all_versions()
        .build()
}

#[tokio::test]
async fn over_http_2_agreed_on_by_alpn_nothing_waits_from_the_first_request_on() {
    let (server_tls, config) = tls(&[b"h2", b"http/1.1"]);
    let port = server(Some(server_tls)).await;
    let uri = format!("https://localhost:{port}/");
    let client = Client::builder(TokioExecutor::new()).build(https(config));
    let (heads, events) = uploads(client, &uri).await;
    // The host is remembered.
    assert_eq!(heads, ["HTTP/2.0 true 100000", "HTTP/2.0 false 100000"]);
    assert_eq!(events, ["Unheard"]);
}

#[tokio::test]
async fn over_http_2_by_prior_knowledge_nothing_waits_either() {
    let port = server(None).await;
    let uri = format!("http://localhost:{port}/");
    let mut builder = Client::builder(TokioExecutor::new());
    let client = builder.http2_only(true).build_http();
    let (heads, events) = uploads(client, &uri).await;
    // The host is remembered.
    assert_eq!(heads, ["HTTP/2.0 true 100000", "HTTP/2.0 false 100000"]);
    assert_eq!(events, ["Unheard"]);
}

#[tokio::test]
async fn over_tls_http_1_asks_and_is_heard_patient_or_not() {
    let (server_tls, config) = tls(&[b"http/1.1"]);
    let port = server(Some(server_tls)).await;
    let uri = format!("https://localhost:{port}/");
    let heads = ["HTTP/1.1 true 100000"; 2].map(str::to_owned).to_vec();
    let events = ["Asked", "Continued"].repeat(2);
    let events = events.into_iter().map(str::to_owned).collect();
    let asked = (heads, events);
    let builder = Client::builder(TokioExecutor::new());
    let client = builder.build(https(config.clone()));
    assert_eq!(uploads(client, &uri).await, asked);
    let client = builder.build(PatientConnector::new(https(config)));
    assert_eq!(uploads(client, &uri).await, asked);
}

#[tokio::test]
async fn plain_http_1_asks_and_is_heard_patient_or_not() {
    let port = server(None).await;
    let uri = format!("http://localhost:{port}/");
    let heads = ["HTTP/1.1 true 100000"; 2].map(str::to_owned).to_vec();
    let events = ["Asked", "Continued"].repeat(2);
    let events = events.into_iter().map(str::to_owned).collect();
    let asked = (heads, events);
    let builder = Client::builder(TokioExecutor::new());
    assert_eq!(uploads(builder.build_http(), &uri).await, asked);
    let client = builder.build(PatientConnector::new(HttpConnector::new()));
    assert_eq!(uploads(client, &uri).await, asked);
}
