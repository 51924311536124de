//! Servers whose clients are pipes in memory or sockets, and bytes to send them.

use std::{
    future::{pending, IntoFuture},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::{body::Body, routing::any, Router};
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::{
    rustls::{
        pki_types::{PrivateKeyDer, ServerName},
        ClientConfig, RootCertStore, ServerConfig,
    },
    TlsAcceptor, TlsConnector,
};
use tower_expect::{
    rules,
    serve::{Handle, Serve},
    ExpectLayer,
};

use crate::pipes::{pipes, Pipes};

/// `/never` does not respond; `/slow` responds after 300 ms; all others at once, with the length of the
/// body. A body over 100,000 bytes is rejected.
pub(crate) fn app() -> Router {
    let never = || async { pending::<()>().await };
    let slow = |body: Body| async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        length(body).await
    };
    Router::new()
        .route("/never", any(never))
        .route("/slow", any(slow))
        .fallback(length)
        .layer(ExpectLayer::new(rules::content_length(..=100_000)))
}

async fn length(body: Body) -> String {
    match body.collect().await {
        Ok(body) => body.to_bytes().len().to_string(),
        Err(_) => "cut short".to_owned(),
    }
}

pub(crate) type Piped = Serve<Pipes<DuplexStream>, Router>;

/// Makes connections to a server in memory.
#[derive(Clone)]
pub(crate) struct Dial(mpsc::UnboundedSender<DuplexStream>);

impl Dial {
    pub(crate) fn connect(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(1 << 16);
        self.0.send(near).expect("listening");
        far
    }
}

/// A server in memory, as `set` makes it.
pub(crate) fn piped<Io>(
    app: Router,
    set: impl FnOnce(Piped) -> Serve<Pipes<DuplexStream>, Router, Io>,
) -> (Dial, Handle)
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, pipes) = pipes();
    let server = set(tower_expect::serve(pipes, app));
    let handle = server.handle();
    tokio::spawn(server.into_future());
    (Dial(sender), handle)
}

/// A server on a socket, as `set` makes it.
pub(crate) async fn bound(
    app: Router,
    set: impl FnOnce(Serve<TcpListener, Router>) -> Serve<TcpListener, Router>,
) -> (SocketAddr, Handle) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let server = set(tower_expect::serve(listener, app));
    let address = server.local_addr().expect("bound");
    let handle = server.handle();
    tokio::spawn(server.into_future());
    (address, handle)
}

pub(crate) async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("listening")
}

pub(crate) async fn write(io: &mut (impl AsyncWrite + Unpin), bytes: impl AsRef<[u8]>) {
    io.write_all(bytes.as_ref()).await.expect("open");
}

/// All until the end; what a reset connection has brought, too.
pub(crate) async fn read_all(io: &mut (impl AsyncRead + Unpin)) -> String {
    let mut seen = Vec::new();
    let _ = io.read_to_end(&mut seen).await;
    String::from_utf8_lossy(&seen).into_owned()
}

/// Reads until what was read ends so.
pub(crate) async fn read_to(io: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(end.as_bytes()) {
        match io.read_u8().await {
            Ok(byte) => seen.push(byte),
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&seen)),
        }
    }
    String::from_utf8(seen).expect("ASCII")
}

/// An HTTP/2 frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut frame = vec![len[1], len[2], len[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// `GET http://a/`, from HPACK's static table (RFC 7541, appendix A) but for the authority.
pub(crate) const GET: &[u8] = &[0x82, 0x86, 0x84, 0x41, 1, b'a'];

/// `PUT http://a/`.
pub(crate) const PUT: &[u8] = &[0x02, 3, b'P', b'U', b'T', 0x86, 0x84, 0x41, 1, b'a'];

/// Kind, flags and payload of each frame.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<(u8, u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [a, b, c, kind, flags, _, _, _, _, rest @ ..] = bytes {
        let len = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        frames.push((*kind, *flags, rest[..len].to_vec()));
        bytes = &rest[len..];
    }
    frames
}

/// The error code of GOAWAY, if that is the last frame.
pub(crate) fn goaway(bytes: &[u8]) -> Option<u32> {
    match frames(bytes).last() {
        Some((GOAWAY, _, payload)) => Some(u32::from_be_bytes(payload[4..8].try_into().ok()?)),
        _ => None,
    }
}

/// TLS for both sides, with a certificate that only they trust.
pub(crate) fn tls(protocols: &[&str]) -> (TlsAcceptor, TlsConnector) {
    tls_offering(&["h2", "http/1.1"], protocols)
}

/// The same, where the server has something to say about the protocol.
pub(crate) fn tls_offering(offered: &[&str], protocols: &[&str]) -> (TlsAcceptor, TlsConnector) {
    let names = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect();
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("valid");
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("DER");
    let certificate = signed.cert.der().clone();
    let mut server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("a pair");
    server.alpn_protocols = names(offered);
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("valid");
    let mut client = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = names(protocols);
    (Arc::new(server).into(), Arc::new(client).into())
}

pub(crate) fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").expect("a name")
}

pub(crate) async fn within<T>(future: impl std::future::Future<Output = T>) -> T {
    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, future).await.expect("in time")
}
