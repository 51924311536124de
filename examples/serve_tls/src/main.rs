//! An axum application over TLS, by rustls: the version of HTTP is agreed on by ALPN.
//!
//! Run with `cargo run -p serve_tls`, and in another terminal:
//!
//! ```console
//! $ head -c 1000000 /dev/zero > file
//! $ curl -k -T file https://localhost:3443/upload             # 200, by HTTP/2
//! $ curl -k --http1.1 -T file https://localhost:3443/upload   # 200, by HTTP/1.1
//! ```
//!
//! A client that does not complete its handshake is closed after 10 s.

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{ConnectInfo, Extension},
    routing::put,
    Router,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    rustls::{pki_types::PrivateKeyDer, ProtocolVersion, ServerConfig},
    server::TlsStream,
    TlsAcceptor,
};
use tower_expect::{rules, ExpectLayer};

/// What the handshake of a connection came to; its requests carry it.
#[derive(Clone)]
struct TlsInfo {
    version: Option<ProtocolVersion>,
    alpn: Option<String>,
}

impl TlsInfo {
    fn of(stream: &TlsStream<TcpStream>) -> Self {
        let (_, session) = stream.get_ref();
        let alpn = session.alpn_protocol();
        Self {
            version: session.protocol_version(),
            alpn: alpn.map(|name| String::from_utf8_lossy(name).into_owned()),
        }
    }
}

async fn upload(
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Extension(TlsInfo { version, alpn }): Extension<TlsInfo>,
    body: Bytes,
) -> String {
    let (length, client) = (body.len(), client.ip());
    let alpn = alpn.as_deref().unwrap_or("no ALPN");
    format!("{length} bytes from {client}, {version:?}, {alpn}\n")
}

fn app() -> Router {
    Router::new()
        .route("/upload", put(upload))
        .layer(ExpectLayer::new(rules::content_length(..=1 << 20)))
}

/// With a certificate that nobody trusts, made anew each time.
fn acceptor() -> Result<TlsAcceptor, Box<dyn Error>> {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der())?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.into()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

pub(crate) async fn serve(listener: TcpListener) -> Result<(), Box<dyn Error>> {
    let acceptor = acceptor()?;
    tower_expect::serve(listener, app())
        .with_connect_info(ConnectInfo)
        .with_acceptor(move |tcp| acceptor.accept(tcp))
        .with_stream_info(TlsInfo::of)
        .handshake_timeout(Duration::from_secs(10))
        .await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:3443").await?;
    println!("listening on https://localhost:3443");
    serve(listener).await
}
