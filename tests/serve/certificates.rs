//! TLS is the acceptor's business: its certificate, and the versions that it offers.

use std::{
    future::IntoFuture,
    sync::{Arc, Mutex},
};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::TlsConnector;

use crate::{
    pipes::pipes,
    support::{app, localhost, piped, tls, tls_offering, PREFACE},
};

#[tokio::test]
async fn a_new_certificate_is_used_without_a_restart() {
    let [(first, trusts_first), (second, trusts_second)] = [tls(&[]), tls(&[])];
    let current = Arc::new(Mutex::new(first));
    let acceptor = Arc::clone(&current);
    let (connections, pipes) = pipes::<DuplexStream>();
    let server = tower_expect::serve(pipes, app())
        .with_acceptor(move |io| acceptor.lock().expect("no panic").accept(io));
    tokio::spawn(server.into_future());

    let trusts = |connector: TlsConnector| {
        let (near, far) = tokio::io::duplex(1 << 16);
        connections.send(near).expect("listening");
        async move { connector.connect(localhost(), far).await.is_ok() }
    };
    assert!(trusts(trusts_first.clone()).await);
    assert!(!trusts(trusts_second.clone()).await);
    *current.lock().expect("no panic") = second;
    assert!(!trusts(trusts_first).await);
    assert!(trusts(trusts_second).await);
}

#[tokio::test]
async fn clients_speak_the_one_version_that_alpn_offers() {
    let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let rows: [(_, &[u8], _); 2] = [("http/1.1", request, b"HT"), ("h2", PREFACE, b"\0\0")];
    for (offered, hello, beginning) in rows {
        let (acceptor, connector) = tls_offering(&[offered], &["h2", "http/1.1"]);
        let (dial, _) = piped(app(), |server| {
            server.with_acceptor(move |io: DuplexStream| acceptor.accept(io))
        });
        let connecting = connector.connect(localhost(), dial.connect());
        let mut stream = connecting.await.expect("a handshake");
        let agreed = stream.get_ref().1.alpn_protocol();
        assert_eq!(agreed, Some(offered.as_bytes()));
        stream.write_all(hello).await.expect("open");
        let mut seen = [0; 2];
        stream.read_exact(&mut seen).await.expect("open");
        assert_eq!(&seen, beginning);
    }
}
