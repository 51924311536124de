//! Both ends of a QUIC connection on the loopback interface.

use std::{net::Ipv4Addr, sync::Arc};

use quinn::{
    crypto::rustls::{QuicClientConfig, QuicServerConfig},
    rustls::{
        self,
        pki_types::{CertificateDer, PrivateKeyDer},
        RootCertStore,
    },
    ClientConfig, Connection, Endpoint, ServerConfig,
};

use crate::within;

/// The server's end and the client's, and the client's endpoint, which must outlive it.
pub(crate) async fn connect() -> (Connection, Connection, Endpoint) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
    let certificate: CertificateDer<'static> = signed.cert.into();
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("a key");
    let mut tls = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("a pair");
    tls.alpn_protocols = vec![b"h3".to_vec()];
    let tls = QuicServerConfig::try_from(tls).expect("TLS 1.3");
    let config = ServerConfig::with_crypto(Arc::new(tls));
    let server = Endpoint::server(config, (Ipv4Addr::LOCALHOST, 0).into()).expect("loopback");

    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("valid");
    let mut tls = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h3".to_vec()];
    let tls = QuicClientConfig::try_from(tls).expect("TLS 1.3");
    let mut client = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).expect("loopback");
    client.set_default_client_config(ClientConfig::new(Arc::new(tls)));

    let address = server.local_addr().expect("bound");
    let connecting = client.connect(address, "localhost").expect("valid");
    let accepted = async { server.accept().await.expect("open").await };
    let (far, near) = within(5, async { tokio::join!(connecting, accepted) }).await;
    (
        near.expect("a handshake"),
        far.expect("a handshake"),
        client,
    )
}
